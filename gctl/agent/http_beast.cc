#include <pthread.h>

#include <algorithm>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/core/tcp_stream.hpp>
#include <boost/beast/http.hpp>
#include <deque>
#include <optional>
#include <set>
#include <thread>
#include <utility>  // before Asio 1.74, which forgets it

#include "base/log.h"
#include "gctl/agent/http.h"
#include "gctl/agent/http_lock.h"
#include "gctl/agent/web_socket_beast.h"

namespace gaggle {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = beast::http;
using tcp = asio::ip::tcp;

namespace {

constexpr auto kReadTimeout = std::chrono::seconds(30);
constexpr auto kIdleTimeout = std::chrono::seconds(120);
constexpr auto kAcceptPause = std::chrono::milliseconds(100);
constexpr std::size_t kUnsentBytesMax = 8U << 20U;
constexpr std::size_t kTokenMessageMax = 4096;  // of a WebSocket that has not said its token
constexpr std::size_t kTrustedMessageMax = 1U << 20U;

HttpRequest request_of(const http::request<http::string_body>& raw) {
    HttpRequest out;
    out.method = std::string(raw.method_string());
    if (out.method == "PUT") out.method = "POST";
    std::string target(raw.target());
    std::string query;
    if (const auto mark = target.find('?'); mark != std::string::npos) {
        query = target.substr(mark + 1);
        target.resize(mark);
    }
    out.path = url_decoded(target, UrlPart::path);
    for (std::size_t at = 0; at < target.size();) {
        const std::size_t end = std::min(target.find('/', at), target.size());
        if (end > at)
            out.segments.push_back(url_decoded(target.substr(at, end - at), UrlPart::path));
        at = end + 1;
    }
    for (std::size_t at = 0; at < query.size();) {
        const std::size_t end = std::min(query.find('&', at), query.size());
        const std::string pair = query.substr(at, end - at);
        const std::size_t equals = std::min(pair.find('='), pair.size());
        const std::string name = url_decoded(pair.substr(0, equals), UrlPart::query);
        const std::string value = equals < pair.size() ? pair.substr(equals + 1) : "";
        if (!pair.empty()) out.query[name] = url_decoded(value, UrlPart::query);
        at = end + 1;
    }
    out.body = raw.body();
    out.upgrade = beast::websocket::is_upgrade(raw);
    return out;
}

bool is_true(const std::map<std::string, std::string>& query, const char* name) {
    const auto found = query.find(name);
    return found != query.end() &&
           (found->second == "true" || found->second == "1" || found->second.empty());
}

}  // namespace

namespace {

/// What the server and its connections share, for a Responder may outlive the server.
struct Shared {
    HttpConfig config;
    HttpServer::Handler handler;
    asio::io_context io{1};
    std::set<Responder::Connection*> open;  ///< touched on the http thread only
};

}  // namespace

struct HttpServer::Impl {
    std::shared_ptr<Shared> shared = std::make_shared<Shared>();
    tcp::acceptor acceptor{shared->io};
    asio::steady_timer pause{shared->io};  ///< after an accept that failed
    std::thread thread;

    void accept();
    void accept_later();
    void close_all();
};

// One client. Lives as long as a pending operation or a Responder holds it; touched on the http
// thread only.
struct Responder::Connection : std::enable_shared_from_this<Responder::Connection> {
    Connection(tcp::socket socket, std::shared_ptr<Shared> with)
        : shared(std::move(with)), stream(std::move(socket)) {
        shared->open.insert(this);
    }
    ~Connection() { shared->open.erase(this); }

    std::shared_ptr<Shared> shared;
    beast::tcp_stream stream;
    beast::flat_buffer buffer;
    std::optional<http::request_parser<http::string_body>> parser;
    std::shared_ptr<WebSocket> socket;  ///< once the client has one; then `stream` is empty
    bool keep_alive = false;
    bool answering = false;  ///< a request is with the handler, or its answer is being written
    bool streaming = false;
    bool ending = false;
    bool writing = false;
    bool nameless = false;  ///< a WebSocket whose token is awaited
    std::optional<asio::steady_timer> deadline;
    struct Unsent {
        std::string bytes;
        std::function<void()> written;  ///< may be empty
    };
    std::deque<Unsent> unsent;
    std::size_t unsent_bytes = 0;
    std::function<void()> gone;

