// The lock of the HTTP API: who may speak to it at all (DESIGN section 11).
//
// A token alone does not stop a web page in the operator's browser that found a way to send it (DNS
// rebinding, a cross-site form): so Host must name this server and Origin, where a browser sends
// one, must equal Host. Pure: it judges four header values.
#pragma once

#include <optional>
#include <string>

namespace gaggle {

struct LockedHeaders {
    std::string host;
    std::string origin;         ///< empty: not sent, so not a browser's cross-site request
    std::string token;          ///< X-Nomad-Token
    std::string authorization;  ///< "Bearer ..."
};

struct LockRefusal {
    int status = 403;
    std::string why;
};

/// Nothing: may pass. `bound` is the address that the server listens on; an empty `token` asks for
/// none.
std::optional<LockRefusal> http_lock(const std::string& bound, const std::string& token,
                                     const LockedHeaders& headers);

/// Whether a WebSocket's first message, as browsers send it who can set no header
/// ({"version":1,"auth_token":"..."}), holds the token.
bool opens_the_lock(const std::string& token, const std::string& first_message);

}  // namespace gaggle
