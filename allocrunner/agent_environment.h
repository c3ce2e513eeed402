// What of the agent's own environment its tasks see.
#pragma once

#include <map>
#include <string>

namespace gaggle::allocrunner {

/// The agent's environment without what tasks must not see: credentials of clouds and of Nomad's
/// friends (Nomad's default denylist) and our own.
std::map<std::string, std::string> environment_for_tasks();

}  // namespace gaggle::allocrunner
