// Who owns what a task is given.
#pragma once

#include <string>

#include "base/account.h"
#include "base/result.h"

namespace gaggle::allocrunner {

/// What a task writes to belongs to its user: its directory, and local, tmp and secrets in it. What
/// is not there (a task may remove its own) is left out. Errc::io.
Result<void> give_to(const Account& account, const std::string& task_dir);

}  // namespace gaggle::allocrunner
