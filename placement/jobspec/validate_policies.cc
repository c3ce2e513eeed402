// Rules for restart, reschedule, update, migrate and disconnect.
#include <algorithm>

#include "placement/jobspec/validate_parts.h"

namespace gaggle {

namespace {

void validate_health(const std::string& health_check, const std::vector<std::string>& names,
                     const std::string& path, Findings& out) {
    out.check(is_one_of(names, health_check), path + ".health_check",
              "unknown health_check \"" + health_check + "\"", did_you_mean(health_check, names));
}

/// Attempts and counts: from 0 to something sane.
void validate_number(std::int64_t number, const char* name, const std::string& path,
                     Findings& out) {
    out.check(number >= 0 && number <= kAmountMax, path + "." + name,
              std::string(name) + " " + std::to_string(number) + " is not within 0 to " +
                  std::to_string(kAmountMax));
}

}  // namespace

void validate_restart(const RestartPolicy& policy, const std::string& path, Findings& out) {
    validate_number(policy.attempts, "attempts", path, out);
    out.check(policy.delay >= 0s, path + ".delay", "delay is negative");
    out.check(policy.interval >= 5s, path + ".interval",
              "interval of `restart` is shorter than 5s");
    out.check(policy.mode == RestartPolicy::Mode::fail || policy.attempts > 0, path,
              "mode \"delay\" with 0 attempts would never restart",
              "give `attempts`, or mode = \"fail\"");
    const bool judged = policy.attempts > 0 && policy.delay > 0s && policy.interval >= 5s;
    out.check(!judged || policy.attempts <= policy.interval / policy.delay, path,
              std::to_string(policy.attempts) + " restarts with a delay of " +
                  for_people(policy.delay) + " do not fit in an interval of " +
                  for_people(policy.interval));
}

void validate_reschedule(const ReschedulePolicy& policy, JobType type, const std::string& path,
                         Findings& out) {
    validate_number(policy.attempts, "attempts", path, out);
    if (!policy.unlimited && policy.attempts == 0) return;
    if (type == JobType::system || type == JobType::sysbatch)
        return out.error(path, std::string(to_string(type)) + " jobs are not rescheduled",
                         "remove `reschedule`");
    out.check(policy.delay >= 5s, path + ".delay", "delay of `reschedule` is shorter than 5s");
    out.check(policy.unlimited || policy.interval > 0s, path + ".interval",
              "a limited number of attempts needs an `interval`");
    out.check(
        policy.function == ReschedulePolicy::Function::constant || policy.delay_max >= policy.delay,
        path + ".max_delay", "max_delay is shorter than delay");
}

void validate_update(const UpdateStrategy& update, const std::string& path, Findings& out) {
    validate_health(update.health_check, {"checks", "task_states", "manual"}, path, out);
    validate_number(update.max_parallel, "max_parallel", path, out);
    validate_number(update.canary, "canary", path, out);
    out.check(!update.auto_promote || update.canary > 0, path,
              "auto_promote needs `canary` above 0");
    out.check(update.stagger >= 0s, path + ".stagger", "stagger is negative");
    out.check(update.min_healthy_time >= 0s, path + ".min_healthy_time",
              "min_healthy_time is negative");
    out.check(update.min_healthy_time < update.healthy_deadline, path + ".healthy_deadline",
              "healthy_deadline is not longer than min_healthy_time");
    out.check(update.progress_deadline >= 0s, path + ".progress_deadline",
              "progress_deadline is negative");
    out.check(update.progress_deadline <= 0s || update.healthy_deadline < update.progress_deadline,
              path + ".progress_deadline", "progress_deadline is not longer than healthy_deadline",
              "0 means that the first unhealthy allocation fails the deployment");
}

void validate_migrate(const MigrateStrategy& migrate, const std::string& path, Findings& out) {
    validate_health(migrate.health_check, {"checks", "task_states"}, path, out);
    validate_number(migrate.max_parallel, "max_parallel", path, out);
    out.check(migrate.min_healthy_time >= 0s, path + ".min_healthy_time",
              "min_healthy_time is negative");
    out.check(migrate.min_healthy_time < migrate.healthy_deadline, path + ".healthy_deadline",
              "healthy_deadline is not longer than min_healthy_time");
}

void validate_disconnect(const DisconnectStrategy& disconnect, const std::string& path,
                         Findings& out) {
    const std::vector<std::string> names{"best_score", "keep_original", "keep_replacement",
                                         "longest_running"};
    out.check(is_one_of(names, disconnect.reconcile), path + ".reconcile",
              "unknown reconcile \"" + disconnect.reconcile + "\"",
              did_you_mean(disconnect.reconcile, names));
    out.check(!disconnect.lost_after || *disconnect.lost_after >= 0s, path + ".lost_after",
              "lost_after is negative");
}

}  // namespace gaggle
