// What the processes of a task use, where no cgroup counts it.
#pragma once

#include "allocrunner/drivers/driver.h"

namespace gaggle::allocrunner {

/// Of `first`, its descendants, and what its supervisor has inherited of them. Processor time of
/// those that have ended counts as far as a living one has waited for them. Errc::not_found when
/// `first` is gone.
Result<TaskUsage> usage_of_processes(std::int64_t first);

}  // namespace gaggle::allocrunner
