// The client's end of TLS, as a filter: it owns no socket and never waits.
//
// What comes from the server goes in, what is to be sent to it comes out, and so does the text
// inside. A check over https is then one more thing that the thread `links` carries bytes for.
// Certificates are judged by what the machine trusts: OpenSSL's own places, which the environment's
// SSL_CERT_FILE and SSL_CERT_DIR replace.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "allocrunner/effects.h"
#include "base/result.h"

namespace gaggle::allocrunner {

class TlsClient {
  public:
    /// `host` is an IP address; the certificate must be for it unless `tls` names a server.
    static Result<TlsClient> open(const CheckTls& tls, const std::string& host);
    TlsClient(TlsClient&&) noexcept;
    TlsClient& operator=(TlsClient&&) noexcept;
    ~TlsClient();

    /// For the server, once the handshake is done. Requires that all of an earlier text has left.
    Result<void> say(std::string text);
    /// Bytes from the server. Errc::denied: its certificate was not accepted; Errc::corrupt: what
    /// it says is no TLS that this machine speaks. Nothing goes on after an error.
    Result<void> receive(std::string_view bytes);

    /// The handshake is done.
    bool established() const;

    /// Bytes for the server since the last call; also after an error, for it is told why.
    std::string take_outgoing();
    /// Text from the server since the last call.
    std::string take_text();

  private:
    struct Impl;
    explicit TlsClient(std::unique_ptr<Impl> impl);
    std::unique_ptr<Impl> impl_;
};

}  // namespace gaggle::allocrunner
