// One task's life on this peer: set up, started, ended, restarted by its policy, stopped.
//
// Its state is one of eight, each with its own data. A stop is polite first: the shutdown delay,
// then the kill signal, then after the kill timeout SIGKILL. A restart that somebody asks for ends
// the run the same way and begins the next at once. The life of the allocation around it (who
// starts when, who falls with whom) is Alloc's.
#pragma once

#include <optional>
#include <string>
#include <tuple>
#include <utility>
#include <variant>
#include <vector>

#include "allocrunner/context.h"
#include "allocrunner/input.h"
#include "allocrunner/lifecycle.h"
#include "allocrunner/restart.h"

namespace gaggle::allocrunner {

/// Why a run is being ended although the task is to go on.
enum class RestartWish {
    none,
    asked,    ///< by people or a template: the next run begins at once
    failure,  ///< by a check: the restart policy decides, as if it had failed
};
constexpr RestartWish wire_last(RestartWish) { return RestartWish::failure; }

/// What must outlive the agent, besides the TaskState that people see.
struct TaskRecord {
    TaskState state;
    std::uint64_t run = 0;
    bool run_ended = false;  ///< its end was dealt with: the record of that exit counts no more
    std::int64_t restarts_counted = 0;
    WallTime window_start;
    WallTime rest_until;      ///< when it may start again; 0: it is not between two runs
    bool was_set_up = false;  ///< what is fetched once is there
    RestartWish wish = RestartWish::none;
    bool failing = false;  ///< it is being killed for good, as a failure
    template <class Self>
    static auto wire_fields(Self& s) {
        return std::tie(s.state, s.run, s.run_ended, s.restarts_counted, s.window_start,
                        s.rest_until, s.was_set_up, s.wish, s.failing);
    }
    bool operator==(const TaskRecord&) const = default;
};

inline constexpr Duration kKillAgainAfter = 10s;  ///< SIGKILL is repeated to what is still there

/// Between two moments of the machine's clock, which people may set: never below 0.
Duration elapsed(WallTime from, WallTime to);

class TaskLife {
  public:
    TaskLife(const Order& order, const Task& task, WallTime wall);

    /// After a start of the agent: from what was saved and what was found (nullptr: neither process
    /// nor exit).
    void recover(Context& context, const TaskRecord& record, const FoundTask* found);

    /// The order's newest version of the task (only what needs no new start).
    void update(const Task& task) { task_ = task; }

    /// Nothing but its allocation keeps it from starting: next is set_up() or start().
    bool wants_start() const { return std::holds_alternative<Waiting>(phase_); }
    /// Nothing is missing that a SetUpTask would bring.
    bool is_set_up() const { return !needs_set_up_ || set_up_done_; }
    /// Requires wants_start().
    void set_up(Context& context, TaskSetUp what);
    /// Requires wants_start() and is_set_up().
    void start(Context& context, TaskSpec spec);
    /// It cannot be started: the config or the machine says no. Requires wants_start().
    void refuse(Context& context, TaskEvent why);
    /// It runs and its templates are not watched, for the agent was started after it.
    bool wants_watch() const { return needs_set_up_ && running() && !watched_; }
    void watch(Context& context, TaskSetUp what);

    /// Dead before its first start, and no failure of its own. Requires wants_start().
    void keep_out(Context& context, TaskEvent why);
    /// Polite stop; `delay` is waited before the signal. Does nothing to a task that is being
    /// stopped or dead.
    void stop(Context& context, Duration delay);
    /// A shutdown delay that is being waited ends `delay` from now at the latest.
    void wait_no_longer_than(const Context& context, Duration delay);
    /// Ends for good as failed: killed at once, without being asked. `why` is noted unless dead.
    void fail(Context& context, const TaskEvent& why);
    /// Ends the present run for another; of one that is being started, once it runs. Else does
    /// nothing.
    void restart(Context& context, TaskEvent why, RestartWish wish);
    /// Takes a dead one back to where it waits to be started, as if it had never run.
    void revive();
    /// To its first process; of one that is being started, once it runs. Else does nothing.
    void signal(Context& context, std::int64_t number, const std::string& reason);

    void on_set_up(Context& context, const TaskSetUpDone& input);
    void on_started(Context& context, const TaskStarted& input);
    void on_not_started(Context& context, const TaskNotStarted& input);
    void on_exited(Context& context, const TaskExited& input);
    void on_tick(Context& context);

    std::optional<TimePoint> next_wakeup() const;
    bool running() const { return std::holds_alternative<Running>(phase_); }
    bool dead() const { return std::holds_alternative<Dead>(phase_); }
    bool failed() const { return dead() && state_.failed; }
    bool ended_well() const { return dead() && !state_.failed; }
    /// A start was asked for, whatever came of it.
    bool begun() const { return run_ > 0; }
    /// It has had a process.
    bool ever_ran() const { return state_.started.nanoseconds != 0; }
    /// A process of it may exist.
    bool has_process() const {
        return !dead() && !wants_start() && !std::holds_alternative<Resting>(phase_) &&
               !std::holds_alternative<SettingUp>(phase_);
    }

    const Task& task() const { return task_; }
    Role role() const { return role_of(task_); }
    const TaskState& state() const { return state_; }
    /// What its set-up adds to its environment.
    const std::map<std::string, std::string>& added_env() const { return added_env_; }
    TaskRecord record(TimePoint now, WallTime wall) const;
    void note(TaskEvent event) {
        add_event(state_, std::move(event));
        changed_ = true;
    }
    /// Something that people or the disk should know changed since the last call.
    bool take_changed() { return std::exchange(changed_, false); }
    /// What ends the run once record() is durable, which tells why; each once.
    std::vector<EndRun> take_ends() { return std::exchange(ends_, {}); }

  private:
    struct Waiting {};    ///< to be started as soon as its allocation lets it
    struct SettingUp {};  ///< SetUpTask is out
    struct Wanted {
        TaskEvent why;
        RestartWish wish{};
    };
    struct Signal {
        std::int64_t number = 0;
        std::string reason;
    };
    struct Starting {
        bool stop = false;
        std::optional<Wanted> again;  ///< to be ended for another run once it runs
        std::vector<Signal> signals;  ///< to be sent then
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
    void abort_start(Context& context);
    Duration patience(const Context& context) const;
    void ask_to_end(Context& context);
    void kill_as_failed(Context& context);
    void begin_again(Context& context);
    void die(Context& context, bool failed);
    void ended(Context& context, Ending ending);
    void resume(Context& context, const FoundTask& found);

    AllocId alloc_;
    JobType type_;
    Task task_;
    bool needs_set_up_ = false;
    std::variant<Waiting, SettingUp, Starting, Running, Resting, Delaying, Signalled, Dead> phase_;
    TaskState state_;
    std::uint64_t run_ = 0;
    bool run_ended_ = false;
    bool heard_ = true;  ///< false: which run it is, its supervisor has yet to say
    bool changed_ = true;
    RestartHistory history_;
    RestartWish wish_ = RestartWish::none;
    bool failing_ = false;
    bool was_set_up_ = false;   ///< at some time
    bool set_up_done_ = false;  ///< for the run that is to start
    bool watched_ = false;      ///< a SetUpTask is under way or its templates are watched
    std::map<std::string, std::string> added_env_;
    std::vector<EndRun> ends_;
};

}  // namespace gaggle::allocrunner
