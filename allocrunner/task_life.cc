#include "allocrunner/task_life.h"

#include <algorithm>

#include "placement/jobspec/signals.h"

namespace gaggle::allocrunner {

namespace {

std::string name_of_signal(std::int64_t number) {
    for (const std::string& name : signal_names())
        if (signal_number(name) == number) return name;
    return std::to_string(number);
}

bool needs_set_up(const Task& task, const JobHeader& job) {
    return !task.artifacts.empty() || !task.templates.empty() ||
           (task.dispatch_payload && !job.payload.empty());
}

}  // namespace

TaskLife::TaskLife(const Order& order, const Task& task, WallTime wall)
    : alloc_(order.alloc),
      type_(order.job.type),
      task_(task),
      needs_set_up_(needs_set_up(task, order.job)) {
    note(event_received(wall));
}

void TaskLife::set_up(Context& context, TaskSetUp what) {
    INVARIANT(wants_start());
    phase_ = SettingUp{};
    watched_ = true;
    const SetUpKind kind = was_set_up_ ? SetUpKind::again : SetUpKind::first;
    context.out.work.emplace_back(SetUpTask{alloc_, task_.name, run_ + 1, kind, std::move(what)});
}

void TaskLife::watch(Context& context, TaskSetUp what) {
    INVARIANT(wants_watch());
    watched_ = true;
    context.out.work.emplace_back(
        SetUpTask{alloc_, task_.name, run_, SetUpKind::adopted, std::move(what)});
}

void TaskLife::on_set_up(Context& context, const TaskSetUpDone& input) {
    const bool waited = std::holds_alternative<SettingUp>(phase_) && input.run == run_ + 1;
    const bool adopted = running() && input.run == run_;
    if (!waited && !adopted) return;
    if (input.failure) {
        note(event_set_up(context.wall, input.failure->why));
        if (adopted) return;  // it runs with what it was started with
        return ended(context, input.failure->may_pass ? Ending::failure : Ending::unrecoverable);
    }
    added_env_ = input.env;
    if (adopted) return;
    was_set_up_ = true;
    set_up_done_ = true;
    changed_ = true;
    phase_ = Waiting{};
}

void TaskLife::start(Context& context, TaskSpec spec) {
    INVARIANT(wants_start() && is_set_up());
    ++run_;
    run_ended_ = false;
    heard_ = true;
    set_up_done_ = false;
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

void TaskLife::keep_out(Context& context, TaskEvent why) {
    INVARIANT(wants_start());
    note(std::move(why));
    die(context, false);
}

void TaskLife::stop(Context& context, Duration delay) {
    if (dead() || std::holds_alternative<Delaying>(phase_)) return;
    if (std::holds_alternative<Signalled>(phase_)) {
        // It was asked to end for a restart; now it is for good.
        if (std::exchange(wish_, RestartWish::none) != RestartWish::none)
            note(event_killing(context.wall, patience(context)));
        return;
    }
    if (std::holds_alternative<Starting>(phase_)) return abort_start(context);
    if (!running()) {
        note(event_killed(context.wall));
        return die(context, false);
    }
    if (delay > 0s) {
        note(event_waiting_for_shutdown_delay(context.wall, delay));
        phase_ = Delaying{context.now + delay};
        return;
    }
    note(event_killing(context.wall, patience(context)));
    ask_to_end(context);
}

void TaskLife::wait_no_longer_than(const Context& context, Duration delay) {
    if (auto* delaying = std::get_if<Delaying>(&phase_))
        delaying->until = std::min(delaying->until, context.now + delay);
}

void TaskLife::fail(Context& context, const TaskEvent& why) {
    if (dead() || failing_) return;
    note(why);
    if (!has_process()) return die(context, true);
    failing_ = true;
    wish_ = RestartWish::none;
    // One that is only just being started is killed once it has a process.
    if (std::holds_alternative<Starting>(phase_)) return abort_start(context);
    kill_as_failed(context);
}

void TaskLife::kill_as_failed(Context& context) {
    phase_ = Signalled{context.now + kKillAgainAfter};
    ends_.emplace_back(KillTask{alloc_, task_.name});
    changed_ = true;
}

void TaskLife::abort_start(Context& context) {
    auto& starting = std::get<Starting>(phase_);
    if (std::exchange(starting.stop, true)) return;
    context.out.work.emplace_back(AbortStart{alloc_, task_.name, run_});
}

void TaskLife::restart(Context& context, TaskEvent why, RestartWish wish) {
    if (auto* starting = std::get_if<Starting>(&phase_)) {
        if (starting->stop || starting->again) return;
        starting->again = Wanted{std::move(why), wish};
        changed_ = true;
        return;
    }
    if (!running()) return;
    note(std::move(why));
    wish_ = wish;
    ask_to_end(context);
}

void TaskLife::revive() {
    if (!dead()) return;
    phase_ = Waiting{};
    state_.phase = TaskPhase::pending;
    state_.failed = false;
    state_.finished = {};
    history_ = {};
    changed_ = true;
}

void TaskLife::signal(Context& context, std::int64_t number, const std::string& reason) {
    if (auto* starting = std::get_if<Starting>(&phase_)) {
        starting->signals.push_back({number, reason});
        return;
    }
    if (!running()) return;
    note(event_signaling(context.wall, name_of_signal(number), reason));
    context.out.work.emplace_back(SignalTask{alloc_, task_.name, number});
}

/// Between the signal and SIGKILL: what the task asks for, as far as this peer lets it.
Duration TaskLife::patience(const Context& context) const {
    return std::min(task_.kill_timeout, context.host.max_kill_timeout);
}

void TaskLife::ask_to_end(Context& context) {
    phase_ = Signalled{context.now + patience(context)};
    // An unknown name was refused before the start; after an upgrade that forgot one, SIGTERM.
    std::string name = task_.kill_signal;
    if (name.empty() && task_.driver != "docker") name = "SIGINT";
    const std::int64_t number =
        name.empty() ? 0 : signal_number(name).value_or(*signal_number("SIGTERM"));
    SignalTask signal{alloc_, task_.name, number};
    if (wish_ == RestartWish::none) return context.out.work.push_back(std::move(signal));
    ends_.emplace_back(std::move(signal));
    changed_ = true;
}

void TaskLife::on_heard(const TaskStarted& input) {
    heard_ = true;
    run_ = input.run;
    state_.pid = input.pid;
    state_.cores = input.cores;
    changed_ = true;
}

void TaskLife::on_started(Context& context, const TaskStarted& input) {
    if (!heard_ && has_process()) return on_heard(input);
    auto* waits = std::get_if<Starting>(&phase_);
    if (waits == nullptr || input.run != run_) return;
    const Starting starting = std::move(*waits);
    state_.phase = TaskPhase::running;
    state_.started = context.wall;
    state_.pid = input.pid;
    state_.cores = input.cores;
    note(event_started(context.wall));
    phase_ = Running{};
    if (failing_) return kill_as_failed(context);
    if (starting.stop) return stop(context, 0s);
    if (starting.again) return restart(context, starting.again->why, starting.again->wish);
    for (const Signal& one : starting.signals) signal(context, one.number, one.reason);
}

void TaskLife::on_not_started(Context& context, const TaskNotStarted& input) {
    const auto* starting = std::get_if<Starting>(&phase_);
    if (starting == nullptr || input.run != run_) return;
    run_ended_ = true;
    note(input.aborted ? event_killed(context.wall)
                       : event_driver_failure(context.wall, input.error));
    if (starting->stop) return die(context, failing_);
    ended(context, input.may_pass ? Ending::failure : Ending::unrecoverable);
}

void TaskLife::on_exited(Context& context, const TaskExited& input) {
    if (!has_process() || (heard_ && input.run != run_)) return;
    if (!heard_) run_ = std::max(run_, input.run);
    heard_ = true;
    const auto* starting = std::get_if<Starting>(&phase_);
    const bool stopped = starting != nullptr ? starting->stop : !running();
    const RestartWish wish = std::exchange(wish_, RestartWish::none);
    run_ended_ = true;
    state_.pid = 0;
    state_.cores.clear();
    note(event_terminated(context.wall, input.exit));
    if (wish == RestartWish::asked) return begin_again(context);
    if (wish == RestartWish::failure) return ended(context, Ending::failure);
    if (stopped) {
        note(event_killed(context.wall));
        return die(context, failing_);
    }
    ended(context, input.exit.success() ? Ending::success : Ending::failure);
}

void TaskLife::ended(Context& context, Ending ending) {
    const RestartDecision decision = next_restart(task_.restart, aim_of(type_, role()), ending,
                                                  context.now, history_, context.rng);
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

/// A restart that was asked for does not count against the policy.
void TaskLife::begin_again(Context& context) {
    note(event_restarting(context.wall, "", 0s));
    state_.phase = TaskPhase::pending;
    state_.last_restart = context.wall;
    ++state_.restarts;
    phase_ = Waiting{};
}

void TaskLife::die(Context& context, bool failed) {
    phase_ = Dead{};
    state_.phase = TaskPhase::dead;
    state_.failed = failed;
    state_.finished = context.wall;
    changed_ = true;
    set_up_done_ = false;
    if (std::exchange(watched_, false)) context.out.work.emplace_back(EndSetUp{alloc_, task_.name});
}

void TaskLife::on_tick(Context& context) {
    if (const auto* resting = std::get_if<Resting>(&phase_);
        resting && context.now >= resting->until)
        phase_ = Waiting{};
    if (const auto* delay = std::get_if<Delaying>(&phase_); delay && context.now >= delay->until) {
        note(event_killing(context.wall, patience(context)));
        ask_to_end(context);
    }
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

}  // namespace gaggle::allocrunner
