// What a peer says about networks of allocations: where the plugins are, which addresses a bridge
// gives. Fixed while the agent runs. Defaults of the bridge are Nomad's but for its name.
#pragma once

#include <string>

#include "base/result.h"
#include "base/time.h"

namespace gaggle::allocrunner {

struct NetworkSettings {
    std::string cni_path = "/usr/lib/cni:/opt/cni/bin";  ///< folders of plugins, the first wins
    std::string cni_config_dir = "/opt/cni/config";      ///< of `cni/<name>`
    std::string bridge_name = "gaggle";                  ///< at most 15 bytes, as interfaces are
    std::string bridge_subnet = "172.26.64.0/20";
    /// Mapped ports are those of this address of the machine; empty: of all its addresses.
    std::string port_ip;
    std::string netns_dir = "/run/netns";       ///< where `ip netns` looks
    std::string state_dir = "/run/gaggle/cni";  ///< the bridge's addresses; gone with the next boot
    Duration plugin_timeout = 20s;              ///< for each run of a plugin; it is killed then
};

/// Errc::invalid names the option of `gctl agent` that is wrong.
Result<void> check_settings(const NetworkSettings& settings);

}  // namespace gaggle::allocrunner
