// What a task needs from elsewhere before its driver can make it ready: an image.
//
// It may take minutes or never end, so it is not part of Driver::prepare: whoever starts tasks runs
// it where it holds up nobody, once for all tasks that need the same, and gives it up when none
// needs it any more.
#pragma once

#include <functional>
#include <string>

#include "base/result.h"

namespace gaggle::allocrunner {

struct FetchWatch {
    std::function<void(std::string)> say;  ///< takes a line of progress for people
    std::function<bool()> cancelled;       ///< nobody needs it any more
};

struct Fetching {
    std::string what;  ///< two with the same bring the same
    /// Blocks; once cancelled() is true it ends soon, with whatever result. Errors of code
    /// unavailable, timeout or io may pass.
    std::function<Result<void>(const FetchWatch&)> run;
};

}  // namespace gaggle::allocrunner
