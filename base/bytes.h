// Owned and borrowed bytes.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace gaggle {

using Bytes = std::vector<std::uint8_t>;
using BytesView = std::span<const std::uint8_t>;

BytesView as_bytes(std::string_view text);
std::string_view as_text(BytesView bytes);
Bytes to_bytes(std::string_view text);
std::string to_text(BytesView bytes);

/// Lower-case hexadecimal.
std::string to_hex(BytesView bytes);
/// Nothing when `text` has an odd length or a character that is not hexadecimal.
std::optional<Bytes> from_hex(std::string_view text);

/// Base64 with the URL alphabet and no padding (RFC 4648 section 5).
std::string to_base64url(BytesView bytes);
std::optional<Bytes> from_base64url(std::string_view text);
/// Base64 with the standard alphabet and padding (RFC 4648 section 4).
std::string to_base64(BytesView bytes);
std::optional<Bytes> from_base64(std::string_view text);

}  // namespace gaggle
