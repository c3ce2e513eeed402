#include "allocrunner/drivers/engine_http.h"

namespace gaggle::allocrunner {

std::string percent_encoded(std::string_view text) {
    constexpr char kDigits[] = "0123456789ABCDEF";
    std::string out;
    for (const char letter : text) {
        const auto byte = static_cast<unsigned char>(letter);
        const bool plain = (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z') ||
                           (byte >= '0' && byte <= '9') || byte == '-' || byte == '_' ||
                           byte == '.' || byte == '~';
        if (plain) {
            out += letter;
            continue;
        }
        out += '%';
        out += kDigits[byte >> 4U];
        out += kDigits[byte & 15U];
    }
    return out;
}

std::string base64(std::string_view bytes) {
    constexpr char kLetters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    std::string out;
    for (std::size_t at = 0; at < bytes.size(); at += 3) {
        std::uint32_t bits = 0;
        for (std::size_t next = 0; next < 3; ++next)
            bits = bits << 8U |
                   (at + next < bytes.size() ? static_cast<unsigned char>(bytes[at + next]) : 0U);
        for (std::size_t letter = 0; letter < 4; ++letter)
            out += at + letter > bytes.size() ? '=' : kLetters[bits >> (18U - 6U * letter) & 63U];
    }
    return out;
}

}  // namespace gaggle::allocrunner
