#include <charconv>

#include "gctl/cli/http_client.h"

namespace gaggle::cli {

std::string HttpAddress::url() const { return "http://" + authority(); }

std::string HttpAddress::authority() const {
    const bool v6 = host.find(':') != std::string::npos;
    return (v6 ? "[" + host + "]" : host) + ":" + std::to_string(port);
}

Result<HttpAddress> parse_address(std::string_view text) {
    const std::string shown(text);
    const auto bad = [&](const std::string& why) {
        return Error{Errc::invalid, "address \"" + shown + "\": " + why +
                                        "; wanted something like http://127.0.0.1:4646"};
    };
    if (text.starts_with("https://"))
        return bad("this version speaks plain HTTP to the agent only");
    if (text.starts_with("http://")) text.remove_prefix(7);
    if (const auto scheme = text.find("://"); scheme != std::string_view::npos)
        return bad("the agent speaks http, not " + std::string(text.substr(0, scheme)));
    while (text.ends_with('/')) text.remove_suffix(1);
    if (text.find('/') != std::string_view::npos) return bad("there is a path in it");
    HttpAddress out;
    std::string_view port;
    if (text.starts_with('[')) {
        const auto end = text.find(']');
        if (end == std::string_view::npos) return bad("\"]\" is missing");
        out.host = text.substr(1, end - 1);
        port = text.substr(end + 1);
        if (!port.empty() && !port.starts_with(':')) return bad("text after \"]\"");
    } else {
        const auto colon = text.rfind(':');
        out.host = text.substr(0, colon);
        if (colon != std::string_view::npos) port = text.substr(colon);
    }
    if (out.host.empty()) return bad("the host is missing");
    if (port.empty()) return out;
    port.remove_prefix(1);
    const auto [end, failed] = std::from_chars(port.data(), port.data() + port.size(), out.port);
    if (failed != std::errc() || end != port.data() + port.size() || out.port == 0)
        return bad("the port must be 1 to 65535");
    return out;
}

std::string url_encoded(std::string_view text) {
    constexpr std::string_view kHex = "0123456789ABCDEF";
    std::string out;
    for (const char letter : text) {
        const auto byte = static_cast<unsigned char>(letter);
        const bool plain = (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z') ||
                           (byte >= '0' && byte <= '9') || byte == '-' || byte == '.' ||
                           byte == '_' || byte == '~';
        if (plain) {
            out += letter;
        } else {
            out += '%';
            out += kHex[byte >> 4U];
            out += kHex[byte & 15U];
        }
    }
    return out;
}

}  // namespace gaggle::cli
