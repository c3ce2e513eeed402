// Version constraints, as Nomad's `version` and `semver` operands read them.
//
// `version` is lenient (leading "v", any number of segments, "1.2.3beta") and keeps pre-releases
// out unless the constraint names one; `semver` is strict (semver.org 2.0) and orders pre-releases
// before their release. The rules are those of hashicorp/go-version as Nomad's constraint page
// documents them.
#pragma once

#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace gaggle {

enum class VersionSyntax { lenient, semver };

struct Version {
    std::vector<std::uint64_t> segments;  ///< at least three, padded with zeros
    std::size_t written = 0;              ///< how many of them the text had
    std::string prerelease;               ///< empty for a release

    /// Build metadata does not count.
    std::strong_ordering compare(const Version& other) const;
};

std::optional<Version> parse_version(std::string_view text, VersionSyntax syntax);

/// `wanted` is a list such as ">= 1.2, < 2.0"; the operators are =, !=, <, <=, >, >= and, for the
/// lenient syntax, ~>. False when either text is malformed.
bool version_meets(std::string_view version, std::string_view wanted, VersionSyntax syntax);

}  // namespace gaggle
