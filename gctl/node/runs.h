// What runs here: orders from the commit group, made durable, obeyed, reported on.
//
// Orders are this peer's full set of allocations with (epoch, change index). Anything lower is
// refused; what is accepted is durable before it is acted upon. The runner does the rest and says
// how its allocations are; its reports go to the ledger until it has them. A peer that is cut off
// goes on with the orders that it has.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <set>

#include "allocrunner/runner.h"
#include "gctl/node/courier.h"
#include "gctl/node/outbox.h"
#include "gctl/node/writer.h"
#include "placement/fit/capacity.h"

namespace gaggle::node {

constexpr Duration kOfflineStartAfter =
    30s;  ///< without any answer since the agent started (DESIGN section 9)
constexpr std::size_t kReportsPerCommand = 128;
constexpr std::size_t kReportBytesMax = 256U << 10U;
constexpr Duration kRefusedPause = 10s;  ///< before refused reports are sent again
constexpr Duration kUnheardPause = 1s;   ///< before reports that nobody took are

/// From the ledger's record to the runner's order. Nothing when the job version or group is
/// missing.
std::optional<allocrunner::Order> order_from(const ledger::AllocRecord& alloc,
                                             const ledger::PeerOrders& orders);

class Copies;

class Runs {
  public:
    Runs(allocrunner::Host host, allocrunner::Config collection, Courier& courier, Writer& writer,
         Copies& copies, Rng rng);

    /// With the orders that were durable when the agent ended, if any. Damaged ones are an Error:
    /// the tasks that are found run on, and the group's next orders decide.
    Result<void> start(Now now, const Bytes* durable_orders);
    void set_number(PeerNumber number) { number_ = number; }
    /// What this peer offers in all.
    void set_offer(const Amounts& total) { offer_ = total; }

    void on(Now now, const OrdersFrame& frame, Outbox& out);
    void on(Now now, const allocrunner::Input& input, Outbox& out);
    /// A fetch has ended: orders that waited for their data can be obeyed.
    void fetched(Now now, Outbox& out) {
        if (obeyed_) obey(now, out);
    }
    /// Nothing becomes durable any more: orders that wait for it are obeyed as far as they stop.
    void store_failed(Now now, Outbox& out) { obey(now, out); }
    /// Somebody of the group has answered: no need to start anything unconfirmed.
    void heard() { heard_ = true; }
    void tick(Now now, Outbox& out);
    std::optional<TimePoint> next_wakeup() const;

    Epoch epoch() const { return orders_.epoch; }
    /// Of the orders that were obeyed since the agent started: 0 before, so that they are sent
    /// again.
    LogIndex index() const { return obeyed_ ? orders_.change_index : LogIndex{}; }
    /// By the newest orders: what allocations take here, and how many there are.
    const Amounts& used() const { return used_; }
    std::uint32_t count() const;
    const allocrunner::Runner& runner() const { return runner_; }
    /// The instances of services that allocations offer here now.
    ServiceList services() const;
    /// Perhaps they are others than when they were told last.
    bool services_changed() const { return services_changed_; }
    void services_told() { services_changed_ = false; }
    /// What was found on disk when the agent started is known.
    bool recovered() const { return recovered_; }

  private:
    void obey(Now now, Outbox& out);
    void absorb(Now now, allocrunner::Effects effects, Outbox& out);
    static void tell_collected(const std::vector<allocrunner::Work>& work, Outbox& out);
    void report(Now now, Outbox& out);
    void tell_again(const AllocId& alloc);
    void reconnect(Now now, const AllocId& alloc, Outbox& out);
    void release(Now now, const allocrunner::PortTaken& taken, Outbox& out);
    /// Where a new allocation's data comes from; nothing while it is still being fetched.
    std::optional<allocrunner::Restore> restore_for(Now now, const ledger::AllocRecord& alloc,
                                                    const TaskGroup& group, Outbox& out);
    void begin_what_waits(Now now, Outbox& out);
    struct Leaving {
        std::set<AllocId> allocs;
        std::set<std::uint16_t> ports;
        Amounts all_live;  ///< of everything that may have processes here
    };
    Leaving leaving_now() const;
    bool has_room(const ledger::AllocRecord& alloc, const Leaving& leaving,
                  const Amounts& used) const;
    void tell_copies(Now now, Outbox& out);
    bool is_copied(const AllocId& alloc) const;
    void add_up();

    Courier& courier_;
    Writer& writer_;
    Copies& copies_;
    allocrunner::Runner runner_;
    PeerNumber number_;
    Amounts offer_;
    bool waits_for_room_ = false;        ///< of the last orders, something was not begun
    bool ended_ = false;                 ///< some allocation, since then
    ledger::PeerOrders orders_;          ///< newest accepted, perhaps not yet durable
    std::map<AllocId, Amounts> taking_;  ///< of those orders, what is not over
    Amounts used_;                       ///< the sum of it
    LogIndex collected_;                 ///< of the orders: what was finished then was let go
    bool obeyed_ = false;                ///< since the agent started, the group's orders were
    bool obey_when_recovered_ = false;
    bool recovered_ = false;  ///< the runner knows what was found on disk
    bool heard_ = false;
    std::optional<TimePoint> offline_start_;
    std::map<AllocId, allocrunner::StatusChanged> unreported_;  ///< the newest of each
    std::set<AllocId> offering_;  ///< those with an instance of a service
    std::set<AllocId> reconnected_;  ///< came back from being lost; the group has yet to hear
    bool services_changed_ = false;
    bool reporting_ = false;
    std::optional<TimePoint> report_again_;
};

}  // namespace gaggle::node
