// Small files of our own beside a copy: an encoded value and a checksum behind it.
#pragma once

#include <string>

#include "allocrunner/replica/manifest.h"
#include "base/wire.h"

namespace gaggle::replica {

constexpr std::size_t kStoredBytesMax = kTreeBytesMax + (std::size_t{1} << 20U);

template <class T>
Bytes encode_stored(const T& value) {
    Bytes bytes = encode(value);
    const std::uint64_t sum = checksum64(bytes);
    for (unsigned shift = 0; shift < 64; shift += 8)
        bytes.push_back(static_cast<std::uint8_t>(sum >> shift));
    return bytes;
}

/// `corrupt` when it was cut, damaged, or written by a version that knows more.
template <class T>
Result<T> decode_stored(BytesView bytes, const std::string& path) {
    constexpr std::size_t kSum = 8;
    const bool is_long_enough = bytes.size() > kSum;
    const BytesView body = bytes.first(is_long_enough ? bytes.size() - kSum : 0);
    std::uint64_t sum = 0;
    for (std::size_t at = 0; is_long_enough && at < kSum; ++at)
        sum |= static_cast<std::uint64_t>(bytes[body.size() + at]) << (8 * at);
    if (!is_long_enough || checksum64(body) != sum)
        return Error{Errc::corrupt, "read " + path + ": it is damaged or cut off"};
    return decode<T>(body, path, {.fields = Fields::exact, .bytes = kStoredBytesMax});
}

}  // namespace gaggle::replica
