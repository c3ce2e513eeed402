#include "crypto/secret_file.h"

namespace gaggle {

namespace {

constexpr std::size_t kChecksumBytes = 8;

std::string first_line(std::string_view kind) { return "gaggle " + std::string(kind) + " 1\n"; }

Bytes big_endian(std::uint64_t number) {
    Bytes out(kChecksumBytes);
    for (std::size_t at = kChecksumBytes; at-- > 0; number >>= 8U)
        out[at] = static_cast<std::uint8_t>(number);
    return out;
}

}  // namespace

Bytes seal_secret(std::string_view kind, BytesView payload) {
    Bytes out = to_bytes(first_line(kind));
    const Bytes checksum = big_endian(checksum64(payload));
    out.insert(out.end(), checksum.begin(), checksum.end());
    out.insert(out.end(), payload.begin(), payload.end());
    return out;
}

Result<Bytes> open_secret(const std::string& path, std::string_view kind, BytesView file) {
    const std::string line = first_line(kind);
    const std::string attempt = "read " + std::string(kind) + " " + path + ": ";
    const std::string advice = "; restore the file from a copy, or remove it to begin anew";
    if (!as_text(file).starts_with(line))
        return Error{Errc::corrupt, attempt + "it does not begin with \"" +
                                        line.substr(0, line.size() - 1) + "\"" + advice};
    const BytesView rest = file.subspan(line.size());
    if (rest.size() < kChecksumBytes)
        return Error{Errc::corrupt, attempt + "the file is cut off after " +
                                        std::to_string(file.size()) + " bytes" + advice};
    const BytesView payload = rest.subspan(kChecksumBytes);
    const Bytes checksum = big_endian(checksum64(payload));
    if (!std::equal(checksum.begin(), checksum.end(), rest.begin()))
        return Error{Errc::corrupt,
                     attempt + "its checksum differs, it was cut or changed" + advice};
    return Bytes(payload.begin(), payload.end());
}

}  // namespace gaggle
