// One task's life on this peer: started, ended, restarted by its policy, stopped.
//
// Its state is one of seven, each with its own data. A stop is polite first: the shutdown delay,
// then the kill signal, then after the kill timeout SIGKILL. The life of the allocation around it
// (who starts when, who falls with whom) is Alloc's.
#pragma once

#include <optional>
#include <string>
#include <tuple>
#include <utility>
#include <variant>

#include "allocrunner/context.h"
#include "allocrunner/input.h"
#include "allocrunner/restart.h"

namespace gaggle::allocrunner {

/// What must outlive the agent, besides the TaskState that people see.
struct TaskRecord {
    TaskState state;
    std::uint64_t run = 0;
    bool run_ended = false;  ///< its end was dealt with: the record of that exit counts no more
    std::int64_t restarts_counted = 0;
    WallTime window_start;
    WallTime rest_until;  ///< when it may start again; 0: it is not between two runs
    template <class Self>
    static auto wire_fields(Self& s) {
        return std::tie(s.state, s.run, s.run_ended, s.restarts_counted, s.window_start,
                        s.rest_until);
    }
    bool operator==(const TaskRecord&) const = default;
};

class TaskLife {
  public:
    TaskLife(const Order& order, const Task& task, WallTime wall);

    /// After a start of the agent: from what was saved and what was found (nullptr: neither process
    /// nor exit).
    void recover(Context& context, const TaskRecord& record, const FoundTask* found);

    /// The order's newest version of the task (only what needs no new start).
    void update(const Task& task) { task_ = task; }

    bool wants_start() const { return std::holds_alternative<Waiting>(phase_); }
    /// Requires wants_start().
    void start(Context& context, TaskSpec spec);
    /// It cannot be started: the config or the machine says no. Requires wants_start().
    void refuse(Context& context, TaskEvent why);
    /// Polite stop; `delay` is waited before the signal. Does nothing to a task that is being
    /// stopped or dead.
    void stop(Context& context, Duration delay);

    void on_started(Context& context, const TaskStarted& input);
    void on_not_started(Context& context, const TaskNotStarted& input);
    void on_exited(Context& context, const TaskExited& input);
    void on_tick(Context& context);

    std::optional<TimePoint> next_wakeup() const;
    bool running() const { return std::holds_alternative<Running>(phase_); }
    bool dead() const { return std::holds_alternative<Dead>(phase_); }
    bool failed() const { return dead() && state_.failed; }
    /// A process of it may exist.
    bool has_process() const {
        return !dead() && !wants_start() && !std::holds_alternative<Resting>(phase_);
    }

    const Task& task() const { return task_; }
    const TaskState& state() const { return state_; }
    TaskRecord record(TimePoint now, WallTime wall) const;
    void note(TaskEvent event) {
        add_event(state_, std::move(event));
        changed_ = true;
    }
    /// Something that people or the disk should know changed since the last call.
    bool take_changed() { return std::exchange(changed_, false); }

  private:
    struct Waiting {};  ///< to be started as soon as its allocation lets it
    struct Starting {
        bool stop = false;
    };  ///< StartTask is out
    struct Running {};
    struct Resting {
        TimePoint until;
    };  ///< between two runs
    struct Delaying {
        TimePoint until;
    };  ///< being stopped: shutdown delay before the signal
    struct Signalled {
        TimePoint until;
    };  ///< being stopped: signalled; SIGKILL (again) at `until`
    struct Dead {};

    void on_heard(const TaskStarted& input);
    void signal(Context& context);
    void die(Context& context, bool failed);
    void ended(Context& context, Ending ending);
    void resume(Context& context, const FoundTask& found);

    AllocId alloc_;
    JobType type_;
    Task task_;
    std::variant<Waiting, Starting, Running, Resting, Delaying, Signalled, Dead> phase_;
    TaskState state_;
    std::uint64_t run_ = 0;
    bool run_ended_ = false;
    bool heard_ = true;  ///< false: which run it is, its supervisor has yet to say
    bool changed_ = true;
    RestartHistory history_;
};

}  // namespace gaggle::allocrunner
