// Inside a task that runs: a command beside it, and what it uses.
//
// The task is found again by what lies beside it on disk, so it need not have been started by this
// agent; its driver does the rest. May block.
#pragma once

#include <memory>

#include "allocrunner/drivers/drivers.h"
#include "base/result.h"

namespace gaggle::allocrunner {

/// Errc::not_found for a task that was never started here, Errc::unavailable for one that does not
/// run now.
Result<StartedTask> running_task(const TaskLocation& at);

/// Errors as running_task, and as Driver::exec.
Result<std::unique_ptr<ExecSession>> exec_inside(const Drivers& drivers, const TaskLocation& at,
                                                 const ExecRequest& request);

/// Errors as running_task, and as Driver::usage.
Result<TaskUsage> usage_inside(const Drivers& drivers, const TaskLocation& at);

}  // namespace gaggle::allocrunner
