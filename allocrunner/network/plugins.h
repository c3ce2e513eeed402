// CNI plugins as programs of this machine: finding them, running one, asking what they are.
//
// A plugin gets its configuration on standard input and the rest by environment variables (CNI
// specification 1.0.0, section 2). All calls block.
#pragma once

#include <map>
#include <string>
#include <string_view>

#include "allocrunner/network/cni_chain.h"
#include "allocrunner/network/settings.h"
#include "base/result.h"

namespace gaggle::allocrunner {

/// The plugin's path. Errc::not_found says where it was looked for and which package has it.
Result<std::string> find_plugin(const NetworkSettings& settings, const std::string& type);

/// Whom a plugin is run for.
struct PluginSubject {
    std::string alloc;  ///< the container's id
    std::string netns;  ///< empty: the namespace is gone already
};

/// Runs plugins for one allocation. Errors name the plugin, the command, the network and what the
/// plugin said.
CniRunner plugin_runner(const NetworkSettings& settings, const PluginSubject& subject,
                        const std::string& network);

/// The version in what a plugin says of itself when it is run without a command: its own, else (as
/// of Debian's, which say "unknown") the newest of the protocol that it speaks. Empty: neither.
std::string version_in(std::string_view about);

/// By plugin; of all in the path that answer within two seconds together.
std::map<std::string, std::string> plugin_versions(const NetworkSettings& settings);

}  // namespace gaggle::allocrunner
