// What one allocation asks of its network: the group's block with everything filled in.
#pragma once

#include <cstdint>
#include <string>
#include <tuple>
#include <vector>

#include "allocrunner/network/alloc_network.h"

namespace gaggle::allocrunner {

struct PortMapping {
    std::uint16_t host = 0;
    std::uint16_t inside = 0;
    template <class Self>
    static auto wire_fields(Self& s) {
        return std::tie(s.host, s.inside);
    }
    bool operator==(const PortMapping&) const = default;
};

struct NetworkRequest {
    std::string alloc;          ///< its id; names the namespace, and the container to the plugins
    std::string mode = "host";  ///< "host", "bridge", "cni/<name>" or "none"
    std::string hostname;       ///< empty: the machine's
    DnsConfig dns;              ///< what is empty is the machine's
    std::vector<PortMapping> ports;
    template <class Self>
    static auto wire_fields(Self& s) {
        return std::tie(s.alloc, s.mode, s.hostname, s.dns, s.ports);
    }
    bool operator==(const NetworkRequest&) const = default;
};

/// It has something of its own, so that there is something to set up.
inline bool needs_network(const NetworkRequest& request) {
    return request.mode != "host" || !request.hostname.empty() || !is_empty(request.dns);
}

}  // namespace gaggle::allocrunner
