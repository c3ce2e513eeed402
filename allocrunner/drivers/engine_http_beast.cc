#include <fmt/core.h>

#include <algorithm>
#include <boost/asio/io_context.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/beast/core/basic_stream.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http.hpp>
#include <limits>
#include <optional>
#include <utility>

#include "allocrunner/drivers/engine_http.h"
#include "allocrunner/drivers/json_words.h"
#include "placement/jobspec/value_json.h"

namespace gaggle::allocrunner {

namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = beast::http;
using Local = asio::local::stream_protocol;
using Stream = beast::basic_stream<Local>;

constexpr std::uint64_t kBodyMax = 16U << 20U;
constexpr std::size_t kPart = 16U << 10U;
constexpr auto kLookForCancel = std::chrono::milliseconds(100);
constexpr const char* kArchive = "application/x-tar";

Error failure(const EngineCall& call, const std::string& socket, const beast::error_code& why) {
    const bool late = why == beast::error::timeout;
    const std::string asked = fmt::format("{} {} at {}", call.method,
                                          call.target.substr(0, call.target.find('?')), socket);
    if (late)
        return {
            Errc::timeout,
            fmt::format("{}: no answer within {} s; is the container engine well?", asked,
                        std::chrono::duration_cast<std::chrono::seconds>(call.patience).count())};
    return {Errc::unavailable, fmt::format("{}: {}", asked, why.message())};
}

/// One exchange on one connection; its steps are asynchronous only so that each has a deadline.
class Exchange {
  public:
    Exchange(const std::string& socket, const EngineCall& call)
        : socket_(socket), call_(call), stream_(context_) {}

    Result<EngineAnswer> run() {
        TRY(step([&](auto then) { stream_.async_connect(Local::endpoint(socket_), then); }));
        TRY(send());
        if (call_.parts) return receive_parts();
        http::response_parser<http::string_body> parser;
        parser.body_limit(kBodyMax);
        TRY(step([&](auto then) {
            http::async_read(stream_, buffer_, parser,
                             [then](auto error, std::size_t) mutable { then(error); });
        }));
        return EngineAnswer{static_cast<int>(parser.get().result_int()),
                            std::move(parser.get().body())};
    }

  private:
    template <class Begin>
    Result<void> step(Begin begin) {
        beast::error_code result;
        stream_.expires_after(call_.patience);
        begin([&result](beast::error_code error) { result = error; });
        context_.restart();
        if (!call_.cancelled) context_.run();
        while (!context_.stopped()) {
            context_.run_for(kLookForCancel);
            if (!context_.stopped() && call_.cancelled()) stream_.close();
        }
        if (result) return failure(call_, socket_, result);
        return {};
    }

    template <class Body>
    http::request<Body> head() const {
        http::request<Body> request(http::string_to_verb(call_.method), call_.target, 11);
        request.set(http::field::host, "gaggle");
        request.set(http::field::connection, "close");
        for (const auto& [name, value] : call_.headers) request.set(name, value);
        return request;
    }

    template <class Request>
    Result<void> write(Request& request) {
        request.prepare_payload();
        http::request_serializer<typename Request::body_type> serializer(request);
        // Part by part, so that a long upload has a deadline for each part and not for all.
        while (!serializer.is_done())
            TRY(step([&](auto then) {
                http::async_write_some(stream_, serializer,
                                       [then](auto error, std::size_t) mutable { then(error); });
            }));
        return {};
    }

    Result<void> send() {
        if (!call_.file.empty()) {
            auto request = head<http::file_body>();
            request.set(http::field::content_type, kArchive);
            beast::error_code error;
            request.body().open(call_.file.c_str(), beast::file_mode::scan, error);
            if (error) return {Errc::not_found, "open " + call_.file + ": " + error.message()};
            return write(request);
        }
        auto request = head<http::string_body>();
        if (!call_.archive.empty()) {
            request.set(http::field::content_type, kArchive);
            request.body() = call_.archive;
        } else if (std::holds_alternative<Value::Map>(call_.body.data)) {
            request.set(http::field::content_type, "application/json");
            request.body() = value_to_json(call_.body);
        }
        return write(request);
    }

    Result<EngineAnswer> receive_parts() {
        http::response_parser<http::buffer_body> parser;
        parser.body_limit(std::numeric_limits<std::uint64_t>::max());
        TRY(step([&](auto then) {
            http::async_read_header(stream_, buffer_, parser,
                                    [then](auto error, std::size_t) mutable { then(error); });
        }));
        EngineAnswer answer{static_cast<int>(parser.get().result_int()), {}};
        char part[kPart];
        while (!parser.is_done()) {
            parser.get().body().data = part;
            parser.get().body().size = sizeof part;
            TRY(step([&](auto then) {
                http::async_read(stream_, buffer_, parser, [then](auto error, std::size_t) mutable {
                    then(error == http::error::need_buffer ? beast::error_code() : error);
                });
            }));
            const std::string_view got(part, sizeof part - parser.get().body().size);
            if (answer.ok())
                call_.parts(got);
            else if (answer.body.size() < kPart)
                answer.body += got;
        }
        return answer;
    }

    const std::string& socket_;
    const EngineCall& call_;
    asio::io_context context_;
    Stream stream_;
    beast::flat_buffer buffer_;
};

}  // namespace

Value EngineAnswer::json() const {
    auto value = value_from_json(body);
    return value ? std::move(*value) : Value{};
}

std::string EngineAnswer::message() const {
    const std::string said = json::text_at(json(), {"message"});
    return said.empty() ? body.substr(0, 500) : said;
}

Result<EngineAnswer> call_engine(const std::string& socket, const EngineCall& call) {
    if (socket.size() >= sizeof(sockaddr_un::sun_path))
        return {Errc::invalid, "path of the engine's socket is too long: " + socket};
    const auto plain = [](char byte) { return byte > ' ' && byte < 0x7f; };
    if (!std::all_of(call.target.begin(), call.target.end(), plain))
        return {Errc::invalid, call.method + " " + percent_encoded(call.target) + " at " + socket +
                                   ": a space or a byte that is no letter stands in the address; "
                                   "it would end the request and begin another"};
    return Exchange(socket, call).run();
}

}  // namespace gaggle::allocrunner
