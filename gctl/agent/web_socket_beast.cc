#include "gctl/agent/web_socket_beast.h"

#include <algorithm>
#include <boost/beast/core/buffers_to_string.hpp>
#include <utility>

namespace gaggle {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace websocket = beast::websocket;

namespace {

constexpr auto kHandshakeTimeout = std::chrono::seconds(30);
constexpr std::size_t kMessageBytesMax = 1U << 20U;
constexpr std::size_t kUnsentBytesMax = 8U << 20U;
constexpr std::size_t kReasonBytesMax = 120;  // a close frame has room for 123

}  // namespace

WebSocket::WebSocket(beast::tcp_stream stream, Request request, WebSocketTimes times)
    : stream_(std::move(stream)),
      request_(std::move(request)),
      message_max_(kMessageBytesMax),
      times_(times),
      beat_(stream_.get_executor()) {}

void WebSocket::accept(Handlers handlers) {
    handlers_ = std::move(handlers);
    beast::get_lowest_layer(stream_).expires_never();
    // Beast's own watch over an idle client counts what is read alone: see beat().
    stream_.set_option(
        websocket::stream_base::timeout{.handshake_timeout = kHandshakeTimeout,
                                        .idle_timeout = websocket::stream_base::none(),
                                        .keep_alive_pings = false});
    stream_.control_callback([this](websocket::frame_type, beast::string_view) {
        heard_ = std::chrono::steady_clock::now();
    });
    stream_.text(true);
    stream_.async_accept(request_, [self = shared_from_this()](beast::error_code failed) {
        if (failed) return self->fail();
        self->open_ = true;
        self->heard_ = std::chrono::steady_clock::now();
        self->beat();
        self->read();
        self->write();
    });
}

void WebSocket::listen() {
    wanted_ = true;
    if (!held_) return;
    std::string text = std::move(*held_);
    held_.reset();
    heard_ = std::chrono::steady_clock::now();
    beat();
    deliver(std::move(text));
}

void WebSocket::read() {
    if (closing_ || held_ || std::exchange(reading_, true)) return;
    stream_.read_message_max(message_max_);
    stream_.async_read(buffer_, [self = shared_from_this()](beast::error_code failed, std::size_t) {
        self->reading_ = false;
        if (failed) return self->fail();
        std::string text = beast::buffers_to_string(self->buffer_.data());
        self->buffer_.consume(self->buffer_.size());
        self->got(std::move(text));
    });
}

void WebSocket::got(std::string text) {
    heard_ = std::chrono::steady_clock::now();
    if (wanted_) return deliver(std::move(text));
    held_ = std::move(text);
    beat();
}

void WebSocket::deliver(std::string text) {
    wanted_ = false;
    const auto handler = handlers_.message;  // it may put another in its place
    if (handler) handler(std::move(text));
    read();
}

void WebSocket::beat() {
    beat_.expires_after(held_ ? times_.held_ping : times_.ping);
    beat_.async_wait([weak = weak_from_this()](beast::error_code cancelled) {
        const auto self = weak.lock();
        if (cancelled || !self || self->closing_) return;
        const auto silent = std::chrono::steady_clock::now() - self->heard_;
        if (!self->held_ && silent > self->times_.silence) return self->fail();
        self->ping();
        self->beat();
    });
}

void WebSocket::ping() {
    if (std::exchange(pinging_, true)) return;
    stream_.async_ping({}, [self = shared_from_this()](beast::error_code failed) {
        self->pinging_ = false;
        if (failed && !self->closing_) self->fail();
    });
}

void WebSocket::send(std::string text, std::function<void()> written) {
    if (closing_) return;
    unsent_bytes_ += text.size();
    unsent_.push_back({std::move(text), std::move(written)});
    if (unsent_bytes_ > kUnsentBytesMax) return drop();
    write();
}

void WebSocket::close(std::uint16_t code, std::string why, std::shared_ptr<void> keep) {
    if (std::exchange(closing_, true)) return;
    keep_ = std::move(keep);
    why.resize(std::min(why.size(), kReasonBytesMax));
    reason_ = websocket::close_reason(static_cast<websocket::close_code>(code), why);
    handlers_ = {};
    write();
}

void WebSocket::write() {
    if (!open_ || writing_) return;
    if (unsent_.empty()) {
        if (!closing_) return;
        writing_ = true;
        return stream_.async_close(
            reason_, [self = shared_from_this()](beast::error_code) { self->keep_.reset(); });
    }
    writing_ = true;
    stream_.async_write(asio::buffer(unsent_.front().text),
                        [self = shared_from_this()](beast::error_code failed, std::size_t) {
                            if (failed) return self->fail();
                            self->writing_ = false;
                            self->unsent_bytes_ -= self->unsent_.front().text.size();
                            const auto written = std::move(self->unsent_.front().written);
                            self->unsent_.pop_front();
                            if (written) written();
                            self->write();
                        });
}

void WebSocket::fail() {
    const Handlers told = std::exchange(handlers_, {});
    closing_ = true;
    const std::shared_ptr<void> kept = std::exchange(keep_, nullptr);
    drop();
    if (told.gone) told.gone();
}

void WebSocket::drop() {
    beast::error_code ignored;
    beast::get_lowest_layer(stream_).socket().shutdown(asio::ip::tcp::socket::shutdown_both,
                                                       ignored);
    beast::get_lowest_layer(stream_).close();
}

}  // namespace gaggle
