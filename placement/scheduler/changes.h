// Does a new definition of a group need new tasks, or can the old ones run on?
//
// Nomad's rule (reference/nomad.md section 1.2): whatever a running task cannot take up makes the
// update destructive; count, constraints, services, checks, restart and kill policy, log sizes do
// not. Our own `replicas` does not either: copies come and go beside the task.
#pragma once

#include <optional>
#include <string>

#include "placement/jobspec/job.h"

namespace gaggle {

/// What forces a replacement, such as "task web: config"; nothing when the update can be in place.
/// The jobs are those that the groups are part of: their meta reaches the tasks.
std::optional<std::string> tasks_updated(const Job& old_job, const TaskGroup& old_group,
                                         const Job& new_job, const TaskGroup& new_group);

}  // namespace gaggle
