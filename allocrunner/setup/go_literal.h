// Numbers, strings and runes as Go writes them, and UTF-8.
//
// Used by the template's lexer and by its functions (parseInt, printf "%q" ...). Pure.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "allocrunner/setup/datum.h"

namespace gaggle::setup {

/// 12, -7, 0x1F, 0o17, 0b1, 1_000, 1.5, 2e9: int64 where it is one, else double; nothing when it is
/// neither or too large.
std::optional<Datum> go_number(std::string_view written);
/// All of `text` in this base (0: by its prefix), as strconv.ParseInt; nothing when it is not one.
std::optional<std::int64_t> go_int(std::string_view text, int base);
std::optional<double> go_float(std::string_view text);

/// A literal with its quotes: "..." and '...' with Go's escapes, `...` as it is.
std::optional<std::string> go_string(std::string_view written);
/// As Go's %q.
std::string go_quoted(std::string_view text);

void append_utf8(std::string& out, std::uint32_t rune);
/// The rune at `at`, which moves on behind it; a byte that is not UTF-8 is U+FFFD, one byte long.
std::uint32_t next_rune(std::string_view text, std::size_t& at);
/// The value of a text that is exactly one rune.
std::optional<std::int64_t> only_rune(std::string_view text);

}  // namespace gaggle::setup