    void read() {
        parser.emplace();
        parser->body_limit(shared->config.body_bytes_max);
        parser->header_limit(16 * 1024);
        stream.expires_after(kIdleTimeout);
        http::async_read_header(stream, buffer, *parser,
                                [self = shared_from_this()](beast::error_code failed, std::size_t) {
                                    if (!failed) return self->got_header();
                                    if (failed == http::error::body_limit)
                                        return self->refuse_body();
                                    if (failed == http::error::header_limit)
                                        return self->refuse(431, "request header is too large");
                                    self->close();
                                });
    }

    /// The lock and the length are judged before any of the body is read.
    void got_header() {
        keep_alive = parser->get().keep_alive();
        // A browser cannot set the header: it says the token in the first message instead.
        const bool token_later = says_token_later(parser->get());
        const auto refusal = http_lock(
            shared->config.host, token_later ? "" : shared->config.token,
            LockedHeaders{.host = std::string(parser->get()[http::field::host]),
                          .origin = std::string(parser->get()[http::field::origin]),
                          .token = std::string(parser->get()["X-Nomad-Token"]),
                          .authorization = std::string(parser->get()[http::field::authorization])});
        if (refusal) return refuse(refusal->status, refusal->why);
        if (token_later && !shared->config.token.empty()) return wait_for_token();
        if (beast::iequals(parser->get()[http::field::expect], "100-continue"))
            return send_continue();
        read_body();
    }

    void send_continue() {
        auto line = std::make_shared<std::string>("HTTP/1.1 100 Continue\r\n\r\n");
        asio::async_write(stream, asio::buffer(*line),
                          [self = shared_from_this(), line](beast::error_code failed, std::size_t) {
                              if (!failed) return self->read_body();
                              self->close();
                          });
    }

    void read_body() {
        stream.expires_after(kReadTimeout);
        http::async_read(stream, buffer, *parser,
                         [self = shared_from_this()](beast::error_code failed, std::size_t) {
                             if (failed == http::error::body_limit) return self->refuse_body();
                             if (failed) return self->close();
                             self->handle();
                         });
    }

    void handle() {
        stream.expires_never();
        answering = true;
        watch_for_close();
        shared->handler(request_of(parser->get()), Responder(shared_from_this()));
    }

    static bool says_token_later(const http::request<http::string_body>& raw) {
        const bool has_token =
            !raw["X-Nomad-Token"].empty() || !raw[http::field::authorization].empty();
        return !has_token && beast::websocket::is_upgrade(raw) &&
               is_true(request_of(raw).query, "ws_handshake");
    }

    /// Anybody may get this far, so it costs little and does not last.
    void wait_for_token() {
        const auto nameless_ones = std::count_if(shared->open.begin(), shared->open.end(),
                                                 [](const auto* one) { return one->nameless; });
        if (nameless_ones >= static_cast<std::ptrdiff_t>(shared->config.nameless_max))
            return refuse(503, "too many WebSockets that have not said their token; try again");
        answering = streaming = nameless = true;
        make_socket();
        socket->set_message_max(kTokenMessageMax);
        deadline.emplace(shared->io, shared->config.web_socket.token);
        deadline->async_wait([weak = weak_from_this()](beast::error_code cancelled) {
            const auto self = weak.lock();
            if (!cancelled && self && self->nameless)
                self->end_socket(1008, "Permission denied: no token came in time");
        });
        socket->accept({.message = [self = shared_from_this()](
                                       const std::string& first) { self->got_token(first); },
                        .gone = nullptr});
        socket->listen();
    }

    void got_token(const std::string& first) {
        if (!opens_the_lock(shared->config.token, first))
            return end_socket(1008, "Permission denied");
        deadline.reset();
        streaming = nameless = false;
        socket->set_message_max(kTrustedMessageMax);
        shared->handler(request_of(parser->get()), Responder(shared_from_this()));
    }

    void make_socket() {
        beast::error_code ignored;
        stream.socket().cancel(ignored);  // ends watch_for_close
        stream.expires_never();
        socket = std::make_shared<WebSocket>(std::move(stream), parser->get(),
                                             shared->config.web_socket);
    }

