// A peer's allocations, as one state machine.
//
// Orders come as the full set: what is new is prepared and started, what is missing or to be
// stopped is stopped by its kill signal and timeout, what is known runs on. Between orders every
// task follows its own restart policy, so a peer that is cut off needs nobody. After a start of the
// agent, live tasks are adopted as they are; those that ended start again only when an order
// confirms them, or on StartUnconfirmed. Directories of finished allocations that no order names
// are kept for a while (logs, sticky state), then collected. It knows no process, no disk, no
// clock: LocalTasks does in the agent what tests/sim fakes.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <vector>

#include "allocrunner/alloc.h"
#include "allocrunner/alloc_index.h"
#include "allocrunner/config.h"
#include "allocrunner/effects.h"
#include "allocrunner/input.h"
#include "allocrunner/port_gate.h"
#include "base/rng.h"

namespace gaggle::allocrunner {

class Runner {
  public:
    Runner(Host host, Config config, Rng rng);

    /// The only way in. `now` must not go backwards (checked).
    [[nodiscard]] Effects step(TimePoint now, const Input& input);

    /// Latest moment for the next Tick; nullopt when only an input can change anything.
    std::optional<TimePoint> next_wakeup() const;

    /// Nothing for an allocation that is not (or no longer) here. Valid until the next step.
    const AllocStatus* status(const AllocId& alloc) const;
    const Order* order(const AllocId& alloc) const;
    /// The network of its own; nothing while it has none or shares the host's.
    const AllocNetwork* network(const AllocId& alloc) const;
    /// Why a command could not be obeyed now, for whoever gave it; nothing when it can.
    std::optional<std::string> objection(const TaskCommand& command) const;
    /// Why the directory of the named allocation must stay.
    std::optional<std::string> objection(const CollectFinished& what) const;
    const std::vector<ServiceInstance>* services(const AllocId& alloc) const;
    /// An order for it was taken; its ports may still be tried.
    bool knows(const AllocId& alloc) const;
    /// All that are here, also finished ones whose directory is kept.
    std::vector<AllocId> allocs() const;
    /// Those whose processes may be alive: what capacity on this peer is really in use.
    const std::set<AllocId>& live() const { return index_.live(); }

  private:
    void on(Context& context, const Tick&);
    void on(Context& context, const Orders& input);
    void on(Context& context, const StartUnconfirmed&);
    void on(Context& context, const Recovered& input);
    void on(Context& context, const PortsProbed& input);
    void on(Context& context, const DirReady& input);
    void on(Context& context, const TaskNote& input);
    void on(Context& context, const TaskSetUpDone& input);
    void on(Context& context, const TaskStarted& input);
    void on(Context& context, const TaskNotStarted& input);
    void on(Context& context, const TaskExited& input);
    void on(Context& context, const TemplatesChanged& input);
    void on(Context& context, const CheckDone& input);
    void on(Context& context, const TaskCommand& input);
    void on(Context& context, const DiskFound& input);
    void on(Context& context, const HostDisk& input);
    void on(Context& context, const CollectFinished& input);
    void on(Context& context, const SaveFailed& input);
    void on(Context& context, const TornDown& input);
    void on(Context& context, const DirRemoved& input);

    /// Found with a damaged order: the next Orders decide. Once they do not name it, its tasks are
    /// killed, what was set up around them is torn down, and its directory is kept like that of any
    /// finished allocation.
    struct Stray {
        FoundAlloc found;
        std::optional<TimePoint> abandoned;
        TimePoint kill_again{};  ///< once abandoned, while something of it may run
        bool tearing = false;    ///< TearDown is or was out
        TryAgain tear_again{};
        bool at_rest() const;
    };

    /// Collected: RemoveDir is out, or out again once that is due.
    struct Leaving {
        std::string why;
        TryAgain again;
    };

    Alloc* find(const AllocId& alloc);
    void touch_all();
    void bring_up_to_date();
    void settle(Context& context);
    void accept(Context& context, const Order& order);
    static void see_off(Context& context, Stray& stray);
    void release_waiting(Context& context);
    void collect(Context& context);
    void remove_again(Context& context, const std::optional<CollectFinished>& wanted);
    AllocIndex::ByTime finished() const;
    bool under_pressure() const;
    bool may_be_needed(TimePoint now, const AllocId& id, TimePoint since) const;
    std::string pressure() const;  ///< while there is some: of what, for people
    bool is_awaited(const AllocId& alloc) const;
    bool may_change(const AllocId& alloc) const;

    Host host_;
    Config config_;
    Rng rng_;
    TimePoint last_{};
    std::map<AllocId, Alloc> allocs_;
    std::map<AllocId, Stray> strays_;  ///< none of them is in allocs_
    std::map<AllocId, Leaving> leaving_;
    PortGate gate_;              ///< new ones, before they are in allocs_
    std::set<AllocId> touched_;  ///< in this step: to be settled and reported
    AllocIndex index_;           ///< of allocs_; what is touched is not yet in it
    HostDisk host_disk_;
    TimePoint pressed_after_{};                   ///< not before then do more go
    std::optional<CollectFinished> collect_now_;  ///< in this step
};

}  // namespace gaggle::allocrunner
