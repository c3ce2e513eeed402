// A command in a task, typed to from here: standard input, output and terminal on one side, the
// agent's WebSocket on the other.
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <termios.h>
#include <unistd.h>

#include <array>
#include <boost/asio/connect.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/beast/core/buffers_to_string.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http.hpp>
#include <boost/beast/websocket.hpp>
#include <csignal>
#include <cstring>
#include <deque>
#include <optional>
#include <utility>  // before Asio 1.74, which forgets it

#include "base/bytes.h"
#include "gctl/cli/escape.h"
#include "gctl/cli/http_client.h"
#include "gctl/cli/json.h"
#include "placement/jobspec/value_json.h"

namespace gaggle::cli {

namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = beast::http;
namespace websocket = beast::websocket;
using tcp = asio::ip::tcp;

constexpr auto kHeartbeat = std::chrono::seconds(10);  // as Nomad's clients
constexpr std::size_t kInputBytes = 16U << 10U;
constexpr std::size_t kMessageBytesMax = 4U << 20U;

/// Keys go to the task one by one and unchanged, for as long as this lives.
class RawTerminal {
  public:
    explicit RawTerminal(bool wanted) {
        if (!wanted || ::tcgetattr(STDIN_FILENO, &before_) != 0) return;
        termios raw = before_;
        ::cfmakeraw(&raw);
        raw_ = ::tcsetattr(STDIN_FILENO, TCSANOW, &raw) == 0;
    }
    ~RawTerminal() {
        if (raw_) ::tcsetattr(STDIN_FILENO, TCSANOW, &before_);
    }
    RawTerminal(const RawTerminal&) = delete;
    RawTerminal& operator=(const RawTerminal&) = delete;

  private:
    termios before_{};
    bool raw_ = false;
};

/// Everything on one thread: the event loop runs until the command has ended.
class Session {
  public:
    Session(const ExecStyle& style) : style_(style), escape_(style.escape) {}

    Result<void> connect(const HttpAddress& address, const std::string& token,
                         const std::string& target, HttpReply& refused) {
        beast::error_code code;
        tcp::resolver resolver(io_);
        const auto found = resolver.resolve(address.host, std::to_string(address.port), code);
        if (!code) asio::connect(stream_.next_layer(), found, code);
        if (code) return {Errc::unavailable, "connect to " + address.url() + ": " + code.message()};
        stream_.set_option(websocket::stream_base::decorator([&](websocket::request_type& request) {
            request.set(http::field::user_agent, "gctl/" GAGGLE_VERSION);
            if (!token.empty()) request.set("X-Nomad-Token", token);
        }));
        websocket::response_type response;
        // The waiting form forgets the answer of a server that refuses.
        stream_.async_handshake(response, address.authority(), target,
                                [&](beast::error_code result) { code = result; });
        io_.run();
        io_.restart();
        if (code == websocket::error::upgrade_declined)
            refused = {static_cast<int>(response.result_int()), response.body()};
        if (code) return {Errc::io, "talk to " + address.url() + ": " + code.message()};
        stream_.text(true);
        stream_.read_message_max(kMessageBytesMax);
        return {};
    }

    Result<int> run() {
        const RawTerminal raw(style_.terminal && style_.input);
        if (style_.terminal) {
            send_size();
            wait_for_resize();
        }
        if (style_.input)
            begin_input();
        else
            queue(R"({"stdin":{"close":true}})");
        read();
        beat();
        io_.run();
        return result_;
    }

  private:
    void end(Result<int> result) {
        if (std::exchange(over_, true)) return;
        result_ = std::move(result);
        io_.stop();
    }

    void read() {
        stream_.async_read(buffer_, [this](beast::error_code failed, std::size_t) {
            if (failed) return end(broken(failed));
            const std::string text = beast::buffers_to_string(buffer_.data());
            buffer_.consume(buffer_.size());
            const auto frame = value_from_json(text);
            if (!frame.ok()) return end(frame.error());
            show(Json(*frame));
            if (!over_) read();
        });
    }

