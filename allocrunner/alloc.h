// One allocation's life on this peer, from its order to the last of its processes.
//
// Directory first, then the tasks in the order of their hooks; a task that is dead for good takes
// its siblings with it when it failed or was the leader. A stop asks the leader first, then the
// other tasks, then the sidecars; what runs after them (poststop) runs then. Nothing here starts
// before the order is confirmed: a new order is, a recovered one is not until the commit group
// repeats it or nobody can be reached.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <tuple>

#include "allocrunner/checks.h"
#include "allocrunner/context.h"
#include "allocrunner/healthiness.h"
#include "allocrunner/input.h"
#include "allocrunner/services.h"
#include "allocrunner/task_life.h"
#include "allocrunner/task_plan.h"
#include "allocrunner/try_again.h"

namespace gaggle::allocrunner {

/// The state file of an allocation.
struct AllocRecord {
    AllocStatus status;  ///< `tasks` is empty here: they are below
    std::map<std::string, TaskRecord> tasks;
    std::optional<AllocNetwork> network;
    bool restarting_all = false;  ///< all tasks begin anew once none has a process
    bool mains_released = false;
    bool poststarts_released = false;
    template <class Self>
    static auto wire_fields(Self& s) {
        return std::tie(s.status, s.tasks, s.network, s.restarting_all, s.mains_released,
                        s.poststarts_released);
    }
};

class Alloc {
  public:
    /// For a new order. `kept_out`: why none of its tasks was ever to be started, of one that is to
    /// stop; empty: nothing did.
    Alloc(Context& context, Order order, std::string kept_out = {});
    /// For what a start of the agent found.
    static Alloc recovered(Context& context, Order order, const FoundAlloc& found);

    /// Asks for its directory; to be called once the state it restores from is at rest.
    void prepare(Context& context);
    /// Something of it is still to run, and its directory was not asked for.
    bool wants_prepare() const;

    void on_order(Context& context, const Order& order);
    void confirm() { confirmed_ = true; }
    /// No order names it any more: stop it. Its directory may be collected afterwards.
    void forget(Context& context);

    void on_dir_ready(Context& context, const DirReady& input);
    void on_save_failed(Context& context, const SaveFailed& input);
    void on_check(Context& context, const CheckDone& input);
    void on_command(Context& context, const TaskCommand& input);
    /// Why it cannot be obeyed; nothing when it can.
    std::optional<std::string> objection_to(const TaskCommand& input) const;
    void on_templates(Context& context, const TemplatesChanged& input);
    void on_disk(Context& context, const DiskFound& input);
    void on_torn_down(Context& context, const TornDown& input);
    TaskLife* find(const std::string& task);

    /// After any handler: due deadlines, siblings, starts, checks.
    void settle(Context& context);
    /// Once at the end of a step: hands out status and state where they changed.
    void report(Context& context);
    std::optional<TimePoint> next_wakeup() const;

    const AllocId& id() const { return order_.alloc; }
    const Order& order() const { return order_; }
    const AllocStatus& status() const { return status_; }
    /// Nothing when it shares the host's.
    const std::optional<AllocNetwork>& network() const { return network_; }
    /// The instances of its services that are offered now.
    const std::vector<ServiceInstance>& services() const { return offered_; }
    bool confirmed() const { return confirmed_; }
    bool stopping() const { return stopping_; }
    /// It may still take over the state of the allocation that it names.
    bool restoring() const {
        return !again_ && (phase_ == Phase::waiting || phase_ == Phase::preparing);
    }
    bool over() const { return phase_ == Phase::over; }
    bool forgotten() const { return forgotten_; }
    bool has_dir() const { return has_dir_; }
    TimePoint over_since() const { return over_since_; }

  private:
    enum class Phase {
        waiting,    ///< for the allocation whose state it takes over, or to be confirmed
        preparing,  ///< PrepareDir is out
        live,
        tearing,  ///< all tasks are dead, TearDown is out, or out again once that is due
        over,
    };

    /// What is waited before the signals of a stop.
    struct StopDelays {
        Duration group{};        ///< once, before the first
        bool each_task = false;  ///< also the task's own
    };
    // alloc_stop.cc
    void stop_by_order(Context& context);
    void stop_others(Context& context, const TaskEvent& why);
    void stop_all(Context& context, StopDelays delays);
    void stop_in_order(Context& context);
    void fall_together(Context& context);
    void refuse_all(Context& context, const TaskEvent& why);
    void skip_poststop(Context& context);
    void end_when_all_dead(Context& context);
    void tear_down_again(Context& context);
    bool others_dead() const;  ///< than poststop tasks
    bool owes_poststop() const;

    // alloc_start.cc
    void release_stages();
    void begin_again_together();
    bool may_start(const TaskLife& life) const;
    void start_tasks(Context& context);
    void start(Context& context, TaskLife& life);
    TaskPlan plan_of(Context& context, const TaskLife& life) const;

    // alloc.cc
    void recover_record(Context& context, const Result<AllocRecord>& record,
                        const FoundAlloc& found);
    void recover_stages(const Result<AllocRecord>& record);
    void offer_services();
    bool serves(const std::string& task) const;
    void look_after_health(Context& context);
    void restart_for_check(Context& context, const CheckRestartWanted& wanted);
    bool all_well() const;
    void save(Context& context);

    Order order_;
    std::string kept_out_;  ///< why none of it ever began; empty: nothing kept it
    Phase phase_ = Phase::waiting;
    bool again_ = false;  ///< its tasks ran before this start of the agent
    bool confirmed_ = true;
    bool forgotten_ = false;
    bool stopping_ = false;           ///< by order, or with a fallen sibling
    std::optional<StopDelays> stop_;  ///< once stopping
    bool mains_released_ = false;
    bool poststarts_released_ = false;
    bool restarting_all_ = false;
    bool disk_warned_ = false;
    bool has_dir_ = false;
    bool changed_ = true;
    std::map<std::string, TaskLife> tasks_;
    Checks checks_;
    Services services_;
    std::vector<ServiceInstance> offered_;
    Healthiness healthiness_;
    AllocStatus status_;
    std::optional<AllocNetwork> network_;
    std::optional<TimePoint> ended_before_;  ///< this start of the agent: when
    TimePoint over_since_{};
    std::optional<TimePoint> save_again_;  ///< after a failure
    std::optional<std::string> save_error_;
    TryAgain tear_again_;
    std::optional<std::string> tear_error_;
};

}  // namespace gaggle::allocrunner
