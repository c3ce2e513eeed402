#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>

#include "allocrunner/drivers/cgroups.h"
#include "allocrunner/drivers/engine_http.h"
#include "allocrunner/drivers/engine_session.h"
#include "allocrunner/drivers/json_words.h"
#include "base/unique_fd.h"

namespace gaggle::allocrunner {

namespace {

constexpr std::size_t kReadBytes = 64U << 10U;
constexpr std::size_t kHeadMax = 4096;
constexpr std::size_t kContainerIdMin = 12;  // hex digits; it is told whole, with 64
constexpr int kAnswerMs = 20'000;
constexpr int kAskAgainMax = 40;
constexpr int kAskAgainMs = 50;
constexpr std::uint8_t kEndOfTransmission = 4;  // what a terminal takes for the end of input

std::string why() { return std::strerror(errno); }

class EngineSession : public ExecSession {
  public:
    EngineSession(std::string socket, std::string exec, UniqueFd stream, bool terminal)
        : socket_(std::move(socket)),
          exec_(std::move(exec)),
          stream_(std::move(stream)),
          terminal_(terminal) {}

    ~EngineSession() override {
        if (ended_) return;
        const auto answer = call_engine(socket_, {.target = "/exec/" + exec_ + "/json"});
        const Value told = answer ? answer->json() : Value{};
        const Value* runs = json::find(told, {"Running"});
        const std::int64_t pid = json::number_at(told, {"Pid"});
        const std::string container = json::text_at(told, {"ContainerID"});
        if (runs == nullptr || *runs != Value{true} || container.size() < kContainerIdMin) return;
        kill_if_in(pid, container);  // engines name a container's control groups after its id
    }

    Result<ExecOutput> read(Duration patience) override {
        ExecOutput out;
        pollfd wait{stream_.get(), POLLIN, 0};
        const auto ms = std::chrono::ceil<std::chrono::milliseconds>(patience).count();
        if (poll(&wait, 1, static_cast<int>(ms)) <= 0) return out;
        Bytes bytes(kReadBytes);
        const ssize_t got = ::read(stream_.get(), bytes.data(), bytes.size());
        if (got < 0 && (errno == EAGAIN || errno == EINTR)) return out;
        if (got > 0) {
            bytes.resize(static_cast<std::size_t>(got));
            if (terminal_)
                out.out = std::move(bytes);
            else
                frames_.feed(bytes, out);
            return out;
        }
        out.exit_code = TRY(exit_code());
        ended_ = true;
        return out;
    }

    Result<std::size_t> write(BytesView bytes) override {
        const ssize_t done = send(stream_.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
        if (done >= 0) return static_cast<std::size_t>(done);
        if (errno == EAGAIN || errno == EINTR) return std::size_t{0};
        return bytes.size();
    }

    void close_input() override {
        if (!terminal_) shutdown(stream_.get(), SHUT_WR);
        if (terminal_) (void)write(BytesView(&kEndOfTransmission, 1)).ok();
    }

    void resize(TerminalSize size) override {
        const std::string target = "/exec/" + exec_ + "/resize?h=" + std::to_string(size.rows) +
                                   "&w=" + std::to_string(size.columns);
        if (terminal_) (void)call_engine(socket_, {.method = "POST", .target = target}).ok();
    }

  private:
    /// The stream ends a moment before the engine knows how the command did.
    Result<std::int64_t> exit_code() const {
        for (int round = 0; round < kAskAgainMax; ++round) {
            const EngineAnswer answer =
                TRY(call_engine(socket_, {.target = "/exec/" + exec_ + "/json"}));
            const Value told = answer.json();
            const Value* runs = json::find(told, {"Running"});
            if (!answer.ok() || runs == nullptr) break;
            if (*runs == Value{false}) return json::number_at(told, {"ExitCode"});
            poll(nullptr, 0, kAskAgainMs);
        }
        return {Errc::unavailable, "the container engine broke off a command that it ran"};
    }

    std::string socket_;
    std::string exec_;
    UniqueFd stream_;
    bool terminal_ = false;
    bool ended_ = false;
    StreamFrames frames_;
};

Result<UniqueFd> connect_to(const std::string& socket) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    if (socket.size() >= sizeof address.sun_path)
        return {Errc::invalid, "path of the engine's socket is too long: " + socket};
    std::memcpy(address.sun_path, socket.c_str(), socket.size() + 1);
    UniqueFd fd(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
    const auto* to = reinterpret_cast<const sockaddr*>(&address);
    if (!fd || connect(fd.get(), to, sizeof address) != 0)
        return {Errc::unavailable, "connect to " + socket + ": " + why()};
    return fd;
}

/// Reads the head of the answer, which may come in pieces, byte by byte: what is behind it belongs
/// to the stream. The status.
Result<int> read_head(int fd) {
    std::string head;
    while (!head.ends_with("\r\n\r\n") && head.size() < kHeadMax) {
        pollfd wait{fd, POLLIN, 0};
        if (poll(&wait, 1, kAnswerMs) <= 0)
            return {Errc::timeout, "the container engine does not answer"};
        char byte = 0;
        const ssize_t got = recv(fd, &byte, 1, 0);
        if (got < 0 && (errno == EAGAIN || errno == EINTR)) continue;
        if (got <= 0) return {Errc::unavailable, "the container engine's answer has no head"};
        head += byte;
    }
    return std::atoi(head.c_str() + std::min(head.find(' '), head.size()));
}

}  // namespace

void StreamFrames::feed(BytesView bytes, ExecOutput& to) {
    while (!bytes.empty()) {
        if (left_ == 0) {
            head_[have_++] = bytes.front();
            bytes = bytes.subspan(1);
            if (have_ < sizeof head_) continue;
            have_ = 0;
            for (std::size_t at = 4; at < 8; ++at) left_ = left_ << 8U | head_[at];
            continue;
        }
        const std::size_t part = std::min<std::size_t>(left_, bytes.size());
        Bytes& stream = head_[0] == 2 ? to.err : to.out;
        stream.insert(stream.end(), bytes.begin(),
                      bytes.begin() + static_cast<std::ptrdiff_t>(part));
        bytes = bytes.subspan(part);
        left_ -= static_cast<std::uint32_t>(part);
    }
}

Result<std::unique_ptr<ExecSession>> start_engine_session(const std::string& socket,
                                                          const std::string& exec, bool terminal) {
    UniqueFd fd = TRY(connect_to(socket));
    const std::string body =
        std::string(R"({"Detach":false,"Tty":)") + (terminal ? "true}" : "false}");
    const std::string request = "POST /exec/" + exec +
                                "/start HTTP/1.1\r\nHost: gaggle\r\nConnection: Upgrade\r\n"
                                "Upgrade: tcp\r\nContent-Type: application/json\r\n"
                                "Content-Length: " +
                                std::to_string(body.size()) + "\r\n\r\n" + body;
    if (send(fd.get(), request.data(), request.size(), MSG_NOSIGNAL) !=
        static_cast<ssize_t>(request.size()))
        return {Errc::unavailable, "write to the container engine: " + why()};
    const int status = TRY(read_head(fd.get()));
    if (status != 101 && status != 200)
        return {Errc::unavailable,
                "the container engine refused to run a command: HTTP " + std::to_string(status)};
    return std::unique_ptr<ExecSession>(new EngineSession(socket, exec, std::move(fd), terminal));
}

}  // namespace gaggle::allocrunner
