#include "base/ids.h"

#include "base/rng.h"

namespace gaggle {

std::string uuid_text(const std::array<std::uint8_t, 16>& bytes) {
    const std::string hex = to_hex(bytes);
    return hex.substr(0, 8) + '-' + hex.substr(8, 4) + '-' + hex.substr(12, 4) + '-' +
           hex.substr(16, 4) + '-' + hex.substr(20);
}

std::optional<std::array<std::uint8_t, 16>> uuid_bytes(std::string_view text) {
    if (text.size() != 36) return std::nullopt;
    std::string hex;
    for (std::size_t at = 0; at < text.size(); ++at) {
        const bool dash = at == 8 || at == 13 || at == 18 || at == 23;
        if (dash != (text[at] == '-')) return std::nullopt;
        if (!dash) hex += text[at];
    }
    const auto bytes = from_hex(hex);
    if (!bytes) return std::nullopt;
    std::array<std::uint8_t, 16> out{};
    std::copy(bytes->begin(), bytes->end(), out.begin());
    return out;
}

std::array<std::uint8_t, 16> random_uuid(Rng& rng) {
    std::array<std::uint8_t, 16> out{};
    for (std::size_t at = 0; at < out.size(); at += 8) {
        std::uint64_t word = rng.next();
        for (std::size_t byte = 0; byte < 8; ++byte, word >>= 8U)
            out[at + byte] = static_cast<std::uint8_t>(word);
    }
    out[6] = static_cast<std::uint8_t>((out[6] & 0x0fU) | 0x40U);
    out[8] = static_cast<std::uint8_t>((out[8] & 0x3fU) | 0x80U);
    return out;
}

}  // namespace gaggle
