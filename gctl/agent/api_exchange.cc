#include "gctl/agent/api_exchange.h"

#include "placement/jobspec/value_json.h"

namespace gaggle {

namespace {

void add_headers(HttpResponse& response, const IndexHeaders& headers) {
    const auto contact =
        std::chrono::duration_cast<std::chrono::milliseconds>(headers.last_contact).count();
    response.headers.emplace_back("X-Nomad-Index",
                                  std::to_string(std::max<std::uint64_t>(headers.index, 1)));
    response.headers.emplace_back("X-Nomad-LastContact", std::to_string(contact));
    response.headers.emplace_back("X-Nomad-KnownLeader", headers.known_leader ? "true" : "false");
}

}  // namespace

IndexHeaders headers_of(const node::Answer& answer) {
    return {.index = answer.index,
            .last_contact = answer.last_contact,
            .known_leader = answer.known_leader};
}

Exchange::Exchange(ExchangeId id, const ApiInfo& info, HttpRequest request)
    : id_(id), info_(&info), request_(std::move(request)) {}
Exchange::~Exchange() = default;
Exchange::Exchange(Exchange&&) noexcept = default;

std::string Exchange::parameter(const std::string& name) const {
    const auto found = request_.query.find(name);
    return found == request_.query.end() ? "" : found->second;
}

void Exchange::ask(NodeQuestion question, Then then) {
    INVARIANT(!done_);
    questions_.push_back({std::move(question), std::move(then)});
}

void Exchange::query(node::Query query, std::function<void(Exchange&, node::Answer&)> then,
                     const char* or_else) {
    ask(std::move(query), [then = std::move(then), or_else](Exchange& exchange, NodeReply reply) {
        if (!reply.ok()) return exchange.fail(reply.error());
        auto* answer = std::get_if<node::Answer>(&*reply);
        if (answer == nullptr)
            return exchange.refuse(500, "the node answered a query with something else");
        if (or_else != nullptr && !answer->found)
            return exchange.refuse(404, or_else, headers_of(*answer));
        then(exchange, *answer);
    });
}

void Exchange::respond(const IndexHeaders& headers, const Value& body, int status) {
    const auto pretty = request_.query.find("pretty");
    const bool indented = pretty != request_.query.end() && pretty->second != "0";
    HttpResponse response{.status = status};
    response.body = value_to_json(body, indented ? JsonLayout::indented : JsonLayout::one_line);
    add_headers(response, headers);
    send(std::move(response));
}

void Exchange::respond_text(std::string text, const std::string& content_type) {
    HttpResponse response{.content_type = content_type};
    response.body = std::move(text);
    add_headers(response, {});
    send(std::move(response));
}

void Exchange::refuse(int status, const std::string& text, const IndexHeaders& headers) {
    HttpResponse response{.status = status, .content_type = "text/plain; charset=utf-8"};
    response.body = text;
    add_headers(response, headers);
    send(std::move(response));
}

void Exchange::send(HttpResponse response) {
    INVARIANT(!done_ && !streaming_);
    done_ = true;
    out_.push_back({id_, ToClient::Send{std::move(response)}});
}

void Exchange::begin_stream(const std::string& content_type) {
    INVARIANT(!done_ && !streaming_);
    streaming_ = true;
    HttpResponse head{.content_type = content_type};
    add_headers(head, {});
    out_.push_back({id_, ToClient::BeginStream{std::move(head)}});
}

void Exchange::piece(std::string data, bool wants_written) {
    INVARIANT(streaming_ && !done_);
    out_.push_back({id_, ToClient::Piece{std::move(data), wants_written}});
}

void Exchange::end_stream() {
    INVARIANT(streaming_ && !done_);
    done_ = true;
    out_.push_back({id_, ToClient::EndStream{}});
}

void Exchange::accept_web_socket() {
    INVARIANT(!done_ && !streaming_);
    streaming_ = true;
    out_.push_back({id_, ToClient::AcceptWebSocket{}});
}

void Exchange::listen() {
    INVARIANT(streaming_ && !done_);
    out_.push_back({id_, ToClient::Listen{}});
}

void Exchange::break_stream(std::string why) {
    INVARIANT(streaming_ && !done_);
    done_ = true;
    out_.push_back({id_, ToClient::BreakStream{std::move(why)}});
}

/// Nomad decides by the end of the text, and so do its clients.
int Exchange::status_of(const Error& error) {
    if (error.detail.ends_with("Permission denied")) return 403;
    if (error.detail.ends_with("not found")) return 404;
    switch (error.code) {
        case Errc::invalid: return 400;
        case Errc::not_found: return 404;
        case Errc::denied: return 403;
        case Errc::timeout: return 504;
        case Errc::unavailable:
        case Errc::corrupt:
        case Errc::io: return 500;
    }
    return 500;
}

std::string Exchange::text_of(const Error& error) {
    return error.detail.empty() ? to_string(error.code) : error.detail;
}

}  // namespace gaggle
