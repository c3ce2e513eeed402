// The network of a group: its mode, its ports, and what its tasks resolve names by.
//
// Names and meanings are Nomad's `network` block. A job file has one kind of port; whether its
// number on the host is fixed or given at placement is told by `fixed`.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <tuple>
#include <vector>

namespace gaggle {

struct Port {
    std::string label;
    std::int64_t fixed = 0;  ///< `static`; 0 means dynamic
    std::int64_t to = 0;     ///< inside the network; 0 or -1: the same as the host's port
    std::string host_network = "default";
    template <class Self>
    static auto wire_fields(Self& s) {
        return std::tie(s.label, s.fixed, s.to, s.host_network);
    }
    bool operator==(const Port&) const = default;
};

/// What goes into the tasks' resolv.conf. An empty list leaves the host's lines.
struct DnsConfig {
    std::vector<std::string> servers;
    std::vector<std::string> searches;
    std::vector<std::string> options;
    template <class Self>
    static auto wire_fields(Self& s) {
        return std::tie(s.servers, s.searches, s.options);
    }
    bool operator==(const DnsConfig&) const = default;
};

/// A mode that begins with this names a CNI configuration of the peer.
inline constexpr std::string_view kCniMode = "cni/";

struct Network {
    std::string mode = "host";  ///< host, bridge, none or cni/<name>
    std::int64_t mbits = 0;
    std::vector<Port> ports;
    std::string hostname;  ///< interpolated on the peer; empty: the namespace has the host's
    std::optional<DnsConfig> dns;
    template <class Self>
    static auto wire_fields(Self& s) {
        return std::tie(s.mode, s.mbits, s.ports, s.hostname, s.dns);
    }
    bool operator==(const Network&) const = default;
};

}  // namespace gaggle
