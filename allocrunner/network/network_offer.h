// Which networks this machine can give allocations, as planners are told by attributes.
//
//     gaggle.network.<mode> = "1"       "bridge", "none", "cni/<name>": it can
//     gaggle.network.bridge.lacks       why it cannot, for people; gaggle.network.lacks: any at all
//     plugins.cni.version.<plugin>      Nomad's name; see version_in() for what Debian's say
//     nomad.bridge.hairpin_mode         Nomad's name; always "true" with a bridge
//
// Asking the machine and saying what the answers mean are two functions; the second is pure.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "allocrunner/network/settings.h"

namespace gaggle::allocrunner {

struct NetworkReadings {
    std::string no_netns;                         ///< why no namespace can be made; empty: one can
    std::map<std::string, std::string> versions;  ///< of plugins
    std::vector<std::string> missing;             ///< what "bridge" needs, as errors in words
    std::vector<std::string> networks;            ///< names of the operator's configurations
};

/// Blocks, some seconds at most.
NetworkReadings read_networks(const NetworkSettings& settings);

std::map<std::string, std::string> network_attributes(const NetworkReadings& readings);

}  // namespace gaggle::allocrunner
