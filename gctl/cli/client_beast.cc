#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/core/tcp_stream.hpp>
#include <boost/beast/http.hpp>
#include <cstdint>
#include <utility>  // before Asio 1.74, which forgets it

#include "gctl/cli/http_client.h"

namespace gaggle::cli {

namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = beast::http;
using tcp = asio::ip::tcp;

constexpr auto kConnectTimeout = std::chrono::seconds(5);
constexpr std::size_t kPieceBytes = 64U << 10U;
constexpr std::size_t kAnswerBytesMax = 256U << 20U;

Error failed(const HttpAddress& address, const std::string& what, beast::error_code code) {
    Errc kind = Errc::io;
    std::string why = code.message();
    if (code == beast::error::timeout) {
        kind = Errc::timeout;
        why = "no answer in time";
    } else if (code == asio::error::connection_refused) {
        kind = Errc::unavailable;
        why = "nobody listens there";
    } else if (code == http::error::end_of_stream) {
        why = "the agent closed the connection without an answer";
    } else if (code == http::error::partial_message) {
        why = "the agent broke the answer off before its end";
    } else if (what == "connect") {
        kind = Errc::unavailable;
    }
    return {kind, what + " to " + address.url() + ": " + why};
}

/// One connection, used with deadlines: each step runs the event loop until it is done.
class Connection {
  public:
    explicit Connection(const HttpAddress& address) : address_(address) {}

    Result<void> connect() {
        tcp::resolver resolver(io_);
        beast::error_code code;
        const auto found = resolver.resolve(address_.host, std::to_string(address_.port), code);
        if (code) return failed(address_, "connect", code);
        stream_.expires_after(kConnectTimeout);
        stream_.async_connect(
            found, [&](beast::error_code result, const tcp::endpoint&) { code = result; });
        run();
        if (code) return failed(address_, "connect", code);
        return {};
    }

    Result<void> send(http::request<http::string_body>& request, std::chrono::nanoseconds timeout) {
        beast::error_code code;
        stream_.expires_after(timeout);
        http::async_write(stream_, request,
                          [&](beast::error_code result, std::size_t) { code = result; });
        run();
        if (code) return failed(address_, "send", code);
        return {};
    }

    template <class Parser>
    Result<void> read_all(Parser& parser) {
        beast::error_code code;
        http::async_read(stream_, buffer_, parser,
                         [&](beast::error_code result, std::size_t) { code = result; });
        run();
        if (code) return failed(address_, "talk", code);
        return {};
    }

    template <class Parser>
    Result<void> read_header(Parser& parser) {
        beast::error_code code;
        http::async_read_header(stream_, buffer_, parser,
                                [&](beast::error_code result, std::size_t) { code = result; });
        run();
        if (code) return failed(address_, "talk", code);
        return {};
    }

    /// Fills what of the parser's buffer there is room for. Waits as long as it takes.
    template <class Parser>
    Result<void> read_some(Parser& parser) {
        beast::error_code code;
        stream_.expires_never();
        http::async_read_some(stream_, buffer_, parser,
                              [&](beast::error_code result, std::size_t) { code = result; });
        run();
        if (code && code != http::error::need_buffer) return failed(address_, "talk", code);
        return {};
    }

  private:
    void run() {
        io_.restart();
        io_.run();
    }

    HttpAddress address_;
    asio::io_context io_{1};
    beast::tcp_stream stream_{io_};
    beast::flat_buffer buffer_;
};

http::request<http::string_body> request_of(const HttpAddress& address, const std::string& token,
                                            std::string_view method, const std::string& target,
                                            const std::string& body) {
    http::request<http::string_body> out;
    out.method_string({method.data(), method.size()});
    out.target(target);
    out.version(11);
    out.set(http::field::host, address.authority());
    out.set(http::field::user_agent, "gctl/" GAGGLE_VERSION);
    out.set(http::field::connection, "close");
    if (!token.empty()) out.set("X-Nomad-Token", token);
    if (!body.empty()) out.set(http::field::content_type, "application/json");
    out.body() = body;
    out.prepare_payload();
    return out;
}

}  // namespace

HttpClient::HttpClient(HttpAddress address, std::string token)
    : address_(std::move(address)), token_(std::move(token)) {}

Result<HttpReply> HttpClient::request(std::string_view method, const std::string& target,
                                      const std::string& body, Duration timeout) const {
    Connection connection(address_);
    TRY(connection.connect());
    auto request = request_of(address_, token_, method, target, body);
    TRY(connection.send(request, timeout));
    http::response_parser<http::string_body> parser;
    parser.body_limit(kAnswerBytesMax);
    TRY(connection.read_all(parser));
    return HttpReply{static_cast<int>(parser.get().result_int()), std::move(parser.get().body())};
}

Result<HttpReply> HttpClient::stream(const std::string& target,
                                     const std::function<bool(std::string_view)>& piece) const {
    Connection connection(address_);
    TRY(connection.connect());
    auto request = request_of(address_, token_, "GET", target, "");
    TRY(connection.send(request, std::chrono::seconds(30)));
    http::response_parser<http::buffer_body> parser;
    parser.body_limit(UINT64_MAX);  // Beast 1.74 takes "none" for a limit of nothing
    TRY(connection.read_header(parser));
    HttpReply reply{static_cast<int>(parser.get().result_int()), ""};
    std::string buffer(kPieceBytes, '\0');
    while (!parser.is_done()) {
        parser.get().body().data = buffer.data();
        parser.get().body().size = buffer.size();
        parser.get().body().more = true;
        TRY(connection.read_some(parser));
        const std::string_view got(buffer.data(), buffer.size() - parser.get().body().size);
        if (reply.status != 200)
            reply.body += got.substr(0, kPieceBytes - std::min(kPieceBytes, reply.body.size()));
        else if (!got.empty() && !piece(got))
            break;
    }
    return reply;
}

}  // namespace gaggle::cli
