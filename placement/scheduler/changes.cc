#include "placement/scheduler/changes.h"

namespace gaggle {

namespace {

/// As a task sees it: the task's own meta over the group's over the job's.
Meta merged_meta(const Job& job, const TaskGroup& group, const Task& task) {
    Meta meta = task.meta;
    meta.insert(group.meta.begin(), group.meta.end());
    meta.insert(job.meta.begin(), job.meta.end());
    return meta;
}

const Task* find_task(const TaskGroup& group, const std::string& name) {
    for (const Task& task : group.tasks)
        if (task.name == name) return &task;
    return nullptr;
}

const char* task_change(const Task& before, const Task& after) {
    if (before.driver != after.driver) return "driver";
    if (before.user != after.user) return "user";
    if (before.config != after.config) return "config";
    if (before.env != after.env) return "env";
    if (before.resources != after.resources) return "resources";
    if (before.logs.disabled != after.logs.disabled) return "logs";
    if (before.lifecycle != after.lifecycle) return "lifecycle";
    if (before.artifacts != after.artifacts) return "artifacts";
    if (before.templates != after.templates) return "templates";
    if (before.dispatch_payload != after.dispatch_payload) return "dispatch_payload";
    return nullptr;
}

}  // namespace

std::optional<std::string> tasks_updated(const Job& old_job, const TaskGroup& old_group,
                                         const Job& new_job, const TaskGroup& new_group) {
    const EphemeralDisk& before = old_group.disk;
    const EphemeralDisk& after = new_group.disk;
    if (before.size != after.size || before.sticky != after.sticky ||
        before.migrate != after.migrate)
        return "ephemeral_disk";
    if (old_group.networks != new_group.networks) return "network";
    if (old_group.tasks.size() != new_group.tasks.size()) return "number of tasks";
    for (const Task& task : new_group.tasks) {
        const Task* old_task = find_task(old_group, task.name);
        if (old_task == nullptr) return "task " + task.name + " is new";
        if (const char* change = task_change(*old_task, task))
            return "task " + task.name + ": " + change;
        if (merged_meta(old_job, old_group, *old_task) != merged_meta(new_job, new_group, task))
            return "task " + task.name + ": meta";
    }
    return std::nullopt;
}

}  // namespace gaggle
