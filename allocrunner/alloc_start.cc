// What of an allocation may start, and when: hooks, set-up, restarts that somebody asks for,
// templates that changed.
#include <algorithm>

#include "allocrunner/alloc.h"

namespace gaggle::allocrunner {

namespace {

constexpr const char* kTaskAsked = "User requested task to restart";
constexpr const char* kRunningAsked = "User requested running tasks to restart";
constexpr const char* kAllAsked = "User requested all tasks to restart";

}  // namespace

/// A stage that was released stays so: a sidecar that crashes later stops nobody from restarting.
void Alloc::release_stages() {
    const auto all = [&](auto&& fits) { return std::all_of(tasks_.begin(), tasks_.end(), fits); };
    if (!mains_released_)
        mains_released_ = all([](const auto& task) {
            const TaskLife& life = task.second;
            if (life.role() == Role::prestart) return life.ended_well();
            return life.role() != Role::prestart_sidecar || life.running();
        });
    if (mains_released_ && !poststarts_released_)
        poststarts_released_ = all([](const auto& task) {
            const TaskLife& life = task.second;
            return life.role() != Role::main || life.state().phase != TaskPhase::pending;
        });
}

/// After a restart of all was asked for: once nothing runs, everything is as before its first run.
void Alloc::begin_again_together() {
    if (!restarting_all_ || stopping_) return;
    for (const auto& [name, life] : tasks_)
        if (life.role() != Role::poststop && life.has_process()) return;
    restarting_all_ = false;
    mains_released_ = false;
    poststarts_released_ = false;
    for (auto& [name, life] : tasks_) life.revive();
    changed_ = true;
}

bool Alloc::may_start(const TaskLife& life) const {
    if (phase_ != Phase::live) return false;
    if (life.role() == Role::poststop)
        return others_dead() && owes_poststop() && (confirmed_ || stopping_);
    if (!confirmed_ || stopping_ || restarting_all_) return false;
    if (life.role() == Role::main) return mains_released_;
    return is_prestart(life.role()) || poststarts_released_;
}

TaskPlan Alloc::plan_of(Context& context, const TaskLife& life) const {
    return {context.host, order_, life.task(), network_, life.added_env()};
}

void Alloc::start_tasks(Context& context) {
    for (auto& [name, life] : tasks_) {
        if (life.wants_start() && may_start(life)) start(context, life);
        if (phase_ == Phase::live && life.wants_watch())
            life.watch(context, set_up_of(plan_of(context, life)));
    }
}

void Alloc::start(Context& context, TaskLife& life) {
    if (!life.is_set_up()) return life.set_up(context, set_up_of(plan_of(context, life)));
    Result<TaskSpec> spec = spec_of(plan_of(context, life));
    if (spec.ok())
        life.start(context, std::move(*spec));
    else
        life.refuse(context, event_failed_validation(context.wall, spec.error().detail));
}

std::optional<std::string> Alloc::objection_to(const TaskCommand& input) const {
    if (over() || phase_ == Phase::tearing) return "the allocation has ended";
    if (stopping_) return "the allocation is being stopped";
    if (input.task.empty()) {
        const bool any = std::any_of(tasks_.begin(), tasks_.end(),
                                     [](const auto& task) { return task.second.running(); });
        if (any || input.kind == TaskCommand::Kind::restart_all) return std::nullopt;
        return "none of its tasks is running";
    }
    const auto found = tasks_.find(input.task);
    if (found == tasks_.end()) return "it has no task \"" + input.task + "\"";
    if (!found->second.running()) return "task \"" + input.task + "\" is not running";
    return std::nullopt;
}

void Alloc::on_command(Context& context, const TaskCommand& input) {
    if (objection_to(input)) return;
    const bool all = input.kind == TaskCommand::Kind::restart_all;
    const char* why = all                  ? kAllAsked
                      : input.task.empty() ? kRunningAsked
                                           : kTaskAsked;
    for (auto& [name, life] : tasks_) {
        if (!all && ((!input.task.empty() && name != input.task) || !life.running())) continue;
        if (input.kind == TaskCommand::Kind::signal)
            life.signal(context, input.signal, "");
        else
            life.restart(context, event_restart_signaled(context.wall, why), RestartWish::asked);
    }
    restarting_all_ = restarting_all_ || all;
    changed_ = true;
}

void Alloc::on_templates(Context& context, const TemplatesChanged& input) {
    TaskLife* life = find(input.task);
    if (life == nullptr || stopping_) return;
    if (input.fatal) return life->fail(context, event_setup_failure(context.wall, *input.fatal));
    if (input.restart)
        return life->restart(context,
                             event_restart_signaled(
                                 context.wall, "Template with change_mode restart re-rendered"),
                             RestartWish::asked);
    for (const std::int64_t number : input.signals)
        life->signal(context, number, "Template re-rendered");
}

}  // namespace gaggle::allocrunner
