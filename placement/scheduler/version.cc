#include "placement/scheduler/version.h"

#include <algorithm>
#include <charconv>

namespace gaggle {

namespace {

constexpr std::size_t kSegmentsMax = 16;

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }
bool in_identifier(char c) { return is_digit(c) || is_letter(c) || c == '-' || c == '~'; }

std::string_view trimmed(std::string_view text) {
    while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
    while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
    return text;
}

std::optional<std::uint64_t> number(std::string_view text) {
    std::uint64_t value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error != std::errc{} || end != text.data() + text.size() || text.empty())
        return std::nullopt;
    return value;
}

/// Cuts off and returns what stands before the first `separator`.
std::string_view cut(std::string_view& rest, char separator) {
    const std::size_t at = std::min(rest.find(separator), rest.size());
    const std::string_view head = rest.substr(0, at);
    rest.remove_prefix(std::min(at + 1, rest.size()));
    return head;
}

bool identifiers_ok(std::string_view dotted) {
    if (dotted.empty() || dotted.back() == '.') return false;
    while (!dotted.empty()) {
        const std::string_view part = cut(dotted, '.');
        if (part.empty() || !std::all_of(part.begin(), part.end(), in_identifier)) return false;
    }
    return true;
}

/// A number sorts before a word, numbers by value, words by their bytes (semver.org, rule 11).
std::strong_ordering compare_identifiers(std::string_view left, std::string_view right) {
    const auto left_number = number(left), right_number = number(right);
    if (left_number && right_number) return *left_number <=> *right_number;
    if (left_number || right_number)
        return left_number ? std::strong_ordering::less : std::strong_ordering::greater;
    return left.compare(right) <=> 0;
}

std::strong_ordering compare_prereleases(std::string_view left, std::string_view right) {
    if (left.empty() || right.empty())
        return left.empty() <=> right.empty();  // a release is greater
    while (!left.empty() && !right.empty()) {
        const auto order = compare_identifiers(cut(left, '.'), cut(right, '.'));
        if (order != 0) return order;
    }
    return right.empty() <=> left.empty();  // the longer one is greater
}

/// A constraint without a pre-release admits none; one with a pre-release only those of its own
/// release.
bool prerelease_admitted(const Version& version, const Version& wanted) {
    if (version.prerelease.empty()) return true;
    return !wanted.prerelease.empty() && version.segments == wanted.segments;
}

/// "~> 1.2.3": at least that, and the same up to the last but one segment written.
bool pessimistic(const Version& version, const Version& wanted) {
    if (!prerelease_admitted(version, wanted)) return false;
    if (!wanted.prerelease.empty() && version.prerelease.empty()) return false;
    if (version.compare(wanted) < 0 || wanted.segments.size() > version.segments.size())
        return false;
    const auto shared = static_cast<std::ptrdiff_t>(wanted.written - 1);
    return std::equal(wanted.segments.begin(), wanted.segments.begin() + shared,
                      version.segments.begin());
}

bool meets_one(const Version& version, std::string_view term, VersionSyntax syntax) {
    term = trimmed(term);
    const std::size_t length = std::min(term.find_first_not_of("=!<>~"), term.size());
    const std::string_view sign = term.substr(0, length);
    const auto wanted = parse_version(trimmed(term.substr(length)), syntax);
    if (!wanted) return false;
    const auto order = version.compare(*wanted);
    if (sign.empty() || sign == "=") return order == 0;
    if (sign == "!=") return order != 0;
    if (sign == "~>") return syntax == VersionSyntax::lenient && pessimistic(version, *wanted);
    if (syntax == VersionSyntax::lenient && !prerelease_admitted(version, *wanted)) return false;
    if (sign == "<") return order < 0;
    if (sign == "<=") return order <= 0;
    if (sign == ">") return order > 0;
    return sign == ">=" && order >= 0;
}

bool leading_zero(std::string_view digits) { return digits.size() > 1 && digits.front() == '0'; }

}  // namespace

std::strong_ordering Version::compare(const Version& other) const {
    for (std::size_t i = 0; i < std::max(segments.size(), other.segments.size()); ++i) {
        const std::uint64_t mine = i < segments.size() ? segments[i] : 0;
        const std::uint64_t theirs = i < other.segments.size() ? other.segments[i] : 0;
        if (mine != theirs) return mine <=> theirs;
    }
    return compare_prereleases(prerelease, other.prerelease);
}

std::optional<Version> parse_version(std::string_view text, VersionSyntax syntax) {
    const bool strict = syntax == VersionSyntax::semver;
    if (!strict && text.starts_with('v')) text.remove_prefix(1);
    const std::size_t plus = text.find('+');
    if (plus != std::string_view::npos) {
        if (!identifiers_ok(text.substr(plus + 1))) return std::nullopt;
        text = text.substr(0, plus);
    }

    Version version;
    for (;;) {
        const auto end = std::find_if_not(text.begin(), text.end(), is_digit);
        const std::string_view digits =
            text.substr(0, static_cast<std::size_t>(end - text.begin()));
        const auto segment = number(digits);
        if (!segment || version.written == kSegmentsMax) return std::nullopt;
        if (strict && leading_zero(digits)) return std::nullopt;
        version.segments.push_back(*segment);
        ++version.written;
        text.remove_prefix(digits.size());
        if (text.size() < 2 || text[0] != '.' || !is_digit(text[1])) break;
        text.remove_prefix(1);
    }
    if (strict && version.written != 3) return std::nullopt;
    version.segments.resize(std::max<std::size_t>(3, version.segments.size()));

    if (text.empty()) return version;
    if (text.front() == '-')
        text.remove_prefix(1);
    else if (strict || !(is_letter(text.front()) || text.front() == '~'))
        return std::nullopt;
    if (!identifiers_ok(text)) return std::nullopt;
    version.prerelease = text;
    return version;
}

bool version_meets(std::string_view text, std::string_view wanted, VersionSyntax syntax) {
    const auto version = parse_version(trimmed(text), syntax);
    if (!version || trimmed(wanted).empty()) return false;
    while (!wanted.empty()) {
        if (!meets_one(*version, cut(wanted, ','), syntax)) return false;
    }
    return true;
}

}  // namespace gaggle
