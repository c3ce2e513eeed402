// A task's life over a start of the agent: what is kept of it, and how it goes on.
#include <algorithm>

#include "allocrunner/task_life.h"

namespace gaggle::allocrunner {

Duration elapsed(WallTime from, WallTime to) {
    return std::chrono::duration_cast<Duration>(
        std::chrono::nanoseconds(std::max<std::int64_t>(0, to.nanoseconds - from.nanoseconds)));
}

void TaskLife::recover(Context& context, const TaskRecord& record, const FoundTask* found) {
    state_ = record.state;
    run_ = record.run;
    run_ended_ = record.run_ended;
    was_set_up_ = record.was_set_up;
    wish_ = record.wish;
    failing_ = record.failing;
    // The window is kept as wall time, for core time begins anew with each boot. A clock that was
    // set back gives a fresh window at worst.
    const Duration age =
        std::min(elapsed(record.window_start, context.wall), task_.restart.interval);
    history_ = {record.restarts_counted, context.now - age};
    changed_ = true;
    const bool found_newer = found != nullptr && (!found->heard || found->run > run_ ||
                                                  (found->run == run_ && !run_ended_));
    // The run that was to be ended has ended, for another one followed it.
    if (found != nullptr && found->run > run_) wish_ = RestartWish::none;
    if (found_newer) return resume(context, *found);
    state_.pid = 0;
    if (state_.phase == TaskPhase::dead) {
        phase_ = Dead{};
        return;
    }
    phase_ = Waiting{};
    if (failing_) return die(context, true);
    // A clock that was set meanwhile makes a rest shorter, or as long as the policy allows.
    const Duration rest =
        std::min(elapsed(context.wall, record.rest_until), longest_wait(task_.restart));
    if (run_ended_ && rest > 0s) phase_ = Resting{context.now + rest};
    if (run_ == 0 || run_ended_) return;
    run_ended_ = true;
    wish_ = RestartWish::none;
    state_.phase = TaskPhase::pending;
    state_.last_restart = context.wall;
    ++state_.restarts;
    note(event_restarting(context.wall, "The machine or the task's supervisor was restarted", 0s));
}

void TaskLife::resume(Context& context, const FoundTask& found) {
    run_ = found.heard ? found.run : std::max(found.run, run_);
    run_ended_ = false;
    heard_ = found.heard;
    const bool was_dead = state_.phase == TaskPhase::dead;
    if (state_.phase != TaskPhase::running) {
        state_.phase = TaskPhase::running;
        state_.started = found.started;
        note(event_started(found.started));
    }
    state_.pid = found.pid;
    phase_ = Running{};
    // The signal of a restart or a kill may not have gone out: it is repeated.
    if (wish_ != RestartWish::none || failing_) phase_ = Signalled{context.now};
    if (found.exit) return on_exited(context, {alloc_, task_.name, run_, *found.exit});
    if (wish_ != RestartWish::none) return ask_to_end(context);
    if (was_dead)
        phase_ = Signalled{context.now};  // it should not be there: SIGKILL at the next tick
}

TaskRecord TaskLife::record(TimePoint now, WallTime wall) const {
    const auto wall_of = [&](TimePoint when) {
        const auto ahead = std::chrono::duration_cast<std::chrono::nanoseconds>(when - now);
        return WallTime{wall.nanoseconds + ahead.count()};
    };
    const auto* resting = std::get_if<Resting>(&phase_);
    const auto* starting = std::get_if<Starting>(&phase_);
    const bool again = starting != nullptr && starting->again;
    return {.state = state_,
            .run = run_,
            .run_ended = run_ended_,
            .restarts_counted = history_.counted,
            .window_start = history_.counted == 0 ? WallTime{} : wall_of(history_.window_start),
            .rest_until = resting == nullptr ? WallTime{} : wall_of(resting->until),
            .was_set_up = was_set_up_,
            .wish = again ? starting->again->wish : wish_,
            .failing = failing_};
}

}  // namespace gaggle::allocrunner
