// What would change in a job: Nomad's JobDiff, computed from the two jobs' API JSON.
//
// Plain values become Fields, blocks become Objects, free maps and driver configs are flattened
// ("Env[A]", "args[0]"), blocks with a name are matched by it and others as wholes. Only what
// differs is listed. Whether a changed task must be replaced is the scheduler's rule
// (placement/scheduler/changes.h), and is written to the task as an annotation.
#pragma once

#include <map>
#include <string>

#include "gctl/agent/json_value.h"
#include "placement/jobspec/job.h"
#include "placement/scheduler/plan.h"

namespace gaggle {

struct DiffedJob {
    const Job* job = nullptr;  ///< nullptr: there is none
    bool stopped = false;
};

/// Nomad's JobDiff. Requires one of the two jobs. `updates` adds each group's counts, where known.
Value diff_jobs(DiffedJob before, DiffedJob after,
                const std::map<std::string, GroupUpdates>& updates);

}  // namespace gaggle
