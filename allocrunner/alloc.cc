#include "allocrunner/alloc.h"

#include <algorithm>

#include "allocrunner/network_request.h"
#include "base/wire.h"

namespace gaggle::allocrunner {

namespace {

constexpr Duration kSaveAgainAfter = 10s;

void keep_first(std::optional<TimePoint>& first, std::optional<TimePoint> other) {
    if (other && (!first || *other < *first)) first = other;
}

/// What a check said last holds until it says something else. One that fails from the start, for it
/// can never be asked, says why already.
void keep_results(std::vector<CheckHealth>& checks, const std::vector<CheckHealth>& saved,
                  const std::function<bool(const std::string&)>& serves) {
    for (CheckHealth& check : checks) {
        const bool is_broken = check.status == CheckStatus::failure && !check.output.empty();
        if (is_broken || !serves(check.task)) continue;
        for (const CheckHealth& before : saved)
            if (before.service == check.service && before.check == check.check &&
                before.task == check.task)
                check = before;
    }
}

}  // namespace

Alloc::Alloc(Context& context, Order order, std::string kept_out)
    : order_(std::move(order)),
      kept_out_(std::move(kept_out)),
      checks_(context.host, order_, {}),
      services_(context.host, order_, {}),
      healthiness_(order_.group, context.now) {
    for (const Task& task : order_.group.tasks)
        tasks_.emplace(task.name, TaskLife(order_, task, context.wall));
    status_.checks = checks_.initial();
    if (!kept_out_.empty())
        for (auto& [name, life] : tasks_)
            life.keep_out(context, event_kept_out(context.wall, kept_out_));
    if (order_.desired == Desired::stop) stop_by_order(context);
}

Alloc Alloc::recovered(Context& context, Order order, const FoundAlloc& found) {
    Order as_made = std::move(order);
    const Desired desired = std::exchange(as_made.desired, Desired::run);
    Alloc alloc(context, std::move(as_made));
    alloc.confirmed_ = false;
    // A damaged state file costs the history of restarts, never a running task.
    auto record = decode<AllocRecord>(found.state, "state of an allocation");
    bool begun = false, alive = false;
    std::vector<std::string> of_old;  // tasks that nobody has started since that state
    for (auto& [name, life] : alloc.tasks_) {
        TaskRecord saved{.state = life.state()};
        if (record.ok() && record->tasks.count(name) != 0) saved = record->tasks.at(name);
        const auto trace = std::find_if(found.tasks.begin(), found.tasks.end(),
                                        [&](const FoundTask& one) { return one.task == name; });
        life.recover(context, saved, trace == found.tasks.end() ? nullptr : &*trace);
        begun = begun || saved.run > 0 || trace != found.tasks.end();
        if (trace == found.tasks.end() || trace->run <= saved.run) of_old.push_back(name);
        alive = alive || life.has_process();
    }
    // While a restart of all waits for tasks to end, none is started: here it had begun.
    if (record.ok() && record->restarting_all && of_old.size() < alloc.tasks_.size()) {
        record->restarting_all = record->mains_released = record->poststarts_released = false;
        for (const std::string& name : of_old) alloc.tasks_.at(name).revive();
    }
    alloc.recover_record(context, record, found);
    // Without a process its directory is prepared once more: what was to be restored may be missing
    // still, or a boot took mounts and network with it.
    alloc.phase_ = alive ? Phase::live : Phase::waiting;
    alloc.again_ = begun;
    alloc.recover_stages(record);
    alloc.has_dir_ = true;
    alloc.order_.desired = desired;
    if (desired == Desired::stop) alloc.stop_by_order(context);
    return alloc;
}

void Alloc::recover_record(Context& context, const Result<AllocRecord>& record,
                           const FoundAlloc& found) {
    // The first state may not have been saved when its tasks ran already.
    network_ = record.ok() && record->network ? record->network : found.network;
    checks_ = Checks(context.host, order_, network_);
    services_ = Services(context.host, order_, network_);
    status_.checks = checks_.initial();
    if (!record.ok() && !found.state.empty())
        for (auto& [name, life] : tasks_)
            life.note(event_task_setup(context.wall, "History of restarts is lost: " +
                                                         record.error().detail));
    if (!record.ok()) return;
    keep_results(status_.checks, record->status.checks,
                 [&](const std::string& task) { return serves(task); });
    healthiness_.recover(record->status.healthy);
    status_.client = record->status.client;  // what has ended has, until it starts again
    status_.for_good = record->status.for_good;
    stopping_ = record->status.for_good;
    restarting_all_ = record->restarting_all;
    WallTime last;
    for (const auto& [name, life] : tasks_) {
        if (!life.dead()) return;
        last = std::max(last, life.state().finished);
    }
    ended_before_ = context.now - elapsed(last, context.wall);
}

/// A stage whose tasks run was released, whatever was saved of it.
void Alloc::recover_stages(const Result<AllocRecord>& record) {
    mains_released_ = record.ok() && record->mains_released;
    poststarts_released_ = record.ok() && record->poststarts_released;
    for (const auto& [name, life] : tasks_) {
        const bool released = record.ok() ? life.has_process() : life.begun();
        mains_released_ |= life.role() == Role::main && released;
        poststarts_released_ |= is_poststart(life.role()) && released;
    }
}

void Alloc::prepare(Context& context) {
    INVARIANT(wants_prepare());
    for (const Task& task : order_.group.tasks) {
        const auto wrong = objection(task);
        if (wrong) return refuse_all(context, event_failed_validation(context.wall, *wrong));
    }
    if (!again_)
        for (auto& [name, life] : tasks_)
            life.note(event_task_setup(context.wall, "Building Task Directory"));
    phase_ = Phase::preparing;
    has_dir_ = true;
    context.out.work.emplace_back(
        PrepareDir{order_, again_, network_request(context.host, order_)});
}

bool Alloc::wants_prepare() const {
    return phase_ == Phase::waiting && (!stopping_ || owes_poststop());
}

void Alloc::on_dir_ready(Context& context, const DirReady& input) {
    if (phase_ != Phase::preparing) return;
    phase_ = Phase::live;
    if (network_ != input.network) {
        network_ = input.network;
        checks_ = Checks(context.host, order_, network_);
        services_ = Services(context.host, order_, network_);
        status_.checks = checks_.initial();
    }
    if (input.error) return refuse_all(context, event_setup_failure(context.wall, *input.error));
    if (input.note.empty()) return;
    for (auto& [name, life] : tasks_) life.note(event_task_setup(context.wall, input.note));
}

void Alloc::on_order(Context& context, const Order& order) {
    forgotten_ = false;
    Order newer = order;
    // A stop is for good, and where state came from is settled once.
    if (order_.desired == Desired::stop) newer.desired = Desired::stop;
    newer.restore = order_.restore;
    if (newer == order_) return;
    order_ = std::move(newer);
    for (const Task& task : order_.group.tasks)
        if (TaskLife* life = find(task.name)) life->update(task);
    const Checks before = std::exchange(checks_, Checks(context.host, order_, network_));
    status_.checks = checks_.succeed(before, status_.checks);
    services_ = Services(context.host, order_, network_);
    changed_ = true;
    if (has_dir_) context.out.work.emplace_back(SaveOrder{order_});
    if (order_.desired == Desired::stop) stop_by_order(context);
}

void Alloc::forget(Context& context) {
    if (forgotten_) return;
    forgotten_ = true;
    if (order_.desired == Desired::stop) return;
    order_.desired = Desired::stop;
    if (has_dir_) context.out.work.emplace_back(SaveOrder{order_});
    stop_by_order(context);
}

TaskLife* Alloc::find(const std::string& task) {
    const auto found = tasks_.find(task);
    return found == tasks_.end() ? nullptr : &found->second;
}

void Alloc::on_check(Context& context, const CheckDone& input) {
    const CheckOutcome outcome = checks_.on_done(context, input, status_.checks);
    changed_ |= outcome.changed;
    if (outcome.restart && !stopping_) restart_for_check(context, *outcome.restart);
}

void Alloc::restart_for_check(Context& context, const CheckRestartWanted& wanted) {
    const std::string why = "healthcheck: check \"" + wanted.check + "\" unhealthy";
    for (auto& [name, life] : tasks_)
        if (wanted.task.empty() || wanted.task == name)
            life.restart(context, event_restart_signaled(context.wall, why), RestartWish::failure);
}

void Alloc::on_save_failed(Context& context, const SaveFailed& input) {
    save_error_ = input.error;
    save_again_ = context.now + kSaveAgainAfter;
    changed_ = true;
}

/// Hooks that are to end count once they have; poststop tasks never, for they wait for the end.
bool Alloc::all_well() const {
    return std::all_of(tasks_.begin(), tasks_.end(), [](const auto& task) {
        const TaskLife& life = task.second;
        switch (life.role()) {
            case Role::poststop: return true;
            case Role::prestart: return life.ended_well();
            case Role::poststart: return life.ended_well() || life.running();
            default: return life.running();
        }
    });
}

/// Whether what a service is about runs: its task, or, of a group's service, all of them.
bool Alloc::serves(const std::string& task) const {
    if (task.empty()) return all_well();
    const auto found = tasks_.find(task);
    return found != tasks_.end() && found->second.running();
}

void Alloc::look_after_health(Context& context) {
    changed_ |= checks_.advance(
        context, [&](const std::string& task) { return serves(task); }, status_.checks);
    if (order_.job.type != JobType::service && order_.job.type != JobType::system) return;
    const bool failed = std::any_of(tasks_.begin(), tasks_.end(),
                                    [](const auto& task) { return task.second.failed(); });
    if (stopping_ && !failed) return;  // what is stopped by order says nothing about its version
    const bool was_open = !healthiness_.verdict();
    const auto verdict = healthiness_.judge(context.now, all_well(), status_.checks, failed);
    changed_ |= verdict != status_.healthy;
    status_.healthy = verdict;
    if (!was_open || verdict != false || failed) return;  // a failure has said so itself
    for (auto& [name, life] : tasks_)
        if (const auto why = healthiness_.reason(name, life.role(), life.state(), status_.checks))
            life.note(event_unhealthy(context.wall, *why));
}

/// From the word to stop on, nobody is sent here any more.
void Alloc::offer_services() {
    auto offered = services_.offered(
        [&](const std::string& task) { return !stopping_ && serves(task); }, status_.checks);
    if (offered == offered_) return;
    offered_ = std::move(offered);
    changed_ = true;
}

void Alloc::settle(Context& context) {
    if (over()) return;
    if (phase_ == Phase::tearing) return tear_down_again(context);
    for (auto& [name, life] : tasks_) life.on_tick(context);
    stop_in_order(context);
    begin_again_together();
    release_stages();
    start_tasks(context);  // may refuse one, and then the others fall too
    fall_together(context);
    skip_poststop(context);
    if (stopping_) start_tasks(context);  // poststop tasks, when the last has just fallen
    look_after_health(context);
    end_when_all_dead(context);
}

void Alloc::report(Context& context) {
    const bool retry = save_again_ && context.now >= *save_again_;
    if (retry) {
        save_again_.reset();
        save_error_.reset();
        changed_ = true;
        context.out.work.emplace_back(SaveOrder{order_});
    }
    for (auto& [name, life] : tasks_) changed_ |= life.take_changed();
    offer_services();
    if (!changed_) return;
    changed_ = false;
    const ClientStatus before = status_.client;
    status_.tasks.clear();
    for (const auto& [name, life] : tasks_) status_.tasks.emplace(name, life.state());
    std::tie(status_.client, status_.description) = client_status(status_.tasks);
    // Terminal means that nothing is left here, also no directory or network.
    if (is_terminal(status_.client) && !over() && !is_terminal(before)) {
        status_.client = before;
        status_.description =
            before == ClientStatus::running ? "Tasks are ending" : "No tasks have started";
    }
    if (!confirmed_ && status_.client == ClientStatus::pending)
        status_.description = "Waits for the commit group to confirm it after a start of the agent";
    if (!kept_out_.empty()) status_.description = kept_out_ + "; no task was started";
    if (save_error_) status_.description += "; its state is not saved: " + *save_error_;
    if (tear_error_) status_.description += "; it still has its ports, for tearing it down failed "
                                            "and is tried again: " + *tear_error_;
    if (network_) status_.network = network_->status;
    status_.modified = context.wall;
    context.out.changed.push_back({id(), status_, offered_});
    save(context);
}

void Alloc::save(Context& context) {
    bool worth_it = network_.has_value();
    std::map<std::string, TaskRecord> tasks;
    for (const auto& [name, life] : tasks_) {
        const TaskRecord& task =
            tasks.emplace(name, life.record(context.now, context.wall)).first->second;
        worth_it = worth_it || task.state.phase != TaskPhase::pending || task.state.restarts > 0 ||
                   task.wish != RestartWish::none;
    }
    std::vector<EndRun> ends;
    for (auto& [name, life] : tasks_)
        for (EndRun& end : life.take_ends()) ends.push_back(std::move(end));
    if (!has_dir_ || !worth_it || save_error_) {
        for (EndRun& end : ends)
            std::visit([&](auto& what) { context.out.work.emplace_back(std::move(what)); }, end);
        return;
    }
    AllocRecord record{.status = status_,
                       .tasks = std::move(tasks),
                       .network = network_,
                       .restarting_all = restarting_all_,
                       .mains_released = mains_released_,
                       .poststarts_released = poststarts_released_};
    record.status.tasks.clear();
    context.out.work.emplace_back(SaveState{id(), encode(record), std::move(ends)});
}

std::optional<TimePoint> Alloc::next_wakeup() const {
    std::optional<TimePoint> first = save_again_;
    if (phase_ == Phase::tearing) keep_first(first, tear_again_.due);
    if (over() || phase_ == Phase::tearing) return first;
    for (const auto& [name, life] : tasks_) keep_first(first, life.next_wakeup());
    keep_first(first, checks_.next_wakeup());
    if (!stopping_ && order_.job.type != JobType::batch && order_.job.type != JobType::sysbatch)
        keep_first(first, healthiness_.next_wakeup());
    return first;
}

}  // namespace gaggle::allocrunner
