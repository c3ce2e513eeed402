#include "gctl/store/layout.h"

namespace gaggle::store {

namespace {

constexpr std::size_t kChecksumBytes = 8;

/// For errors: printable, whatever the key is.
std::string shown(std::string_view key) {
    if (key.starts_with(kNamePrefix)) return "'" + std::string(key.substr(1)) + "'";
    return std::string(key.substr(0, 1)) + to_hex(as_bytes(key.substr(1)));
}

}  // namespace

std::string entry_key(LogIndex index) {
    std::string out(kEntryPrefix);
    for (unsigned shift = 64; shift > 0; shift -= 8)
        out.push_back(static_cast<char>(index.value >> (shift - 8) & 0xffU));
    return out;
}

std::string name_key(std::string_view name) { return std::string(kNamePrefix) + std::string(name); }

std::string sealed(std::string_view key, BytesView value) {
    const std::uint64_t checksum = checksum64(checksum64(as_bytes(key)), value);
    std::string out;
    out.reserve(kChecksumBytes + value.size());
    for (std::size_t at = 0; at < kChecksumBytes; ++at)
        out.push_back(static_cast<char>(checksum >> (8 * at) & 0xffU));
    out.append(as_text(value));
    return out;
}

Result<Bytes> unsealed(std::string_view key, std::string_view record) {
    const std::string_view value = record.substr(std::min(kChecksumBytes, record.size()));
    if (sealed(key, as_bytes(value)) != record)
        return Error{Errc::corrupt, "record " + shown(key) + ": its checksum does not fit"};
    return to_bytes(value);
}

}  // namespace gaggle::store