    void accept_web_socket(std::function<void(std::string)> message) {
        if (!answering || streaming) return;
        streaming = true;
        WebSocket::Handlers handlers{.message = std::move(message),
                                     .gone = [weak = weak_from_this()] {
                                         if (const auto self = weak.lock()) self->close();
                                     }};
        if (socket) return socket->set_handlers(std::move(handlers));
        make_socket();
        socket->accept(std::move(handlers));
    }

    /// While the handler thinks, a readable socket without data means that the client has gone.
    void watch_for_close() {
        stream.socket().async_wait(tcp::socket::wait_read,
                                   [self = shared_from_this()](beast::error_code failed) {
                                       if (failed || !self->answering) return;
                                       beast::error_code unknown;
                                       if (self->stream.socket().available(unknown) == 0)
                                           self->close();
                                   });
    }

    void refuse(int status, const std::string& why) {
        keep_alive = false;
        answering = true;
        respond({.status = status, .content_type = "text/plain", .headers = {}, .body = why});
    }

    void refuse_body() {
        refuse(413, "request body is too large: at most " +
                        std::to_string(shared->config.body_bytes_max) + " bytes are taken");
    }

    void respond(HttpResponse response) {
        if (!answering || streaming) return;
        if (socket) return end_socket(1011, std::move(response.body));
        response.headers.emplace_back("Content-Length", std::to_string(response.body.size()));
        queue(head_of(response) + response.body);
        finish();
    }

    std::string head_of(const HttpResponse& response) const {
        std::string head =
            "HTTP/1.1 " + std::to_string(response.status) + " " +
            std::string(http::obsolete_reason(static_cast<http::status>(response.status))) + "\r\n";
        head += "Content-Type: " + response.content_type + "\r\nVary: Accept-Encoding\r\n";
        head += keep_alive ? "Connection: keep-alive\r\n" : "Connection: close\r\n";
        for (const auto& [name, value] : response.headers) head += name + ": " + value + "\r\n";
        return head + "\r\n";
    }

    void begin(HttpResponse head) {
        if (!answering || streaming) return;
        streaming = true;
        head.headers.emplace_back("Transfer-Encoding", "chunked");
        queue(head_of(head));
    }

    void piece(const std::string& data, std::function<void()> written) {
        if (!streaming || ending || data.empty()) return;
        if (socket) return socket->send(data, std::move(written));
        std::array<char, 20> size{};
        std::snprintf(size.data(), size.size(), "%zx\r\n", data.size());
        queue(size.data() + data + "\r\n", std::move(written));
    }

    void end() {
        if (!streaming || ending) return;
        if (socket) return end_socket(1000, "");
        queue("0\r\n\r\n");
        finish();
    }

    /// Without the last chunk, so that the client sees an error and not an end.
    void break_off(std::string why) {
        if (!streaming || ending) return;
        if (socket) return end_socket(1011, std::move(why));
        keep_alive = false;
        finish();
    }

    void end_socket(std::uint16_t code, std::string why) {
        ending = true;
        gone = nullptr;
        socket->close(code, std::move(why), shared_from_this());
    }

    void finish() {
        ending = true;
        gone = nullptr;
        write();
    }

    void queue(std::string bytes, std::function<void()> written = nullptr) {
        unsent_bytes += bytes.size();
        unsent.push_back({std::move(bytes), std::move(written)});
        if (streaming && unsent_bytes > kUnsentBytesMax) return close();
        write();
    }

    void write() {
        if (writing) return;
        if (unsent.empty()) {
            if (ending) next_request();
            return;
        }
        writing = true;
        stream.expires_after(kReadTimeout);
        asio::async_write(stream, asio::buffer(unsent.front().bytes),
                          [self = shared_from_this()](beast::error_code failed, std::size_t) {
                              if (failed) return self->close();
                              self->stream.expires_never();
                              self->writing = false;
                              self->unsent_bytes -= self->unsent.front().bytes.size();
                              const auto written = std::move(self->unsent.front().written);
                              self->unsent.pop_front();
                              if (written) written();
                              self->write();
                          });
    }

    void next_request() {
        answering = streaming = ending = false;
        if (!keep_alive) return close();
        beast::error_code ignored;
        stream.socket().cancel(ignored);  // ends watch_for_close
        read();
    }

