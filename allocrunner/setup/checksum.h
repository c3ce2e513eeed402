// The option `checksum` of an artifact: "sha256:<hex>", a bare hex text, or "file:<address>" of a
// list as sha256sum (and BSD's sha256) writes it. Pure.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"

namespace gaggle::setup {

struct Checksum {
    enum class Kind { md5, sha1, sha256, sha512 };
    Kind kind = Kind::sha256;
    std::string hex;  ///< lower case
    bool operator==(const Checksum&) const = default;
};

const char* to_string(Checksum::Kind kind);

/// The kind by its name, or for a bare text by its length. Errc::invalid.
Result<Checksum> parse_checksum(std::string_view text);
/// The line of `file_name` in a list of checksums. Errc::not_found.
Result<Checksum> checksum_in_list(std::string_view list, const std::string& file_name);

}  // namespace gaggle::setup