    Error broken(beast::error_code failed) const {
        const auto& reason = stream_.reason().reason;
        if (failed == websocket::error::closed && !reason.empty())
            return {Errc::unavailable, std::string(reason.data(), reason.size())};
        return {Errc::unavailable, "the session broke off: " + failed.message()};
    }

    void show(const Json& frame) {
        for (const char* stream : {"stdout", "stderr"}) {
            const auto data = from_base64(frame[stream]["data"].text());
            if (!data || data->empty()) continue;
            (stream[3] == 'o' ? style_.out : style_.err)(as_text(*data));
        }
        if (frame["exited"].flag()) end(static_cast<int>(frame["result"]["exit_code"].whole()));
    }

    void queue(std::string text) {
        unsent_.push_back(std::move(text));
        if (unsent_.size() == 1) write();
    }

    void write() {
        stream_.async_write(asio::buffer(unsent_.front()),
                            [this](beast::error_code failed, std::size_t) {
                                if (failed) return;  // the read says why
                                unsent_.pop_front();
                                if (!unsent_.empty()) return write();
                                if (std::exchange(input_waits_, false)) read_input();
                            });
    }

    void begin_input() {
        struct stat about {};
        files_ = ::fstat(STDIN_FILENO, &about) != 0 || S_ISREG(about.st_mode);
        if (!files_) input_.assign(::dup(STDIN_FILENO));
        read_input();
    }

    /// One part, and the next when that has been sent. What epoll cannot wait for is always ready.
    void read_input() {
        if (files_) return got_input(::read(STDIN_FILENO, typed_.data(), typed_.size()));
        input_.async_wait(asio::posix::stream_descriptor::wait_read,
                          [this](beast::error_code failed) {
                              if (failed == asio::error::operation_aborted) return;
                              files_ = files_ || static_cast<bool>(failed);
                              got_input(::read(STDIN_FILENO, typed_.data(), typed_.size()));
                          });
    }

    void got_input(ssize_t got) {
        if (got < 0 && (errno == EINTR || errno == EAGAIN)) return read_input();
        if (got <= 0) return queue(R"({"stdin":{"close":true}})");
        const auto taken =
            escape_.take(std::string_view(typed_.data(), static_cast<std::size_t>(got)));
        if (taken.quit) return end(Error{Errc::unavailable, "ended by the escape character"});
        if (taken.send.empty()) return read_input();
        input_waits_ = true;
        queue(R"({"stdin":{"data":")" + to_base64(as_bytes(taken.send)) + R"("}})");
    }

    void send_size() {
        winsize size{};
        if (::ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) != 0 || size.ws_row == 0) return;
        queue(R"({"tty_size":{"height":)" + std::to_string(size.ws_row) + R"(,"width":)" +
              std::to_string(size.ws_col) + "}}");
    }

    void wait_for_resize() {
        resized_.async_wait([this](beast::error_code failed, int) {
            if (failed) return;
            send_size();
            wait_for_resize();
        });
    }

    void beat() {
        heartbeat_.expires_after(kHeartbeat);
        heartbeat_.async_wait([this](beast::error_code failed) {
            if (failed) return;
            if (unsent_.empty()) queue("{}");
            beat();
        });
    }

    const ExecStyle& style_;
    EscapeReader escape_;
    asio::io_context io_{1};
    websocket::stream<tcp::socket> stream_{io_};
    asio::posix::stream_descriptor input_{io_};
    asio::signal_set resized_{io_, SIGWINCH};
    asio::steady_timer heartbeat_{io_};
    beast::flat_buffer buffer_;
    std::deque<std::string> unsent_;
    std::array<char, kInputBytes> typed_{};
    bool files_ = false;        ///< standard input is none that can be waited for
    bool input_waits_ = false;  ///< for what was typed to be sent
    bool over_ = false;
    Result<int> result_ = 0;
};

}  // namespace

Result<ExecReply> HttpClient::exec(const std::string& target, const ExecStyle& style) const {
    Session session(style);
    ExecReply reply;
    const auto connected = session.connect(address_, token_, target, reply.refused);
    if (reply.refused.status != 0) return reply;
    if (!connected.ok()) return connected.error();
    reply.exit_code = TRY(session.run());
    return reply;
}

}  // namespace gaggle::cli
