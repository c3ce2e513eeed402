#include "placement/jobspec/validate.h"

#include <algorithm>
#include <set>

#include "base/wire.h"
#include "placement/jobspec/validate_parts.h"

namespace gaggle {

namespace {

bool runs_on_all(JobType type) { return type == JobType::system || type == JobType::sysbatch; }

bool is_namespace(const std::string& name) {
    return !name.empty() && name.size() <= 128 && std::all_of(name.begin(), name.end(), [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
               c == '-';
    });
}

void validate_header(const Job& job, Findings& out) {
    const std::string path = "job";
    out.check(!job.id.empty(), path, "the job has no id", "write `job \"name\" { ... }`");
    out.check(job.id.find_first_of(std::string(" \t\n\0", 4)) == std::string::npos, path + ".id",
              "the job's id \"" + job.id + "\" has a blank in it", "use `-` or `_` instead");
    out.check(job.id.size() <= kNameBytesMax, path + ".id",
              "the job's id is longer than " + std::to_string(kNameBytesMax) + " bytes");
    out.check(is_namespace(job.name_space), path + ".namespace",
              "\"" + job.name_space + "\" is no namespace",
              "1 to 128 letters, digits and `-` make one");
    out.check(job.priority >= 1 && job.priority <= 100, path + ".priority",
              "priority " + std::to_string(job.priority) + " is not within 1 to 100");
    out.check(std::none_of(job.datacenters.begin(), job.datacenters.end(),
                           [](const std::string& one) { return one.empty(); }),
              path + ".datacenters", "a datacenter has no name", "write \"*\" for all of them");
    validate_constraints(job.constraints, Level::job, path, out);
    validate_affinities(job.affinities, path, out);
    validate_spreads(job.spreads, path, out);
    out.check(!runs_on_all(job.type) || (job.affinities.empty() && job.spreads.empty()), path,
              std::string(to_string(job.type)) +
                  " jobs run on every node and have no affinity or spread");
    if (job.parameterized) validate_parameterized(job, out);
    out.check(!job.groups.empty(), path, "the job has no group",
              "add `group \"name\" { task ... }`");
}

void validate_disk(const TaskGroup& group, const std::string& path, Findings& out) {
    const EphemeralDisk& disk = group.disk;
    const std::string at = path + ".ephemeral_disk";
    out.check(disk.size.value >= 10 && disk.size.value <= kAmountMax, at + ".size",
              "ephemeral_disk size " + std::to_string(disk.size.value) + " is not within 10 to " +
                  std::to_string(kAmountMax) + " MB");
    std::int64_t logs = 0;
    for (const Task& task : group.tasks)
        if (!task.logs.disabled)
            logs += std::min(std::clamp<std::int64_t>(task.logs.files_max, 0, kAmountMax) *
                                 std::clamp<std::int64_t>(task.logs.file_size.value, 0, kAmountMax),
                             kAmountMax);
    out.check(logs < disk.size.value, at,
              "the tasks' logs may grow to " + std::to_string(logs) +
                  " MB, but ephemeral_disk is " + std::to_string(disk.size.value) + " MB",
              "raise `size`, or lower max_files or max_file_size in `logs`");
    if (disk.replicas == -1 && group.meta.contains("gaggle.replicas"))
        out.error(path + ".meta", "gaggle.replicas = \"" + group.meta.at("gaggle.replicas") +
                                      "\" is not a number from 0 to " +
                                      std::to_string(kReplicasMax));
    else
        out.check(disk.replicas >= 0 && disk.replicas <= kReplicasMax, at + ".replicas",
                  "replicas " + std::to_string(disk.replicas) + " is not within 0 to " +
                      std::to_string(kReplicasMax));
    out.check(disk.replicas <= 0 || disk.sticky, at,
              "replicas are kept only of a sticky ephemeral_disk", "add `sticky = true`");
}

/// What goes only with some types of jobs.
void validate_type(const TaskGroup& group, JobType type, const std::string& path, Findings& out) {
    const std::string jobs = std::string(to_string(type)) + " jobs";
    if (runs_on_all(type)) {
        out.check(group.count <= 1, path + ".count",
                  jobs + " run once on every node: count is at most 1", "remove `count`");
        out.check(group.affinities.empty() && group.spreads.empty(), path,
                  jobs + " run on every node and have no affinity or spread");
    }
    out.check(type == JobType::service || type == JobType::system || !group.update,
              path + ".update", jobs + " have no `update`",
              "only service and system jobs are updated step by step");
    out.check(type == JobType::service || !group.migrate, path + ".migrate",
              jobs + " have no `migrate`", "only service jobs have one");
    validate_reschedule(group.reschedule, type, path + ".reschedule", out);
}

void validate_tasks(const TaskGroup& group, const std::string& path, Findings& out) {
    out.check(!group.tasks.empty(), path, "group \"" + group.name + "\" has no task",
              "add `task \"name\" { driver = ... }`");
    std::set<std::string> names;
    for (const Task& task : group.tasks) {
        const std::string at = path + ".task." + task.name;
        out.check(names.insert(task.name).second, at,
                  "task \"" + task.name + "\" is there twice in group \"" + group.name + "\"");
        validate_task(task, group, at, out);
        if (!group.update || group.update->progress_deadline <= 0s) continue;
        out.check(task.kill_timeout < group.update->progress_deadline, at + ".kill_timeout",
                  "kill_timeout is not shorter than progress_deadline of `update`");
    }
    const auto leaders = std::count_if(group.tasks.begin(), group.tasks.end(),
                                       [](const Task& task) { return task.leader; });
    out.check(leaders <= 1, path, "group \"" + group.name + "\" has more than one leader task");
    out.check(group.tasks.empty() || std::any_of(group.tasks.begin(), group.tasks.end(),
                                                 [](const Task& task) { return !task.lifecycle; }),
              path, "group \"" + group.name + "\" has no main task",
              "at least one task has no `lifecycle`");
}

void validate_group(const TaskGroup& group, JobType type, const std::string& path, Findings& out) {
    out.check(!group.name.empty() && group.name.find('\0') == std::string::npos, path,
              "a group has no name", "write `group \"name\" { ... }`");
    out.check(group.name.size() <= kNameBytesMax, path,
              "the group's name is longer than " + std::to_string(kNameBytesMax) + " bytes");
    out.check(group.count >= 0 && group.count <= kCountMax, path + ".count",
              "count " + std::to_string(group.count) + " is not within 0 to " +
                  std::to_string(kCountMax));
    out.check(group.shutdown_delay >= 0s, path + ".shutdown_delay", "shutdown_delay is negative");
    validate_constraints(group.constraints, Level::group, path, out);
    validate_affinities(group.affinities, path, out);
    validate_spreads(group.spreads, path, out);
    validate_type(group, type, path, out);
    validate_restart(group.restart, path + ".restart", out);
    if (group.update) validate_update(*group.update, path + ".update", out);
    if (group.migrate) validate_migrate(*group.migrate, path + ".migrate", out);
    if (group.disconnect) validate_disconnect(*group.disconnect, path + ".disconnect", out);
    validate_networks(group.networks, path, out);
    validate_disk(group, path, out);
    validate_services(group.services, group, "", path, out);
    validate_listing(group, path, out);
    validate_tasks(group, path, out);
}

/// Whatever is accepted goes into the log, and there every replica must be able to read it again.
void validate_size(const Job& job, Findings& out) {
    const Limits limits{.fields = Fields::exact, .bytes = kJobWireBytesMax, .depth = kJobWireDepth};
    const auto again = decode<Job>(encode(job), "job", limits);
    if (!again.ok())
        out.error("job", "the job is too large to be kept: " + again.error().detail,
                  "move large texts into files that the task reads");
}

}  // namespace

std::vector<Diagnostic> validate(const Job& job) {
    Findings out;
    validate_header(job, out);
    std::set<std::string> names;
    for (const TaskGroup& group : job.groups) {
        const std::string path = "job.group." + group.name;
        out.check(names.insert(group.name).second, path,
                  "group \"" + group.name + "\" is there twice");
        validate_group(group, job.type, path, out);
    }
    if (!out.any()) validate_size(job, out);
    return out.take();
}

}  // namespace gaggle
