// Names for things that must not be mixed up.
//
// Strong is a number with a meaning, Id is sixteen bytes with a meaning (shown as a UUID). The tags
// are never defined. What an id means is said where the thing itself lives; here is only its shape.
#pragma once

#include <array>
#include <compare>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "base/bytes.h"

namespace gaggle {

class Rng;

template <class Tag, class Rep = std::uint64_t>
struct Strong {
    Rep value{};
    constexpr auto operator<=>(const Strong&) const = default;
};

template <class Tag>
struct Id {
    std::array<std::uint8_t, 16> bytes{};
    constexpr auto operator<=>(const Id&) const = default;
    constexpr bool empty() const { return bytes == std::array<std::uint8_t, 16>{}; }
};

using PeerId = Id<struct PeerTag>;      ///< first 16 bytes of the hash of the peer's public key
using RegionId = Id<struct RegionTag>;  ///< minted at founding
using AllocId = Id<struct AllocTag>;    ///< minted by the claimant
using EvalId = Id<struct EvalTag>;
using StartId = Id<struct StartTag>;      ///< new at each start of an agent
using BootId = Id<struct BootTag>;        ///< new at each boot of a machine
using SessionId = Id<struct SessionTag>;  ///< of a claimant, so that a retried claim counts once

using PeerNumber =
    Strong<struct PeerNumberTag, std::uint32_t>;  ///< given by the log at admission, from 1
using Epoch = Strong<struct EpochTag>;            ///< of a region; grows at each recovery
using Term = Strong<struct TermTag>;
using LogIndex = Strong<struct LogIndexTag>;
using Incarnation = Strong<struct IncarnationTag>;
using Generation = Strong<struct GenerationTag>;  ///< log index of the claim that made the writer

/// "0a1b2c3d-..." in lower case.
std::string uuid_text(const std::array<std::uint8_t, 16>& bytes);
/// Nothing unless `text` is a full UUID with its four dashes.
std::optional<std::array<std::uint8_t, 16>> uuid_bytes(std::string_view text);
/// Sixteen random bytes with the version and variant bits of a UUIDv4.
std::array<std::uint8_t, 16> random_uuid(Rng& rng);

template <class Tag>
std::string to_string(const Id<Tag>& id) {
    return uuid_text(id.bytes);
}

/// First eight characters, as people type them.
template <class Tag>
std::string short_text(const Id<Tag>& id) {
    return uuid_text(id.bytes).substr(0, 8);
}

template <class Any>
std::optional<Any> parse_id(std::string_view text) {
    const auto bytes = uuid_bytes(text);
    if (!bytes) return std::nullopt;
    return Any{*bytes};
}

template <class Any>
Any random_id(Rng& rng) {
    return Any{random_uuid(rng)};
}

}  // namespace gaggle
