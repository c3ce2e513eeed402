// Where a command is found, as execvp(3) does it, but for the environment and root of a task.
#pragma once

#include <string>
#include <vector>

#include "base/result.h"

namespace gaggle::allocrunner {

struct ExecutableSearch {
    std::string command;
    std::string root;                  ///< put before every path to look at; empty: the host's
    std::vector<std::string> folders;  ///< looked at first, also for a command with a slash
    std::string path;                  ///< PATH, for a command without a slash
};

/// A path without the root. Errc::not_found says where it was looked for.
Result<std::string> find_executable(const ExecutableSearch& search);

}  // namespace gaggle::allocrunner
