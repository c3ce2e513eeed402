// A container engine that behaves: it answers by a script, or hangs, dies, errs.
//
// Listens on a Unix socket of its own and serves each connection on a thread. A route is a method
// and the beginning of a target; its answer is written and the connection closed.
#pragma once

#include <doctest/doctest.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>
#include <functional>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "base/unique_fd.h"
#include "tests/allocrunner/scratch.h"

namespace gaggle::allocrunner {

class FakeEngine {
  public:
    using Serve = std::function<void(int connection, const std::string& request)>;

    FakeEngine() : path_(scratch_.path() + "/engine.sock") { listen_on(); }
    ~FakeEngine() { stop(); }
    FakeEngine(const FakeEngine&) = delete;
    FakeEngine& operator=(const FakeEngine&) = delete;

    const std::string& socket() const { return path_; }

    /// Later routes win. `request` is what came at once: head and a short body.
    void on(std::string method_and_target, Serve serve) {
        const std::lock_guard lock(mutex_);
        routes_.insert(routes_.begin(), {std::move(method_and_target), std::move(serve)});
    }
    void answer(std::string method_and_target, int status, const std::string& body) {
        on(std::move(method_and_target), [=](int connection, const std::string&) {
            say(connection, "HTTP/1.1 " + std::to_string(status) +
                                " X\r\nContent-Type: application/json\r\nContent-Length: " +
                                std::to_string(body.size()) + "\r\n\r\n" + body);
        });
    }
    /// The connection stays open and nothing comes, until the engine stops.
    void hang(std::string method_and_target) {
        on(std::move(method_and_target), [this](int connection, const std::string&) {
            pollfd waits[2] = {{connection, POLLIN, 0}, {stopping_[0], POLLIN, 0}};
            poll(waits, 2, 60'000);
        });
    }

    std::vector<std::string> heard() {
        const std::lock_guard lock(mutex_);
        return heard_;
    }
    bool was_asked(const std::string& beginning) {
        for (const std::string& line : heard())
            if (line.starts_with(beginning)) return true;
        return false;
    }

    bool heard_line(const std::string& whole) {
        const std::vector<std::string> lines = heard();
        return std::find(lines.begin(), lines.end(), whole) != lines.end();
    }
    void forget_heard() {
        const std::lock_guard lock(mutex_);
        heard_.clear();
    }

    static void say(int connection, const std::string& text) {
        for (std::size_t at = 0; at < text.size();) {
            const ssize_t part = send(connection, text.data() + at, text.size() - at, MSG_NOSIGNAL);
            if (part <= 0) return;
            at += static_cast<std::size_t>(part);
        }
    }
    static std::string frame(int stream, const std::string& text) {
        std::string out(8, '\0');
        out[0] = static_cast<char>(stream);
        out[7] = static_cast<char>(text.size());
        return out + text;
    }

    /// Nobody listens any more; connections under way are cut.
    void stop() {
        if (!listening_) return;
        if (write(stopping_[1], "x", 1) < 0) return;
        acceptor_.join();
        for (std::thread& thread : threads_) thread.join();
        threads_.clear();
        listening_.reset();
        close(stopping_[0]);
        close(stopping_[1]);
        unlink(path_.c_str());
    }
    void start_again() { listen_on(); }

  private:
    void listen_on() {
        REQUIRE(pipe(stopping_) == 0);
        sockaddr_un address{};
        address.sun_family = AF_UNIX;
        std::strcpy(address.sun_path, path_.c_str());
        listening_.reset(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
        REQUIRE(bind(listening_.get(), reinterpret_cast<sockaddr*>(&address), sizeof address) == 0);
        REQUIRE(listen(listening_.get(), 16) == 0);
        acceptor_ = std::thread([this] { accept_all(); });
    }

    void accept_all() {
        for (;;) {
            pollfd waits[2] = {{listening_.get(), POLLIN, 0}, {stopping_[0], POLLIN, 0}};
            poll(waits, 2, -1);
            if (waits[1].revents != 0) return;
            const int connection = accept4(listening_.get(), nullptr, nullptr, SOCK_CLOEXEC);
            if (connection >= 0) threads_.emplace_back([this, connection] { serve(connection); });
        }
    }

    void serve(int connection) {
        const UniqueFd owner(connection);
        std::string request;
        while (request.find("\r\n\r\n") == std::string::npos) {
            char bytes[4096];
            const ssize_t got = read(connection, bytes, sizeof bytes);
            if (got <= 0) return;
            request.append(bytes, static_cast<std::size_t>(got));
        }
        const std::string line = request.substr(0, request.find(" HTTP/"));
        Serve route;
        {
            const std::lock_guard lock(mutex_);
            heard_.push_back(line);
            for (const auto& [beginning, serve] : routes_)
                if (!route && line.starts_with(beginning)) route = serve;
        }
        if (route) return route(connection, request);
        say(connection, "HTTP/1.1 404 X\r\nContent-Length: 21\r\n\r\n{\"message\":\"no such\"}");
    }

    ScratchDir scratch_;
    std::string path_;
    UniqueFd listening_;
    int stopping_[2] = {-1, -1};
    std::thread acceptor_;
    std::vector<std::thread> threads_;
    std::mutex mutex_;
    std::vector<std::pair<std::string, Serve>> routes_;
    std::vector<std::string> heard_;
};

}  // namespace gaggle::allocrunner
