#include "allocrunner/task_life.h"

#include <algorithm>

#include "placement/jobspec/signals.h"

namespace gaggle::allocrunner {

namespace {

constexpr Duration kKillAgainAfter = 10s;  // SIGKILL is repeated to a task that is still there

Duration elapsed(WallTime from, WallTime to) {
    return std::chrono::duration_cast<Duration>(
        std::chrono::nanoseconds(std::max<std::int64_t>(0, to.nanoseconds - from.nanoseconds)));
}

}  // namespace

TaskLife::TaskLife(const Order& order, const Task& task, WallTime wall)
    : alloc_(order.alloc), type_(order.job.type), task_(task) {
    note(event_received(wall));
}

void TaskLife::recover(Context& context, const TaskRecord& record, const FoundTask* found) {
    state_ = record.state;
    run_ = record.run;
    run_ended_ = record.run_ended;
    // The window is kept as wall time, for core time begins anew with each boot. A clock that was
    // set back gives a fresh window at worst.
    const Duration age =
        std::min(elapsed(record.window_start, context.wall), task_.restart.interval);
    history_ = {record.restarts_counted, context.now - age};
    changed_ = true;
    const bool found_newer = found != nullptr && (!found->heard || found->run > run_ ||
                                                  (found->run == run_ && !run_ended_));
    if (found_newer) return resume(context, *found);
    state_.pid = 0;
    if (state_.phase == TaskPhase::dead) {
        phase_ = Dead{};
        return;
    }
    phase_ = Waiting{};
    // A clock that was set meanwhile makes a rest shorter, or as long as the policy allows.
    const Duration rest =
        std::min(elapsed(context.wall, record.rest_until), longest_wait(task_.restart));
    if (run_ended_ && rest > 0s) phase_ = Resting{context.now + rest};
    if (run_ == 0 || run_ended_) return;
    run_ended_ = true;
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
    if (found.exit) return on_exited(context, {alloc_, task_.name, run_, *found.exit});
    if (was_dead)
        phase_ = Signalled{context.now};  // it should not be there: SIGKILL at the next tick
}

void TaskLife::start(Context& context, TaskSpec spec) {
    INVARIANT(wants_start());
    ++run_;
    run_ended_ = false;
    heard_ = true;
    phase_ = Starting{};
    changed_ = true;
    context.out.work.emplace_back(StartTask{alloc_, task_.name, run_, std::move(spec)});
}

void TaskLife::refuse(Context& context, TaskEvent why) {
    INVARIANT(wants_start());
    note(std::move(why));
    note(event_not_restarting(context.wall, "Error was unrecoverable"));
    die(context, true);
}

void TaskLife::stop(Context& context, Duration delay) {
    if (dead() || std::holds_alternative<Delaying>(phase_) ||
        std::holds_alternative<Signalled>(phase_))
        return;
    if (auto* starting = std::get_if<Starting>(&phase_)) {
        starting->stop = true;
        return;
    }
    if (!running()) {
        note(event_killed(context.wall));
        return die(context, false);
    }
    if (delay <= 0s) return signal(context);
    note(event_waiting_for_shutdown_delay(context.wall, delay));
    phase_ = Delaying{context.now + delay};
}

void TaskLife::signal(Context& context) {
    note(event_killing(context.wall, task_.kill_timeout));
    phase_ = Signalled{context.now + task_.kill_timeout};
    // An unknown name was refused before the start; after an upgrade that forgot one, SIGTERM.
    const auto number = signal_number(task_.kill_signal).value_or(*signal_number("SIGTERM"));
    context.out.work.emplace_back(SignalTask{alloc_, task_.name, number});
}

void TaskLife::on_heard(const TaskStarted& input) {
    heard_ = true;
    run_ = input.run;
    state_.pid = input.pid;
    changed_ = true;
}

void TaskLife::on_started(Context& context, const TaskStarted& input) {
    if (!heard_ && has_process()) return on_heard(input);
    const auto* starting = std::get_if<Starting>(&phase_);
    if (starting == nullptr || input.run != run_) return;
    const bool stop = starting->stop;
    state_.phase = TaskPhase::running;
    state_.started = context.wall;
    state_.pid = input.pid;
    note(event_started(context.wall));
    phase_ = Running{};
    if (stop) signal(context);
}

void TaskLife::on_not_started(Context& context, const TaskNotStarted& input) {
    const auto* starting = std::get_if<Starting>(&phase_);
    if (starting == nullptr || input.run != run_) return;
    run_ended_ = true;
    note(event_driver_failure(context.wall, input.error));
    if (starting->stop) return die(context, false);
    ended(context, input.may_pass ? Ending::failure : Ending::unrecoverable);
}

void TaskLife::on_exited(Context& context, const TaskExited& input) {
    if (!has_process() || (heard_ && input.run != run_)) return;
    if (!heard_) run_ = std::max(run_, input.run);
    heard_ = true;
    const auto* starting = std::get_if<Starting>(&phase_);
    const bool stopped = starting != nullptr ? starting->stop : !running();
    run_ended_ = true;
    state_.pid = 0;
    note(event_terminated(input.exit.at, input.exit));
    if (stopped) {
        note(event_killed(context.wall));
        return die(context, false);
    }
    ended(context, input.exit.success() ? Ending::success : Ending::failure);
}

void TaskLife::ended(Context& context, Ending ending) {
    const RestartDecision decision =
        next_restart(task_.restart, type_, ending, context.now, history_, context.rng);
    switch (decision.kind) {
        case RestartDecision::Kind::finished: return die(context, false);
        case RestartDecision::Kind::give_up:
            note(event_not_restarting(context.wall, decision.reason));
            return die(context, true);
        case RestartDecision::Kind::restart: break;
    }
    note(event_restarting(context.wall, decision.reason, decision.wait));
    state_.phase = TaskPhase::pending;
    state_.last_restart = context.wall;
    ++state_.restarts;
    phase_ = Resting{context.now + decision.wait};
}

void TaskLife::die(Context& context, bool failed) {
    phase_ = Dead{};
    state_.phase = TaskPhase::dead;
    state_.failed = failed;
    state_.finished = context.wall;
    changed_ = true;
}

void TaskLife::on_tick(Context& context) {
    if (const auto* resting = std::get_if<Resting>(&phase_);
        resting && context.now >= resting->until)
        phase_ = Waiting{};
    if (const auto* delay = std::get_if<Delaying>(&phase_); delay && context.now >= delay->until)
        signal(context);
    if (auto* killing = std::get_if<Signalled>(&phase_); killing && context.now >= killing->until) {
        killing->until = context.now + kKillAgainAfter;
        context.out.work.emplace_back(KillTask{alloc_, task_.name});
    }
}

std::optional<TimePoint> TaskLife::next_wakeup() const {
    if (const auto* resting = std::get_if<Resting>(&phase_)) return resting->until;
    if (const auto* delaying = std::get_if<Delaying>(&phase_)) return delaying->until;
    if (const auto* ending = std::get_if<Signalled>(&phase_)) return ending->until;
    return std::nullopt;
}

TaskRecord TaskLife::record(TimePoint now, WallTime wall) const {
    const auto wall_of = [&](TimePoint when) {
        const auto ahead = std::chrono::duration_cast<std::chrono::nanoseconds>(when - now);
        return WallTime{wall.nanoseconds + ahead.count()};
    };
    const auto* resting = std::get_if<Resting>(&phase_);
    return {.state = state_,
            .run = run_,
            .run_ended = run_ended_,
            .restarts_counted = history_.counted,
            .window_start = history_.counted == 0 ? WallTime{} : wall_of(history_.window_start),
            .rest_until = resting == nullptr ? WallTime{} : wall_of(resting->until)};
}

}  // namespace gaggle::allocrunner
