// The secrets directories of an allocation's tasks: memory where the agent may mount.
#pragma once

#include <string>

#include "base/result.h"
#include "placement/jobspec/job.h"

namespace gaggle::allocrunner {

/// Unmounts those of all tasks. Fine when none is mounted. Blocks.
Result<void> unmount_secret_dirs(const std::string& alloc_dir);

/// Mounts what is not mounted yet. Blocks. That it is not allowed to is logged once.
Result<void> mount_secret_dirs(const std::string& alloc_dir, const TaskGroup& group);

}  // namespace gaggle::allocrunner
