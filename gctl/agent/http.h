// The HTTP server of a peer: connections, limits and the lock; it knows no job.
//
// It runs on one thread of its own ("http"). A request that passes the lock is handed to the
// handler, which answers through the Responder at any later time and from any thread: at once, when
// a blocking query wakes up, or piece by piece for a stream. The lock (DESIGN section 11): a token
// in X-Nomad-Token or as a bearer, a Host that names this server, an Origin that equals the Host.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "base/result.h"

namespace gaggle {

struct HttpRequest {
    std::string method;                 ///< "PUT" is given as "POST": Nomad treats them alike
    std::string path;                   ///< decoded, without the query
    std::vector<std::string> segments;  ///< of the path, each decoded by itself
    std::map<std::string, std::string> query;  ///< a bare `?stale` has the value ""
    std::string body;
    bool upgrade = false;  ///< the client wants a WebSocket; see Responder::accept_web_socket
};

struct HttpResponse {
    int status = 200;
    std::string content_type = "application/json";
    std::vector<std::pair<std::string, std::string>> headers;
    std::string body;
};

/// Answers one request, once. May be kept, copied and called from any thread; late calls are
/// ignored.
class Responder {
  public:
    struct Connection;
    Responder() = default;
    explicit Responder(
        std::shared_ptr<Connection> connection);  // shared: the server or the handler may end first

    void send(HttpResponse response) const;
    /// A stream instead: begin once, then pieces, then end. More than 8 MiB unsent ends the
    /// connection; whoever sends much waits for `written` (called on the http thread once this
    /// piece has left, and never if the client goes away before).
    void begin_stream(HttpResponse head) const;
    void piece(std::string data, std::function<void()> written = nullptr) const;
    void end_stream() const;
    /// Instead of the end, once the pieces have left: the client sees that the rest is missing.
    void break_stream() const;
    /// Instead of an answer, to a request that wants it: text messages both ways from here on.
    /// `piece` sends one, `end_stream` closes with 1000, `fail_stream` with 1011 and a reason, and
    /// `message` is called on the http thread once for each `listen`.
    void accept_web_socket(std::function<void(std::string)> message) const;
    void listen() const;
    void fail_stream(std::string why) const;
    /// Called once, on the http thread, when the client goes away before it was answered in full.
    void on_gone(std::function<void()> gone) const;

  private:
    std::shared_ptr<Connection> connection_;
};

/// How long a WebSocket's client may be silent.
struct WebSocketTimes {
    std::chrono::milliseconds ping{20'000};      ///< from one ping to the next
    std::chrono::milliseconds held_ping{2'000};  ///< while nobody listens to what it has sent
    std::chrono::milliseconds silence{60'000};   ///< not even a pong: it is gone
    std::chrono::milliseconds token{10'000};  ///< until it has said its token, if not in a header
};

struct HttpConfig {
    std::string host = "127.0.0.1";
    std::uint16_t port = 4646;
    std::string token;                        ///< empty: no token is asked for
    std::size_t body_bytes_max = 16U << 20U;  ///< a larger body is refused with 413, unread
    std::size_t connections_max = 512;
    std::size_t nameless_max = 32;  ///< WebSockets that have not said their token yet
    WebSocketTimes web_socket;
};

class HttpServer {
  public:
    using Handler = std::function<void(HttpRequest, Responder)>;

    /// Binds and starts the thread. Error: the address is used or not this machine's.
    static Result<std::unique_ptr<HttpServer>> open(HttpConfig config, Handler handler);
    ~HttpServer();
    HttpServer(const HttpServer&) = delete;
    HttpServer& operator=(const HttpServer&) = delete;

    std::uint16_t port() const;
    /// Closes every connection and waits for the thread.
    void stop();

  private:
    struct Impl;
    explicit HttpServer(std::unique_ptr<Impl> impl);
    std::unique_ptr<Impl> impl_;
};

/// In a query "+" is a blank, as forms write it; in a path it is itself.
enum class UrlPart { path, query };
/// With "%2F" and the like decoded; bytes that are no escape stay as they are.
std::string url_decoded(std::string_view text, UrlPart part);

}  // namespace gaggle
