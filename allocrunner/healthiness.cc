#include "allocrunner/healthiness.h"

#include <algorithm>

namespace gaggle::allocrunner {

using namespace std::string_literals;

Healthiness::Healthiness(const TaskGroup& group, TimePoint made) {
    const UpdateStrategy update = group.update.value_or(UpdateStrategy{});
    manual_ = update.health_check == "manual";
    with_checks_ = update.health_check == "checks";
    min_healthy_time_ = update.min_healthy_time;
    healthy_deadline_ = update.healthy_deadline;
    deadline_ = made + update.healthy_deadline;
}

std::optional<bool> Healthiness::judge(TimePoint now, bool tasks_well,
                                       const std::vector<CheckHealth>& checks, bool failed) {
    const bool checks_pass =
        !with_checks_ || std::all_of(checks.begin(), checks.end(), [](const CheckHealth& check) {
            return check.status == CheckStatus::success;
        });
    const bool well = tasks_well && checks_pass;
    if (!well) {
        well_since_.reset();
    } else if (!well_since_) {
        well_since_ = now;
    }
    if (verdict_ || manual_) return verdict_;
    if (failed || (!well && now >= deadline_)) verdict_ = false;
    if (well_since_ && now >= *well_since_ + min_healthy_time_) verdict_ = true;
    return verdict_;
}

std::optional<TimePoint> Healthiness::next_wakeup() const {
    if (verdict_ || manual_) return std::nullopt;
    return well_since_ ? *well_since_ + min_healthy_time_ : deadline_;
}

std::optional<std::string> Healthiness::reason(const std::string& task, Role role,
                                               const TaskState& state,
                                               const std::vector<CheckHealth>& checks) const {
    if (role == Role::poststop) return std::nullopt;
    if (state.phase == TaskPhase::dead && state.failed) return "Unhealthy because of failed task";
    const bool may_end = role == Role::prestart || role == Role::poststart;
    if (state.phase == TaskPhase::dead)
        return may_end ? std::nullopt : std::optional("Unhealthy because of dead task"s);
    if (state.phase == TaskPhase::pending)
        return "Task not running by healthy_deadline of " + for_people(healthy_deadline_);
    std::string failing;
    for (const CheckHealth& check : checks) {
        const bool counts = with_checks_ && (check.task.empty() || check.task == task);
        if (!counts || check.status == CheckStatus::success) continue;
        failing += (failing.empty() ? "" : ", ") + check.check;
        if (!check.output.empty()) failing += " (" + check.output + ")";
    }
    if (!failing.empty()) return "Services not healthy by deadline: " + failing;
    return "Task not running for min_healthy_time of " + for_people(min_healthy_time_) +
           " by healthy_deadline of " + for_people(healthy_deadline_);
}

}  // namespace gaggle::allocrunner
