// Fingerprints of bytes.
//
// Hash is BLAKE2b with 32 bytes (RFC 7693): for identity and content, where somebody may try to
// forge. checksum64 is SipHash-2-4 with a fixed key: for damage, where nobody tries.
#pragma once

#include <array>
#include <compare>
#include <cstdint>

#include "base/bytes.h"

namespace gaggle {

struct Hash {
    std::array<std::uint8_t, 32> bytes{};
    constexpr auto operator<=>(const Hash&) const = default;
    constexpr bool empty() const { return bytes == std::array<std::uint8_t, 32>{}; }
};

Hash hash_of(BytesView bytes);
/// Chained: hash of (previous, bytes).
Hash hash_of(const Hash& previous, BytesView bytes);
std::uint64_t checksum64(BytesView bytes);
/// Chained: the checksum of (previous, bytes).
std::uint64_t checksum64(std::uint64_t previous, BytesView bytes);

}  // namespace gaggle
