#include "allocrunner/setup/checksum.h"

#include <algorithm>
#include <array>

namespace gaggle::setup {

namespace {

struct KindName {
    const char* name;
    std::size_t digits;
};
/// In the order of Checksum::Kind.
constexpr std::array kKinds = {KindName{"md5", 32}, KindName{"sha1", 40}, KindName{"sha256", 64},
                               KindName{"sha512", 128}};

std::string lower(std::string_view text) {
    std::string out(text);
    for (char& c : out)
        if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
    return out;
}

bool is_hex(std::string_view text) {
    return text.find_first_not_of("0123456789abcdef") == std::string_view::npos;
}

std::string_view word(std::string_view& line) {
    line.remove_prefix(std::min(line.find_first_not_of(" \t\r"), line.size()));
    const std::size_t end = std::min(line.find_first_of(" \t\r"), line.size());
    const std::string_view out = line.substr(0, end);
    line.remove_prefix(end);
    return out;
}

/// "<hex>  name", "<hex> *name", or "SHA256 (name) = <hex>".
std::optional<Checksum> in_line(std::string_view line, const std::string& name) {
    const std::string_view first = word(line);
    std::string_view second = word(line);
    if (second.starts_with('(') && second.ends_with(')') && word(line) == "=") {
        const auto sum = parse_checksum(lower(first) + ":" + std::string(word(line)));
        const bool ours = second.substr(1, second.size() - 2) == name;
        return ours && sum.ok() ? std::optional(*sum) : std::nullopt;
    }
    if (second.starts_with('*')) second.remove_prefix(1);
    if (second.starts_with("./")) second.remove_prefix(2);
    const auto sum = parse_checksum(first);
    return second == name && sum.ok() ? std::optional(*sum) : std::nullopt;
}

}  // namespace

const char* to_string(Checksum::Kind kind) {
    return kKinds.at(static_cast<std::size_t>(kind)).name;
}

Result<Checksum> parse_checksum(std::string_view text) {
    const std::size_t colon = text.find(':');
    const std::string told = colon == std::string_view::npos ? "" : lower(text.substr(0, colon));
    const std::string hex = lower(colon == std::string_view::npos ? text : text.substr(colon + 1));
    for (std::size_t at = 0; at < kKinds.size(); ++at) {
        const bool fits = hex.size() == kKinds[at].digits && is_hex(hex);
        if (fits && (told.empty() || told == kKinds[at].name))
            return Checksum{static_cast<Checksum::Kind>(at), hex};
    }
    return Error{Errc::invalid, "checksum \"" + std::string(text) +
                                    "\" is not one; write md5:, sha1:, sha256: or sha512: and as "
                                    "many hexadecimal digits as that has"};
}

Result<Checksum> checksum_in_list(std::string_view list, const std::string& file_name) {
    while (!list.empty()) {
        const std::size_t end = std::min(list.find('\n'), list.size());
        if (const auto sum = in_line(list.substr(0, end), file_name)) return *sum;
        list.remove_prefix(std::min(end + 1, list.size()));
    }
    return Error{Errc::not_found, "the list of checksums has no line for " + file_name};
}

}  // namespace gaggle::setup
