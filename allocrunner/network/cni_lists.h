// CNI network configuration lists: which plugins make a network, and what each is told.
//
// A list is run from first to last to add an allocation, each plugin seeing the result of the one
// before, and from last to first to delete it (CNI specification 1.0.0, sections 1 and 4). Mode
// "bridge" has a list of ours, which is Nomad's without its `loopback`: whoever makes the namespace
// brings that up. `cni/<name>` is a file that the operator wrote.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "allocrunner/network/request.h"
#include "allocrunner/network/settings.h"
#include "base/result.h"
#include "placement/jobspec/value.h"

namespace gaggle::allocrunner {

/// A chain of the firewall's plugin where ours may stand before its own (admin overrides).
inline constexpr const char* kAdminChain = "GAGGLE-ADMIN";
/// Longest configuration that is read, and longest answer of a plugin.
inline constexpr std::size_t kCniTextMax = 1U << 20U;
inline constexpr std::size_t kCniPluginsMax = 32;

struct CniList {
    std::string name;     ///< of the network
    std::string version;  ///< of the specification that it is written to, "0.4.0"
    bool check = true;    ///< false: the list or its version says that CHECK is not to be asked
    std::vector<Value::Map> plugins;  ///< each with a string `type`: a plain file name
    template <class Self>
    static auto wire_fields(Self& s) {
        return std::tie(s.name, s.version, s.check, s.plugins);
    }
    bool operator==(const CniList&) const = default;
};

CniList bridge_list(const NetworkSettings& settings);

/// A list (`plugins`), or one plugin's configuration as a list of one. Errc::invalid names `file`
/// and what is wrong.
Result<CniList> parse_cni_list(std::string_view text, const std::string& file);

/// What a plugin gets besides its configuration, if it says by `capabilities` that it can.
struct CniRuntime {
    std::vector<PortMapping> ports;
    std::string port_ip;
    DnsConfig dns;
};

/// Standard input for the plugin at `at`. `previous` is the result of the plugin before (ADD), or
/// of the whole list (CHECK, DEL).
std::string cni_input(const CniList& list, std::size_t at, const CniRuntime& runtime,
                      const std::optional<Value>& previous);

/// The `type` of the plugin at `at`: the name of its program.
std::string plugin_type(const CniList& list, std::size_t at);

/// Programs without which mode "bridge" cannot be, its address manager among them.
std::vector<std::string> bridge_plugins();

}  // namespace gaggle::allocrunner
