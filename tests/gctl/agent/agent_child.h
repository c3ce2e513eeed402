// An agent in a process of its own, as `gctl agent` runs it, and a few words of HTTP to it.
//
// The child is forked, so a test that starts one must not have threads of its own at that moment.
#pragma once

#include <arpa/inet.h>
#include <doctest/doctest.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include <optional>

#include "base/unique_fd.h"
#include "gctl/agent/agent.h"
#include "tests/allocrunner/scratch.h"
#include "tests/crypto/sockets_fixture.h"

namespace gaggle::agent {

using allocrunner::eventually;
using allocrunner::ScratchDir;

class AgentChild {
  public:
    /// Temporary directories of the agent are made in `scratch`, and its words are kept there.
    AgentChild(const ScratchDir& scratch, const AgentOptions& options)
        : out_(scratch.path() + "/agent.out"), err_(scratch.path() + "/agent.err") {
        for (const std::string& said : {out_, err_}) std::ofstream(said, std::ios::trunc);
        pid_ = ::fork();
        REQUIRE(pid_ >= 0);
        if (pid_ > 0) return;
        ::setenv("TMPDIR", scratch.path().c_str(), 1);
        redirect(out_, STDOUT_FILENO);
        redirect(err_, STDERR_FILENO);
        ::_exit(run_agent(options));
    }
    ~AgentChild() {
        if (pid_ > 0) end(SIGKILL);
    }
    AgentChild(const AgentChild&) = delete;
    AgentChild& operator=(const AgentChild&) = delete;

    pid_t pid() const { return pid_; }
    std::string out() const { return allocrunner::text_of(out_); }
    std::string err() const { return allocrunner::text_of(err_); }

    /// The exit code; 128 and the signal when one ended it.
    int wait() {
        int status = 0;
        REQUIRE(::waitpid(pid_, &status, 0) == pid_);
        pid_ = 0;
        return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
    }
    int end(int signal) {
        ::kill(pid_, signal);
        return wait();
    }
    bool running() const {
        siginfo_t ended{};
        ::waitid(P_PID, static_cast<id_t>(pid_), &ended, WEXITED | WNOHANG | WNOWAIT);
        return ended.si_pid == 0;
    }

    /// The port of its HTTP API, once it says that it is up; 0 when it never does.
    std::uint16_t http_port() const {
        static const std::string kBefore = "HTTP on 127.0.0.1:";
        std::string said;
        const bool up = eventually([&] {
            said = err();
            return said.find(kBefore) != std::string::npos || !running();
        });
        const std::size_t at = said.find(kBefore);
        if (!up || at == std::string::npos) return 0;
        return static_cast<std::uint16_t>(std::stoi(said.substr(at + kBefore.size())));
    }

  private:
    static void redirect(const std::string& path, int to) {
        const int file = ::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0600);
        if (file < 0 || ::dup2(file, to) < 0) ::_exit(99);
        ::close(file);
    }

    std::string out_;
    std::string err_;
    pid_t pid_ = 0;
};

/// The whole answer, head and body; empty when there was none.
inline std::string ask_http(std::uint16_t port, const std::string& token, const std::string& method,
                            const std::string& path, const std::string& body = "") {
    const UniqueFd socket(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    sockaddr_in to{};
    to.sin_family = AF_INET;
    to.sin_port = htons(port);
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    const timeval patience{.tv_sec = 20, .tv_usec = 0};
    ::setsockopt(socket.get(), SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    if (::connect(socket.get(), reinterpret_cast<const sockaddr*>(&to), sizeof to) != 0) return "";
    const std::string request = method + " " + path +
                                " HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n"
                                "X-Nomad-Token: " +
                                token + "\r\nContent-Length: " + std::to_string(body.size()) +
                                "\r\n\r\n" + body;
    if (::send(socket.get(), request.data(), request.size(), MSG_NOSIGNAL) < 0) return "";
    std::string out;
    char buffer[8192];
    for (ssize_t got = 0; (got = ::recv(socket.get(), buffer, sizeof buffer, 0)) > 0;)
        out.append(buffer, static_cast<std::size_t>(got));
    return out;
}

/// The value of the first `"name": "..."` in `json`; empty when there is none.
inline std::string field_of(const std::string& json, const std::string& name) {
    std::size_t at = json.find("\"" + name + "\":");
    if (at == std::string::npos) return "";
    at = json.find('"', at + name.size() + 3);
    if (at == std::string::npos) return "";
    return json.substr(at + 1, json.find('"', at + 1) - at - 1);
}

}  // namespace gaggle::agent
