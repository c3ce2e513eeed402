// What a task's container is called.
#pragma once

#include "allocrunner/drivers/driver.h"

namespace gaggle::allocrunner {

/// "<task>-<allocation>", as Nomad's; of a task whose name has other characters than letters,
/// digits and `_.-`, a hash stands for it. Found again without any record.
std::string container_name(const TaskLocation& at);

}  // namespace gaggle::allocrunner
