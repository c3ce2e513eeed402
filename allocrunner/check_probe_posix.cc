#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <utility>

#include "allocrunner/check_probe.h"
#include "allocrunner/socket_address_posix.h"

namespace gaggle::allocrunner {

namespace {

constexpr std::size_t kStatusLineMax = 1'024;

}  // namespace

std::string CheckProbe::target() const {
    const std::string& path = check_.path;
    return (check_.tls ? "https" : check_.type) + " " + check_.host + ":" +
           std::to_string(check_.port) +
           (check_.type == "http" ? (path.starts_with('/') ? path : "/" + path) : std::string());
}

ProbeResult CheckProbe::failure(const std::string& why) const {
    return {false, target() + ": " + why};
}

std::optional<ProbeResult> CheckProbe::begin() {
    if (check_.type != "tcp" && check_.type != "http")
        return ProbeResult{false,
                           "check type \"" + check_.type + "\" is not known; use tcp or http"};
    const auto address = socket_address(check_.host, check_.port);
    if (!address) return failure("not an IP address");
    fd_.reset(socket(address->family(), SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
    if (!fd_) return failure(std::strerror(errno));
    if (connect(fd_.get(), address->get(), address->size) == 0) return advance();
    if (errno == EINPROGRESS) return std::nullopt;
    return failure(std::strerror(errno));
}

std::optional<ProbeResult> CheckProbe::advance() {
    if (!connected_) return connected();
    return outgoing_.empty() ? hear() : send_on();
}

std::optional<ProbeResult> CheckProbe::connected() {
    int error = 0;
    socklen_t size = sizeof error;
    if (getsockopt(fd_.get(), SOL_SOCKET, SO_ERROR, &error, &size) != 0) error = errno;
    if (error != 0) return failure(std::strerror(error));
    connected_ = true;
    if (check_.type == "tcp") return ProbeResult{true, target() + ": connected"};
    outgoing_ = http_request(check_);
    if (!check_.tls) return send_on();
    auto tls = TlsClient::open(*check_.tls, check_.host);
    if (!tls.ok()) return failure(tls.error().detail);
    tls_.emplace(std::move(*tls));
    const Result<void> said = tls_->say(std::exchange(outgoing_, {}));
    if (!said.ok()) return failure(said.error().detail);
    outgoing_ = tls_->take_outgoing();
    return send_on();
}

/// A large body may take more than one turn.
std::optional<ProbeResult> CheckProbe::send_on() {
    const ssize_t sent =
        send(fd_.get(), outgoing_.data(), outgoing_.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
    if (sent < 0 && errno != EAGAIN && errno != EINTR) return failure(std::strerror(errno));
    if (sent > 0) outgoing_.erase(0, static_cast<std::size_t>(sent));
    return std::nullopt;
}

std::optional<ProbeResult> CheckProbe::hear() {
    char bytes[4096];
    const ssize_t got = read(fd_.get(), bytes, sizeof bytes);
    if (got < 0 && (errno == EAGAIN || errno == EINTR)) return std::nullopt;
    if (got < 0) return failure(std::strerror(errno));
    const Result<void> taken = take_in({bytes, static_cast<std::size_t>(got)});
    auto judged = judge_http(answer_);
    if (!judged && !taken.ok()) return failure(taken.error().detail);
    if (!judged && got == 0 && tls_ && !tls_->established())
        return failure("the server ended the connection before the TLS handshake was done");
    if (!judged && (got == 0 || answer_.size() > kStatusLineMax))
        judged = ProbeResult{false, "no HTTP answer"};
    if (judged) judged->output = target() + ": " + judged->output;
    return judged;
}

/// Plain or out of TLS, into the answer. A certificate that is refused can be mended in two ways.
Result<void> CheckProbe::take_in(std::string_view bytes) {
    if (!tls_) {
        answer_ += bytes;
        return {};
    }
    Result<void> received = tls_->receive(bytes);
    answer_ += tls_->take_text();
    outgoing_ += tls_->take_outgoing();
    if (received.ok() || received.error().code != Errc::denied) return received;
    return {Errc::denied, received.error().detail +
                              "; add its CA to /etc/ssl/certs of this peer, or set "
                              "tls_skip_verify = true"};
}

ProbeResult CheckProbe::timed_out() const {
    return {false, target() + ": no answer within " + for_people(check_.timeout)};
}

std::string http_request(const RunCheck& check) {
    const std::string path = check.path.starts_with('/') ? check.path : "/" + check.path;
    std::string lines;
    bool has_host = false, has_agent = false;
    for (const auto& [name, values] : check.header) {
        has_host = has_host || strcasecmp(name.c_str(), "host") == 0;
        has_agent = has_agent || strcasecmp(name.c_str(), "user-agent") == 0;
        for (const std::string& value : values) lines += name + ": " + value + "\r\n";
    }
    if (!has_host) lines += "Host: " + check.host + ":" + std::to_string(check.port) + "\r\n";
    if (!has_agent) lines += "User-Agent: gaggle-check\r\n";
    if (!check.body.empty())
        lines += "Content-Length: " + std::to_string(check.body.size()) + "\r\n";
    return (check.method.empty() ? "GET" : check.method) + " " + path + " HTTP/1.1\r\n" + lines +
           "Connection: close\r\n\r\n" + check.body;
}

std::optional<ProbeResult> judge_http(const std::string& text) {
    const std::size_t end = text.find("\r\n");
    if (end == std::string::npos) return std::nullopt;
    const std::string line = text.substr(0, end);
    // "HTTP/1.1 204 No Content"
    const bool shaped = line.starts_with("HTTP/1.") && line.size() >= 12 && line[8] == ' ' &&
                        line.find_first_not_of("0123456789", 9) >= 12 &&
                        (line.size() == 12 || line[12] == ' ');
    if (!shaped) return ProbeResult{false, "no HTTP answer"};
    const std::string code = line.substr(9, 3);
    const bool warning = code == "429";
    const int number = (code[0] - '0') * 100 + (code[1] - '0') * 10 + (code[2] - '0');
    return ProbeResult{code[0] == '2' || warning, line.substr(9), warning,
                       static_cast<std::uint16_t>(number)};
}

}  // namespace gaggle::allocrunner
