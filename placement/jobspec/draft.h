// A job as somebody wrote it, before the defaults are in.
//
// Most fields of a Job have one default and need no draft. The four policies do: their defaults
// depend on the job's type, and a group's is laid over the job's, a task's over the group's. So
// each has a patch: the same fields, each perhaps not given.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "placement/jobspec/job.h"

namespace gaggle {

struct RestartPatch {
    std::optional<std::int64_t> attempts;
    std::optional<Duration> interval, delay;
    std::optional<RestartPolicy::Mode> mode;
};

struct ReschedulePatch {
    std::optional<std::int64_t> attempts;
    std::optional<Duration> interval, delay;
    std::optional<ReschedulePolicy::Function> function;
    std::optional<Duration> delay_max;
    std::optional<bool> unlimited;
};

struct UpdatePatch {
    std::optional<Duration> stagger;
    std::optional<std::int64_t> max_parallel;
    std::optional<std::string> health_check;
    std::optional<Duration> min_healthy_time, healthy_deadline, progress_deadline;
    std::optional<std::int64_t> canary;
    std::optional<bool> auto_revert, auto_promote;
};

struct MigratePatch {
    std::optional<std::int64_t> max_parallel;
    std::optional<std::string> health_check;
    std::optional<Duration> min_healthy_time, healthy_deadline;
};

struct TaskDraft {
    Task task;
    RestartPatch restart;
};

struct GroupDraft {
    TaskGroup group;  ///< without tasks and policies
    std::vector<TaskDraft> tasks;
    RestartPatch restart;
    ReschedulePatch reschedule;
    std::optional<UpdatePatch> update;
    std::optional<MigratePatch> migrate;
};

struct JobDraft {
    Job job;  ///< without groups and policies
    std::vector<GroupDraft> groups;
    std::vector<TaskDraft> tasks;  ///< directly in the job: each is a group of its own
    ReschedulePatch reschedule;
    std::optional<UpdatePatch> update;
    std::optional<MigratePatch> migrate;
};

}  // namespace gaggle
