// A blocking HTTP/1.1 client: one request, one connection, one answer, or a stream of pieces.
//
// It knows no path and no JSON. Plain HTTP only: the agent's API is on loopback unless the operator
// says otherwise.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "base/time.h"

namespace gaggle::cli {

struct HttpAddress {
    std::string host = "127.0.0.1";  ///< an IPv6 address without its brackets
    std::uint16_t port = 4646;

    std::string url() const;
    /// "host:port", as the Host header has it.
    std::string authority() const;
    bool operator==(const HttpAddress&) const = default;
};

/// "http://host:port", "host:port" or "host"; `invalid` for https and what is no address.
Result<HttpAddress> parse_address(std::string_view text);

/// Each byte that is not unreserved (RFC 3986 section 2.3) as %XX.
std::string url_encoded(std::string_view text);

struct HttpReply {
    int status = 0;
    std::string body;
};

/// How a command in a task meets this process.
struct ExecStyle {
    bool input = true;           ///< standard input is passed on; otherwise its end is
    bool terminal = false;       ///< raw, with its size; requires that input and output are one
    std::optional<char> escape;  ///< see escape.h
    std::function<void(std::string_view)> out, err;
};
struct ExecReply {
    int exit_code = 0;
    HttpReply refused;  ///< status 0: it was not
};

class HttpClient {
  public:
    HttpClient(HttpAddress address, std::string token);

    const HttpAddress& address() const { return address_; }

    /// `unavailable`: nobody listens there; `timeout`; `io`: broken off in the middle.
    Result<HttpReply> request(std::string_view method, const std::string& target,
                              const std::string& body, Duration timeout) const;

    /// GET whose body goes to `piece` as it comes, until it ends or `piece` returns false. Waits
    /// without limit between pieces. The reply's body is filled only when the status is not 200.
    Result<HttpReply> stream(const std::string& target,
                             const std::function<bool(std::string_view)>& piece) const;

    /// A WebSocket to `target`, until its command has ended. `unavailable`: it broke off.
    Result<ExecReply> exec(const std::string& target, const ExecStyle& style) const;

  private:
    HttpAddress address_;
    std::string token_;
};

}  // namespace gaggle::cli
