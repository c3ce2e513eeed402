// A blocking HTTP/1.1 client: one request, one connection, one answer, or a stream of pieces.
//
// It knows no path and no JSON. Plain HTTP only: the agent's API is on loopback unless the operator
// says otherwise.
#pragma once

#include <cstdint>
#include <functional>
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

  private:
    HttpAddress address_;
    std::string token_;
};

}  // namespace gaggle::cli
