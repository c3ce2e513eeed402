#include <sodium.h>

#include <array>

#include "allocrunner/setup/sha256.h"

namespace gaggle::setup {

std::string sha256_hex(BytesView bytes) {
    std::array<std::uint8_t, crypto_hash_sha256_BYTES> sum{};
    crypto_hash_sha256(sum.data(), bytes.data(), bytes.size());
    return to_hex(sum);
}

}  // namespace gaggle::setup
