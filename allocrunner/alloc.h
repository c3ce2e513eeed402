// One allocation's life on this peer, from its order to the last of its processes.
//
// Directory first, then all tasks; a task that is dead for good takes its siblings with it when it
// failed or was the leader. A stop asks the leader first and the others once it is dead. Nothing
// here starts before the order is confirmed: a new order is, a recovered one is not until the
// commit group repeats it or nobody can be reached.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <tuple>

#include "allocrunner/checks.h"
#include "allocrunner/context.h"
#include "allocrunner/input.h"
#include "allocrunner/task_life.h"

namespace gaggle::allocrunner {

/// The state file of an allocation.
struct AllocRecord {
    AllocStatus status;  ///< `tasks` is empty here: they are below
    std::map<std::string, TaskRecord> tasks;
    std::optional<AllocNetwork> network;
    template <class Self>
    static auto wire_fields(Self& s) {
        return std::tie(s.status, s.tasks, s.network);
    }
};

class Alloc {
  public:
    /// For a new order.
    Alloc(Context& context, Order order);
    /// For what a start of the agent found.
    static Alloc recovered(Context& context, Order order, const FoundAlloc& found);

    /// Asks for its directory; to be called once the state it restores from is at rest.
    void prepare(Context& context);
    bool wants_prepare() const { return phase_ == Phase::waiting; }

    void on_order(Context& context, const Order& order);
    void confirm() { confirmed_ = true; }
    /// No order names it any more: stop it. Its directory may be collected afterwards.
    void forget(Context& context);

    void on_dir_ready(Context& context, const DirReady& input);
    void on_save_failed(Context& context, const SaveFailed& input);
    void on_check(Context& context, const CheckDone& input);
    TaskLife* find(const std::string& task);

    /// After any handler: due deadlines, siblings, starts, checks.
    void settle(Context& context);
    /// Once at the end of a step: hands out status and state where they changed.
    void report(Context& context);
    std::optional<TimePoint> next_wakeup() const;

    const AllocId& id() const { return order_.alloc; }
    const Order& order() const { return order_; }
    const AllocStatus& status() const { return status_; }
    bool confirmed() const { return confirmed_; }
    bool stopping() const { return stopping_; }
    /// It may still take over the state of the allocation that it names.
    bool restoring() const { return phase_ == Phase::waiting || phase_ == Phase::preparing; }
    bool over() const { return phase_ == Phase::over; }
    bool forgotten() const { return forgotten_; }
    bool has_dir() const { return has_dir_; }
    TimePoint over_since() const { return over_since_; }

  private:
    enum class Phase {
        waiting,    ///< for the allocation whose state it takes over
        preparing,  ///< PrepareDir is out
        live,
        over,  ///< all tasks are dead
    };

    /// What is waited before the signals of a stop.
    struct StopDelays {
        Duration group{};        ///< once, before the first
        bool each_task = false;  ///< also the task's own
    };
    void stop_by_order(Context& context);
    void stop_others(Context& context, const TaskEvent& why);
    void stop_all(Context& context, StopDelays delays);
    void stop_followers(Context& context);
    TaskLife* living_leader();
    void fall_together(Context& context);
    void start_tasks(Context& context);
    void refuse_all(Context& context, const TaskEvent& why);
    bool all_running() const;
    void look_after_health(Context& context);
    void save(Context& context);

    Order order_;
    Phase phase_ = Phase::waiting;
    bool confirmed_ = true;
    bool forgotten_ = false;
    bool stopping_ = false;                ///< by order, or with a fallen sibling
    std::optional<StopDelays> followers_;  ///< they are stopped once the leader is dead
    bool has_dir_ = false;
    bool changed_ = true;
    std::map<std::string, TaskLife> tasks_;
    Checks checks_;
    Healthiness healthiness_;
    AllocStatus status_;
    std::optional<AllocNetwork> network_;
    TimePoint over_since_{};
    std::optional<TimePoint> save_again_;  ///< after a failure
    std::optional<std::string> save_error_;
};

}  // namespace gaggle::allocrunner
