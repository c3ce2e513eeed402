// Where a command is found, as execvp(3) does it, but for the environment and root of a task.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "base/result.h"

namespace gaggle::allocrunner {

struct ExecutableSearch {
    std::string command;
    std::vector<std::string> folders;  ///< looked at first, also for a command with a slash
    std::string path;                  ///< PATH, for a command without a slash
    /// Where on the host a path of the task is, taken literally; links on the way are then followed
    /// as the task follows them. Nothing: the paths are the host's.
    std::function<std::string(const std::string&)> on_host;
};

/// As the task sees it. Errc::not_found says where it was looked for.
Result<std::string> find_executable(const ExecutableSearch& search);

}  // namespace gaggle::allocrunner
