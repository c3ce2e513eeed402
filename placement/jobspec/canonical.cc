#include "placement/jobspec/canonical.h"

#include <algorithm>
#include <charconv>
#include <utility>

#include "placement/jobspec/canonical_parts.h"

namespace gaggle {

namespace {

bool runs_to_completion(JobType type) {
    return type == JobType::batch || type == JobType::sysbatch;
}

RestartPolicy default_restart(JobType type) {
    if (runs_to_completion(type)) return {.attempts = 3, .interval = 24h};
    return {};
}

ReschedulePolicy default_reschedule(JobType type) {
    using Function = ReschedulePolicy::Function;
    if (type == JobType::service) return {};
    if (type == JobType::batch)
        return {.attempts = 1,
                .interval = 24h,
                .delay = 5s,
                .function = Function::constant,
                .delay_max = 0s,
                .unlimited = false};
    return {.attempts = 0,
            .interval = 0s,
            .delay = 0s,
            .function = Function::constant,
            .delay_max = 0s,
            .unlimited = false};
}

template <class T>
void lay(const std::optional<T>& patch, T& over) {
    if (patch) over = *patch;
}

void lay(const RestartPatch& patch, RestartPolicy& over) {
    lay(patch.attempts, over.attempts);
    lay(patch.interval, over.interval);
    lay(patch.delay, over.delay);
    lay(patch.mode, over.mode);
}

void lay(const ReschedulePatch& patch, ReschedulePolicy& over) {
    lay(patch.attempts, over.attempts);
    lay(patch.interval, over.interval);
    lay(patch.delay, over.delay);
    lay(patch.function, over.function);
    lay(patch.delay_max, over.delay_max);
    lay(patch.unlimited, over.unlimited);
}

void lay(const UpdatePatch& patch, UpdateStrategy& over) {
    lay(patch.stagger, over.stagger);
    lay(patch.max_parallel, over.max_parallel);
    lay(patch.health_check, over.health_check);
    lay(patch.min_healthy_time, over.min_healthy_time);
    lay(patch.healthy_deadline, over.healthy_deadline);
    lay(patch.progress_deadline, over.progress_deadline);
    lay(patch.canary, over.canary);
    lay(patch.auto_revert, over.auto_revert);
    lay(patch.auto_promote, over.auto_promote);
}

void lay(const MigratePatch& patch, MigrateStrategy& over) {
    lay(patch.max_parallel, over.max_parallel);
    lay(patch.health_check, over.health_check);
    lay(patch.min_healthy_time, over.min_healthy_time);
    lay(patch.healthy_deadline, over.healthy_deadline);
}

/// The job's strategy with the group's over it. Service jobs always have one, others when it is
/// written.
template <class Strategy, class Patch>
std::optional<Strategy> merged(JobType type, const std::optional<Patch>& job,
                               const std::optional<Patch>& group) {
    if (type != JobType::service && !job && !group) return std::nullopt;
    Strategy strategy;
    if (job) lay(*job, strategy);
    if (group) lay(*group, strategy);
    return strategy;
}

void fill(std::vector<Constraint>& constraints) {
    for (Constraint& constraint : constraints) {
        default_to(constraint.operand, "=");
        if (constraint.operand == "distinct_hosts") default_to(constraint.right, "true");
    }
}

void fill(std::vector<Affinity>& affinities) {
    for (Affinity& affinity : affinities) default_to(affinity.operand, "=");
}

/// Nomad's own tools know no `replicas`, so the group's meta may say it.
void fill_replicas(EphemeralDisk& disk, const Meta& meta) {
    const auto found = meta.find("gaggle.replicas");
    if (disk.replicas != 0 || found == meta.end()) return;
    const std::string& text = found->second;
    std::int64_t replicas = 0;
    const auto read = std::from_chars(text.data(), text.data() + text.size(), replicas);
    // -1 is never valid, so that validate() refuses what is no number.
    const bool whole = read.ec == std::errc{} && read.ptr == text.data() + text.size();
    disk.replicas = whole ? replicas : -1;
}

Task canonical_task(TaskDraft draft, const Job& job, const TaskGroup& group) {
    Task task = std::move(draft.task);
    task.restart = group.restart;
    lay(draft.restart, task.restart);
    if (task.driver != "docker") default_to(task.kill_signal, "SIGINT");  // an image has its own
    fill(task.constraints);
    fill(task.affinities);
    fill_services(task.services, {job, group.name, task.name});
    fill_setup(task);
    return task;
}

TaskGroup canonical_group(GroupDraft draft, const Job& job, const JobDraft& whole) {
    TaskGroup group = std::move(draft.group);
    static const std::string kNoTask;
    group.restart = default_restart(job.type);
    lay(draft.restart, group.restart);
    group.reschedule = default_reschedule(job.type);
    lay(whole.reschedule, group.reschedule);
    lay(draft.reschedule, group.reschedule);
    group.update = merged<UpdateStrategy>(job.type, whole.update, draft.update);
    group.migrate = merged<MigrateStrategy>(job.type, whole.migrate, draft.migrate);
    if (group.disk.migrate) group.disk.sticky = true;  // since Nomad 1.5.4
    fill_replicas(group.disk, group.meta);
    for (Network& network : group.networks) {
        default_to(network.mode, "host");
        for (Port& port : network.ports) default_to(port.host_network, "default");
        // The API has two lists, so this is the only order that survives it.
        std::stable_partition(network.ports.begin(), network.ports.end(),
                              [](const Port& port) { return port.fixed != 0; });
    }
    if (group.disconnect) default_to(group.disconnect->reconcile, "best_score");
    fill(group.constraints);
    fill(group.affinities);
    fill_services(group.services, {job, group.name, kNoTask});
    for (TaskDraft& task : draft.tasks)
        group.tasks.push_back(canonical_task(std::move(task), job, group));
    return group;
}

/// Tasks written directly in the job come first, each in a group of its own name.
std::vector<GroupDraft> all_groups(JobDraft& draft) {
    std::vector<GroupDraft> groups;
    for (TaskDraft& task : draft.tasks) {
        GroupDraft& group = groups.emplace_back();
        group.group.name = task.task.name;
        group.tasks.push_back(std::move(task));
    }
    for (GroupDraft& group : draft.groups) groups.push_back(std::move(group));
    return groups;
}

}  // namespace

Job canonical(JobDraft draft) {
    Job job = std::move(draft.job);
    default_to(job.id, job.name);
    default_to(job.name, job.id);
    default_to(job.name_space, "default");
    default_to(job.region, "global");
    default_to(job.node_pool, "default");
    if (job.priority == 0) job.priority = 50;
    if (job.datacenters.empty()) job.datacenters = {"*"};
    fill(job.constraints);
    fill(job.affinities);
    job.update = merged<UpdateStrategy>(job.type, draft.update, std::optional<UpdatePatch>{});
    std::vector<GroupDraft> groups = all_groups(draft);
    for (GroupDraft& group : groups)
        job.groups.push_back(canonical_group(std::move(group), job, draft));
    return job;
}

}  // namespace gaggle
