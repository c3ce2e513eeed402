// Where a peer listens, and the key that it must prove to own there.
#pragma once

#include <compare>
#include <cstdint>
#include <string>
#include <tuple>

#include "crypto/identity.h"

namespace gaggle {

inline constexpr std::uint16_t kBasePort = 4647;

struct Endpoint {
    std::string host;                     ///< a name, an IPv4 or an IPv6 address without brackets
    std::uint16_t base_port = kBasePort;  ///< control; bulk is one above, the lobby two
    CurveKey curve;
    auto operator<=>(const Endpoint&) const = default;
    template <class Self>
    static auto wire_fields(Self& s) {
        return std::tie(s.host, s.base_port, s.curve);
    }
};

using Seed = Endpoint;  ///< a peer that a newcomer may knock at

}  // namespace gaggle
