// Network namespaces that live without a process: each is held by a mount of it on a file.
//
// The files lie where `ip netns` looks for them, so an operator can enter one by its name. They are
// gone with the next boot, and so are the namespaces. All calls may block, none for long.
#pragma once

#include <string>

#include "base/result.h"

namespace gaggle::allocrunner {

/// Whether a namespace is mounted at `path`.
bool is_netns(const std::string& path);

/// A new one, with its loopback interface up, mounted at `path`; makes the folder when it is
/// missing. Errc::denied without the rights of root. What was at `path` before is taken away.
Result<void> make_netns(const std::string& path);

/// Fine when there is none. The kernel ends the namespace with its last process.
Result<void> remove_netns(const std::string& path);

/// Whether this process may make one; tried, for there is no better answer.
Result<void> try_netns();

}  // namespace gaggle::allocrunner
