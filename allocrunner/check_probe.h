// One probe of a service's check over a socket that never blocks: TCP connects, HTTP also asks,
// inside TLS where the check says so (tls_client.h).
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "allocrunner/effects.h"
#include "allocrunner/tls_client.h"
#include "base/unique_fd.h"

namespace gaggle::allocrunner {

struct ProbeResult {
    bool ok = false;
    std::string output;  ///< for people
    bool warning = false;
    std::uint16_t code = 0;  ///< of the HTTP answer; 0: there is none
};

class CheckProbe {
  public:
    explicit CheckProbe(RunCheck check) : check_(std::move(check)) {}

    /// Begins to connect. A result when it is decided already.
    std::optional<ProbeResult> begin();
    /// The socket is ready. A result when the probe is decided.
    std::optional<ProbeResult> advance();
    ProbeResult timed_out() const;

    int fd() const { return fd_.get(); }
    bool wants_to_read() const { return connected_ && outgoing_.empty(); }
    const RunCheck& check() const { return check_; }

  private:
    std::optional<ProbeResult> connected();
    std::optional<ProbeResult> send_on();
    std::optional<ProbeResult> hear();
    Result<void> take_in(std::string_view bytes);
    ProbeResult failure(const std::string& why) const;
    std::string target() const;

    RunCheck check_;
    UniqueFd fd_;
    bool connected_ = false;
    std::optional<TlsClient> tls_;
    std::string outgoing_;  ///< what is to be sent now
    std::string answer_;
};

/// The request of a check over HTTP. Without a `Host` of its own it names the target.
std::string http_request(const RunCheck& check);

/// What an HTTP answer that begins with `text` means; nothing when the status line is not complete.
/// 2xx passes, and 429 with it as Nomad's warning; everything else fails.
std::optional<ProbeResult> judge_http(const std::string& text);

}  // namespace gaggle::allocrunner
