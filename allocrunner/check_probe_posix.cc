#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "allocrunner/check_probe.h"

namespace gaggle::allocrunner {

namespace {

constexpr std::size_t kStatusLineMax = 1'024;

ProbeResult failure(const std::string& target, int error) {
    return {false, target + ": " + std::strerror(error)};
}

/// Nothing unless `host` is an IP address.
std::optional<std::pair<sockaddr_storage, socklen_t>> address_of(const std::string& host,
                                                                 std::uint16_t port) {
    sockaddr_storage room{};
    auto* v4 = reinterpret_cast<sockaddr_in*>(&room);
    if (inet_pton(AF_INET, host.c_str(), &v4->sin_addr) == 1) {
        v4->sin_family = AF_INET;
        v4->sin_port = htons(port);
        return std::pair{room, static_cast<socklen_t>(sizeof *v4)};
    }
    auto* v6 = reinterpret_cast<sockaddr_in6*>(&room);
    if (inet_pton(AF_INET6, host.c_str(), &v6->sin6_addr) != 1) return std::nullopt;
    v6->sin6_family = AF_INET6;
    v6->sin6_port = htons(port);
    return std::pair{room, static_cast<socklen_t>(sizeof *v6)};
}

}  // namespace

std::string CheckProbe::target() const {
    const std::string& path = check_.path;
    return check_.type + " " + check_.host + ":" + std::to_string(check_.port) +
           (check_.type == "http" ? (path.starts_with('/') ? path : "/" + path) : std::string());
}

std::optional<ProbeResult> CheckProbe::begin() {
    if (check_.type != "tcp" && check_.type != "http")
        return ProbeResult{false,
                           "check type \"" + check_.type + "\" is not known; use tcp or http"};
    const auto address = address_of(check_.host, check_.port);
    if (!address) return ProbeResult{false, target() + ": not an IP address"};
    const int family = address->first.ss_family;
    fd_.reset(socket(family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
    if (!fd_) return failure(target(), errno);
    const auto* to = reinterpret_cast<const sockaddr*>(&address->first);
    if (connect(fd_.get(), to, address->second) == 0) return advance();
    if (errno == EINPROGRESS) return std::nullopt;
    return failure(target(), errno);
}

std::optional<ProbeResult> CheckProbe::advance() {
    if (asked_) return hear();
    int error = 0;
    socklen_t size = sizeof error;
    if (getsockopt(fd_.get(), SOL_SOCKET, SO_ERROR, &error, &size) != 0) error = errno;
    if (error != 0) return failure(target(), error);
    if (check_.type == "tcp") return ProbeResult{true, target() + ": connected"};
    return ask();
}

std::optional<ProbeResult> CheckProbe::ask() {
    const std::string path = check_.path.starts_with('/') ? check_.path : "/" + check_.path;
    const std::string request = (check_.method.empty() ? "GET" : check_.method) + " " + path +
                                " HTTP/1.1\r\nHost: " + check_.host + ":" +
                                std::to_string(check_.port) +
                                "\r\nUser-Agent: gaggle-check\r\nConnection: close\r\n\r\n";
    // A fresh connection takes so little at once, or it is not healthy.
    if (send(fd_.get(), request.data(), request.size(), MSG_NOSIGNAL) !=
        static_cast<ssize_t>(request.size()))
        return failure(target(), errno);
    asked_ = true;
    return std::nullopt;
}

std::optional<ProbeResult> CheckProbe::hear() {
    char bytes[512];
    const ssize_t got = read(fd_.get(), bytes, sizeof bytes);
    if (got < 0 && (errno == EAGAIN || errno == EINTR)) return std::nullopt;
    if (got < 0) return failure(target(), errno);
    answer_.append(bytes, static_cast<std::size_t>(got));
    auto judged = judge_http(answer_);
    if (!judged && (got == 0 || answer_.size() > kStatusLineMax))
        judged = ProbeResult{false, "no HTTP answer"};
    if (judged) judged->output = target() + ": " + judged->output;
    return judged;
}

ProbeResult CheckProbe::timed_out() const {
    return {false, target() + ": no answer within " + for_people(check_.timeout)};
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
    return ProbeResult{code[0] == '2' || code == "429", line.substr(9)};
}

}  // namespace gaggle::allocrunner
