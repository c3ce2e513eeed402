#include "allocrunner/drivers/image_name.h"

#include <algorithm>

namespace gaggle::allocrunner {

namespace {

constexpr std::size_t kTagMax = 128;
constexpr std::size_t kHexMin = 32;

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }
bool is_alnum(char c) { return is_digit(c) || is_letter(c); }
bool is_hex(char c) { return is_digit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F'); }

bool all(std::string_view text, bool (*is)(char)) {
    return !text.empty() && std::all_of(text.begin(), text.end(), is);
}

/// [A-Za-z0-9_][A-Za-z0-9_.-]{0,127}
bool is_tag(std::string_view text) {
    const auto inside = [](char c) { return is_alnum(c) || c == '_' || c == '.' || c == '-'; };
    return text.size() <= kTagMax && all(text, inside) && text[0] != '.' && text[0] != '-';
}

/// "sha256", "sha256+b64": words that begin with a letter, with one of `-_+.` between.
bool is_algorithm(std::string_view text) {
    bool begins = true;
    for (const char c : text) {
        const bool between = !begins && (c == '-' || c == '_' || c == '+' || c == '.');
        if (!between && !(begins ? is_letter(c) : is_alnum(c))) return false;
        begins = between;
    }
    return !begins;
}

bool is_digest(std::string_view text) {
    const std::size_t colon = std::min(text.find(':'), text.size());
    const std::string_view hex = text.substr(std::min(colon + 1, text.size()));
    return is_algorithm(text.substr(0, colon)) && hex.size() >= kHexMin && all(hex, is_hex);
}

/// Of a path: letters and digits, with `._-` only between them. So ".." is none.
bool is_component(std::string_view text) {
    const auto inside = [](char c) { return is_alnum(c) || c == '_' || c == '.' || c == '-'; };
    return all(text, inside) && is_alnum(text.front()) && is_alnum(text.back());
}

/// "registry.example.com", "localhost:5000", "[fd00::1]:5000".
bool is_host(std::string_view text) {
    if (const std::size_t end = text.rfind(']'); text.starts_with('[')) {
        const auto inside = [](char c) { return is_hex(c) || c == ':' || c == '.'; };
        if (end == std::string_view::npos || !all(text.substr(1, end - 1), inside)) return false;
        text.remove_prefix(end + 1);
        return text.empty() || (text.starts_with(':') && all(text.substr(1), is_digit));
    }
    const std::size_t colon = text.find(':');
    if (colon == std::string_view::npos) return is_component(text);
    return is_component(text.substr(0, colon)) && all(text.substr(colon + 1), is_digit);
}

bool is_repository(std::string_view text) {
    if (const std::size_t slash = text.find('/'); slash != std::string_view::npos) {
        if (!is_host(text.substr(0, slash))) return false;
        text.remove_prefix(slash + 1);
    }
    for (;;) {
        const std::size_t slash = text.find('/');
        if (!is_component(text.substr(0, slash))) return false;
        if (slash == std::string_view::npos) return true;
        text.remove_prefix(slash + 1);
    }
}

}  // namespace

std::string ImageName::whole() const {
    if (!digest.empty()) return repository + "@" + digest;
    return repository + ":" + tag;
}

Result<ImageName> image_name(std::string_view text) {
    const Error wrong{Errc::invalid, "config of driver docker: image \"" + std::string(text) +
                                         "\" is no name of an image; write for instance image = "
                                         "\"redis:7\""};
    if (text.starts_with("https://")) text.remove_prefix(8);
    ImageName out;
    if (const std::size_t at = text.find('@'); at != std::string_view::npos) {
        out.digest = text.substr(at + 1);
        text = text.substr(0, at);
        if (!is_digest(out.digest)) return wrong;
    }
    const std::size_t colon = text.rfind(':');
    const bool tagged =
        colon != std::string_view::npos && text.find('/', colon) == std::string_view::npos;
    if (tagged) {
        out.tag = text.substr(colon + 1);
        text = text.substr(0, colon);
        if (!is_tag(out.tag)) return wrong;
    }
    if (!is_repository(text)) return wrong;
    out.repository = text;
    if (!tagged && out.digest.empty()) out.tag = "latest";
    if (!out.digest.empty()) out.tag.clear();
    return out;
}

}  // namespace gaggle::allocrunner
