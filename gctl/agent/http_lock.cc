#include "gctl/agent/http_lock.h"

#include <string_view>

#include "gctl/agent/json_value.h"
#include "placement/jobspec/value_json.h"

namespace gaggle {

namespace {

std::string_view without_port(std::string_view host) {
    if (!host.empty() && host.front() == '[') {
        const auto end = host.find(']');
        return end == std::string_view::npos ? host : host.substr(1, end - 1);
    }
    return host.substr(0, host.find(':'));
}

/// Loopback answers to its usual names too; any other address only to itself.
bool names_us(std::string_view host, std::string_view bound) {
    if (host == bound) return true;
    const bool loopback = bound.starts_with("127.") || bound == "::1";
    return loopback && (host == "localhost" || host == "127.0.0.1" || host == "::1");
}

/// In constant time for equal lengths, so that a token cannot be guessed byte by byte.
bool same(std::string_view a, std::string_view b) {
    if (a.size() != b.size()) return false;
    unsigned difference = 0;
    for (std::size_t at = 0; at < a.size(); ++at)
        difference |= static_cast<unsigned char>(a[at]) ^ static_cast<unsigned char>(b[at]);
    return difference == 0;
}

}  // namespace

std::optional<LockRefusal> http_lock(const std::string& bound, const std::string& token,
                                     const LockedHeaders& headers) {
    if (!names_us(without_port(headers.host), bound))
        return LockRefusal{403, "refused: the Host header names \"" + headers.host +
                                    "\", and this server is " + bound +
                                    "; ask it by its own address"};
    const auto scheme = headers.origin.find("://");
    const bool same_origin = scheme != std::string::npos &&
                             std::string_view(headers.origin).substr(scheme + 3) == headers.host;
    if (!headers.origin.empty() && !same_origin)
        return LockRefusal{403, "refused: a request from the web origin " + headers.origin};
    if (token.empty()) return std::nullopt;
    constexpr std::string_view kBearer = "Bearer ";
    const std::string_view bearer =
        std::string_view(headers.authorization).starts_with(kBearer)
            ? std::string_view(headers.authorization).substr(kBearer.size())
            : std::string_view{};
    if (same(headers.token, token) || same(bearer, token)) return std::nullopt;
    const bool given = !headers.token.empty() || !bearer.empty();
    return LockRefusal{403, given ? "Permission denied: the token is not this agent's"
                                  : "Permission denied: a token is needed; send the content of the "
                                    "agent's http-token file as X-Nomad-Token, or set NOMAD_TOKEN"};
}

bool opens_the_lock(const std::string& token, const std::string& first_message) {
    const Result<Value> value = value_from_json(first_message);
    return value.ok() && same(member_or<std::string>(*value, "auth_token", ""), token);
}

}  // namespace gaggle