    void close() {
        answering = streaming = false;
        beast::error_code ignored;
        if (socket) {
            socket->drop();
        } else {
            stream.socket().shutdown(tcp::socket::shutdown_both, ignored);
            stream.close();
        }
        if (auto tell = std::exchange(gone, nullptr)) tell();
    }
};

void HttpServer::Impl::accept() {
    acceptor.async_accept([this](beast::error_code failed, tcp::socket socket) {
        if (failed == asio::error::operation_aborted) return;
        if (failed) return accept_later();
        if (shared->open.size() < shared->config.connections_max) {
            socket.set_option(tcp::no_delay(true), failed);
            std::make_shared<Responder::Connection>(std::move(socket), shared)->read();
        }
        accept();
    });
}

/// The client that could not be taken stays in the kernel's queue, so without a pause the same
/// failure would come back at once, for as long as descriptors are short.
void HttpServer::Impl::accept_later() {
    pause.expires_after(kAcceptPause);
    pause.async_wait([this](beast::error_code cancelled) {
        if (!cancelled) accept();
    });
}

void HttpServer::Impl::close_all() {
    beast::error_code ignored;
    acceptor.close(ignored);
    pause.cancel(ignored);
    const std::set<Responder::Connection*> all = shared->open;
    for (Responder::Connection* connection : all) connection->close();
}

Responder::Responder(std::shared_ptr<Connection> connection) : connection_(std::move(connection)) {}

void Responder::send(HttpResponse response) const {
    asio::post(connection_->shared->io,
               [to = connection_, response = std::move(response)]() mutable {
                   to->respond(std::move(response));
               });
}

void Responder::begin_stream(HttpResponse head) const {
    asio::post(connection_->shared->io, [to = connection_, head = std::move(head)]() mutable {
        to->begin(std::move(head));
    });
}

void Responder::piece(std::string data, std::function<void()> written) const {
    asio::post(connection_->shared->io,
               [to = connection_, data = std::move(data), written = std::move(written)]() mutable {
                   to->piece(data, std::move(written));
               });
}

void Responder::end_stream() const {
    asio::post(connection_->shared->io, [to = connection_] { to->end(); });
}

void Responder::break_stream() const { fail_stream(""); }

void Responder::fail_stream(std::string why) const {
    asio::post(connection_->shared->io, [to = connection_, why = std::move(why)]() mutable {
        to->break_off(std::move(why));
    });
}

void Responder::accept_web_socket(std::function<void(std::string)> message) const {
    asio::post(connection_->shared->io, [to = connection_, message = std::move(message)]() mutable {
        to->accept_web_socket(std::move(message));
    });
}

void Responder::listen() const {
    asio::post(connection_->shared->io, [to = connection_] {
        if (to->socket) to->socket->listen();
    });
}

void Responder::on_gone(std::function<void()> gone) const {
    asio::post(connection_->shared->io, [to = connection_, gone = std::move(gone)]() mutable {
        if (to->answering)
            to->gone = std::move(gone);
        else
            gone();
    });
}

HttpServer::HttpServer(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}

Result<std::unique_ptr<HttpServer>> HttpServer::open(HttpConfig config, Handler handler) {
    auto impl = std::make_unique<Impl>();
    const std::string place = config.host + ":" + std::to_string(config.port);
    try {
        const tcp::endpoint endpoint(asio::ip::make_address(config.host), config.port);
        impl->acceptor.open(endpoint.protocol());
        impl->acceptor.set_option(tcp::acceptor::reuse_address(true));
        impl->acceptor.bind(endpoint);
        impl->acceptor.listen(128);
    } catch (const std::exception& error) {
        return Error{Errc::io, "listen for HTTP on " + place + ": " + error.what() +
                                   "; stop what uses it, or give another --http-port or --bind"};
    }
    impl->shared->config = std::move(config);
    impl->shared->handler = std::move(handler);
    impl->accept();
    impl->thread = std::thread([shared = impl->shared] {
        ::pthread_setname_np(::pthread_self(), "http");
        shared->io.run();
    });
    return std::unique_ptr<HttpServer>(
        new HttpServer(std::move(impl)));  // NOLINT: private constructor
}

HttpServer::~HttpServer() { stop(); }

std::uint16_t HttpServer::port() const { return impl_->acceptor.local_endpoint().port(); }

void HttpServer::stop() {
    if (!impl_->thread.joinable()) return;
    asio::post(impl_->shared->io, [impl = impl_.get()] { impl->close_all(); });
    impl_->thread.join();
}

}  // namespace gaggle
