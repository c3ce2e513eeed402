// One WebSocket (RFC 6455), taken over from an HTTP connection: text messages both ways.
//
// For http_beast.cc only, and touched on the http thread only. Messages are handed out one at a
// time, each when it is asked for; one more is read ahead and held, so that a client that nobody
// listens to is still read from: its pings are answered, and its going is seen. One that sends on
// waits. A client that is listened to and says nothing, not even to a ping, is dead. Of one that
// waits nothing can be heard, so it is pinged more often, and gone when that cannot be sent.
#pragma once

#include <boost/asio/steady_timer.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/core/tcp_stream.hpp>
#include <boost/beast/http.hpp>
#include <boost/beast/websocket.hpp>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "gctl/agent/http.h"

namespace gaggle {

class WebSocket : public std::enable_shared_from_this<WebSocket> {
  public:
    using Request = boost::beast::http::request<boost::beast::http::string_body>;
    struct Handlers {
        std::function<void(std::string)> message;  ///< answers listen()
        std::function<void()> gone;                ///< at most once, unless close() was called
    };

    WebSocket(boost::beast::tcp_stream stream, Request request, WebSocketTimes times);

    /// Answers the client's handshake. Messages may be sent and listened for at once.
    void accept(Handlers handlers);
    void set_handlers(Handlers handlers) { handlers_ = std::move(handlers); }
    void listen();
    /// Of the messages that are read from here on; a longer one ends it.
    void set_message_max(std::size_t bytes) { message_max_ = bytes; }
    /// `written` is called once it has left; may be empty. More than 8 MiB unsent ends it.
    void send(std::string text, std::function<void()> written);
    /// Once all has left. `code`: RFC 6455 section 7.4; `why` is cut to 120 bytes. `keep` is let go
    /// when the client has answered or is gone.
    void close(std::uint16_t code, std::string why, std::shared_ptr<void> keep);
    /// At once, without a word.
    void drop();

  private:
    struct Unsent {
        std::string text;
        std::function<void()> written;
    };
    void read();
    void got(std::string text);
    void deliver(std::string text);
    void write();
    void beat();
    void ping();
    void fail();

    boost::beast::websocket::stream<boost::beast::tcp_stream> stream_;
    Request request_;
    Handlers handlers_;
    boost::beast::flat_buffer buffer_;
    std::deque<Unsent> unsent_;
    std::size_t unsent_bytes_ = 0;
    bool open_ = false;
    bool reading_ = false;
    bool wanted_ = false;              ///< listen() was called, and no message has come since
    std::optional<std::string> held_;  ///< a message that nobody has asked for yet
    std::size_t message_max_;
    WebSocketTimes times_;
    boost::asio::steady_timer beat_;
    std::chrono::steady_clock::time_point heard_;
    bool pinging_ = false;
    bool writing_ = false;
    bool closing_ = false;
    std::shared_ptr<void> keep_;  // shared: whoever else may drop this meanwhile
    boost::beast::websocket::close_reason reason_;
};

}  // namespace gaggle
