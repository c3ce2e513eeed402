#include <sodium.h>

#include "base/hash.h"

namespace gaggle {

namespace {

constexpr std::array<std::uint8_t, crypto_shorthash_KEYBYTES> kChecksumKey{
    'g', 'a', 'g', 'g', 'l', 'e', '-', 'c', 'h', 'e', 'c', 'k', 's', 'u', 'm', '1'};

}  // namespace

Hash hash_of(BytesView bytes) {
    Hash out;
    crypto_generichash(out.bytes.data(), out.bytes.size(), bytes.data(), bytes.size(), nullptr, 0);
    return out;
}

Hash hash_of(const Hash& previous, BytesView bytes) {
    Hash out;
    crypto_generichash(out.bytes.data(), out.bytes.size(), bytes.data(), bytes.size(),
                       previous.bytes.data(), previous.bytes.size());
    return out;
}

std::uint64_t checksum64(BytesView bytes) {
    std::array<std::uint8_t, crypto_shorthash_BYTES> digest{};
    crypto_shorthash(digest.data(), bytes.data(), bytes.size(), kChecksumKey.data());
    std::uint64_t out = 0;
    for (const std::uint8_t byte : digest) out = out << 8U | byte;
    return out;
}

std::uint64_t checksum64(std::uint64_t previous, BytesView bytes) {
    auto key = kChecksumKey;
    for (std::size_t at = 0; at < 8; ++at)
        key[at] ^= static_cast<std::uint8_t>(previous >> (8 * at));
    std::array<std::uint8_t, crypto_shorthash_BYTES> digest{};
    crypto_shorthash(digest.data(), bytes.data(), bytes.size(), key.data());
    std::uint64_t out = 0;
    for (const std::uint8_t byte : digest) out = out << 8U | byte;
    return out;
}

}  // namespace gaggle
