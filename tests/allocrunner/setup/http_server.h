// A web server of a few lines, for tests: it says what it was told to say, also badly.
#pragma once

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <functional>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

namespace gaggle::setup {

class HttpServer {
  public:
    /// `answer` gets the request's head and gives all that is sent, with its head. With `stalls` in
    /// it the connection then stays open and silent.
    explicit HttpServer(std::function<std::string(const std::string& head)> answer)
        : answer_(std::move(answer)), listener_(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
        sockaddr_in address{};
        address.sin_family = AF_INET;
        address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        socklen_t size = sizeof address;
        bind(listener_, reinterpret_cast<sockaddr*>(&address), size);
        listen(listener_, 16);
        getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &size);
        port_ = ntohs(address.sin_port);
        thread_ = std::thread([this] { run(); });
    }

    ~HttpServer() {
        shutdown(listener_, SHUT_RDWR);
        thread_.join();
        close(listener_);
        for (const int fd : held_) close(fd);
    }

    std::string url(const std::string& path) const {
        return "http://127.0.0.1:" + std::to_string(port_) + path;
    }
    std::vector<std::string> heads() const {
        const std::lock_guard lock(mutex_);
        return heads_;
    }

    static std::string ok(const std::string& body) {
        return "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: " +
               std::to_string(body.size()) + "\r\n\r\n" + body;
    }
    static std::string status(const std::string& line, const std::string& headers = "") {
        return "HTTP/1.1 " + line + "\r\nConnection: close\r\nContent-Length: 0\r\n" + headers +
               "\r\n";
    }
    /// Promises more than it sends, and sends no more.
    static std::string stalling() {
        return "HTTP/1.1 200 OK\r\nX-Stalls: yes\r\nContent-Length: 1000\r\n\r\nbegin";
    }

  private:
    void run() {
        for (;;) {
            const int fd = accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
            if (fd < 0) return;
            std::string head;
            char part[4096];
            while (head.find("\r\n\r\n") == std::string::npos) {
                const ssize_t got = read(fd, part, sizeof part);
                if (got <= 0) break;
                head.append(part, static_cast<std::size_t>(got));
            }
            const std::string said = answer_(head);
            for (std::size_t at = 0; at < said.size();) {
                const ssize_t sent = send(fd, said.data() + at, said.size() - at, MSG_NOSIGNAL);
                if (sent <= 0) break;
                at += static_cast<std::size_t>(sent);
            }
            if (said.find("X-Stalls") != std::string::npos)
                held_.push_back(fd);
            else
                close(fd);
            const std::lock_guard lock(mutex_);
            heads_.push_back(head);
        }
    }

    std::function<std::string(const std::string&)> answer_;
    int listener_;
    int port_ = 0;
    std::vector<int> held_;
    mutable std::mutex mutex_;
    std::vector<std::string> heads_;
    std::thread thread_;
};

/// The path that a request asks for.
inline std::string path_of(const std::string& head) {
    const std::size_t from = head.find(' ') + 1;
    return head.substr(from, head.find(' ', from) - from);
}

}  // namespace gaggle::setup
