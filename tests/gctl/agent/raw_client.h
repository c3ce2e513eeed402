// An HTTP client for tests: says what it is told and reads until the server closes.
#pragma once

#include <arpa/inet.h>
#include <doctest/doctest.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <string>

namespace gaggle {

class RawClient {
  public:
    explicit RawClient(std::uint16_t port) : fd_(socket(AF_INET, SOCK_STREAM, 0)) {
        sockaddr_in to{};
        to.sin_family = AF_INET;
        to.sin_port = htons(port);
        inet_pton(AF_INET, "127.0.0.1", &to.sin_addr);
        REQUIRE(connect(fd_, reinterpret_cast<sockaddr*>(&to), sizeof to) == 0);
        timeval patience{10, 0};
        setsockopt(fd_, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    }
    ~RawClient() { ::close(fd_); }
    RawClient(const RawClient&) = delete;
    RawClient& operator=(const RawClient&) = delete;

    void say(const std::string& text) {
        CHECK(send(fd_, text.data(), text.size(), MSG_NOSIGNAL) > 0);
    }
    std::string all() {
        std::string out;
        char buffer[4096];
        for (ssize_t got = 0; (got = recv(fd_, buffer, sizeof buffer, 0)) > 0;)
            out.append(buffer, got);
        return out;
    }
    /// What comes until `mark` has come `times`, or the server closes or is silent for 10 s.
    std::string until(const std::string& mark, int times = 1) {
        std::string out;
        const auto enough = [&] {
            int found = 0;
            for (auto at = out.find(mark); at != std::string::npos; at = out.find(mark, at + 1))
                ++found;
            return found >= times;
        };
        char buffer[4096];
        for (ssize_t got = 1; got > 0 && !enough();)
            if (got = recv(fd_, buffer, sizeof buffer, 0); got > 0) out.append(buffer, got);
        return out;
    }
    /// Also when the server has closed.
    bool answered_within(int milliseconds) const {
        pollfd what{.fd = fd_, .events = POLLIN, .revents = 0};
        return ::poll(&what, 1, milliseconds) > 0;
    }
    void hang_up() { shutdown(fd_, SHUT_RDWR); }

  private:
    int fd_;
};

}  // namespace gaggle
