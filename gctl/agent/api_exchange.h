// One HTTP request on its way to its answer.
//
// A handler gets the Exchange, asks the node with a continuation, and ends it once with answer(),
// respond(), refuse() or a stream. Continuations get the same Exchange again and keep no pointer to
// it. Most ask one question at a time, so an exchange reads from top to bottom; what lasts longer
// (a followed log, a terminal) is a Flow.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "base/time.h"
#include "gctl/agent/api.h"
#include "gctl/agent/json_value.h"
#include "gctl/node/io.h"

namespace gaggle {

using ExchangeId = std::uint64_t;
using NodeQuestion = decltype(node::ApiRequest::what);
using NodeReply = Result<node::ApiReply::What>;

/// What goes to one client, in order.
struct ToClient {
    struct Send {
        HttpResponse response;
    };
    struct BeginStream {
        HttpResponse head;
    };
    struct AcceptWebSocket {};  ///< pieces are its messages from here on
    struct Listen {};           ///< one ApiCore::Message more
    struct Piece {
        std::string data;
        bool wants_written = false;  ///< ApiCore::Written follows when it has left
    };
    struct EndStream {};
    struct BreakStream {  ///< the rest is missing, and the client must see that
        std::string why;  ///< told over a WebSocket only
    };
    ExchangeId exchange = 0;
    std::variant<Send, BeginStream, AcceptWebSocket, Listen, Piece, EndStream, BreakStream> what;
};

struct ApiEffects {
    std::vector<node::ApiRequest> asks;
    std::vector<std::uint64_t> cancels;  ///< ids of asks whose answer nobody wants any more
    std::vector<ToClient> clients;
};

/// The three headers that Nomad's clients read (nomad.md section 0: all of them, always).
struct IndexHeaders {
    std::uint64_t index = 1;
    Duration last_contact{};
    bool known_leader = true;
};
IndexHeaders headers_of(const node::Answer& answer);

class Exchange;

/// What stays with an exchange beyond its first answers. Called with the exchange it belongs to.
class Flow {
  public:
    virtual ~Flow() = default;
    virtual void tick(Exchange&) {}
    /// A piece that wanted it has left for the client.
    virtual void written(Exchange&) {}
    /// A message of the client's, over a WebSocket.
    virtual void message(Exchange&, const std::string&) {}
    /// The client went away. Questions asked here are sent, and nobody waits for their answers.
    virtual void gone(Exchange&) {}
    /// Latest moment for the next tick().
    virtual std::optional<TimePoint> next_wakeup() const { return std::nullopt; }
};

class Exchange {
  public:
    using Then = std::function<void(Exchange&, NodeReply)>;

    Exchange(ExchangeId id, const ApiInfo& info, HttpRequest request);
    ~Exchange();
    Exchange(Exchange&&) noexcept;

    const HttpRequest& request() const { return request_; }
    const ApiInfo& info() const { return *info_; }
    TimePoint now() const { return now_.time; }
    WallTime wall() const { return now_.wall; }
    /// Of this exchange and no other, also of an earlier agent.
    node::ExecNumber exec_number() const { return {now_.wall, id_}; }
    /// What the `*` of the route's pattern stands for: mostly an id, decoded.
    const std::string& id() const { return wild_; }
    /// A parameter of the query, or "".
    std::string parameter(const std::string& name) const;

    /// `then` is called once, unless the client goes or the exchange ends before.
    void ask(NodeQuestion question, Then then);
    /// Asks for records; an error or an answer of another kind ends the exchange, and so does `not
    /// found` when `or_else` says what is missing ("job not found").
    void query(node::Query query, std::function<void(Exchange&, node::Answer&)> then,
               const char* or_else = nullptr);

    void respond(const IndexHeaders& headers, const Value& body, int status = 200);
    void answer(const node::Answer& from, const Value& body) { respond(headers_of(from), body); }
    /// Any text, with its type.
    void respond_text(std::string text, const std::string& content_type);
    /// Text, as Nomad answers errors.
    void refuse(int status, const std::string& text, const IndexHeaders& headers = {});
    void fail(const Error& error) { refuse(status_of(error), text_of(error)); }

    void begin_stream(const std::string& content_type);
    void piece(std::string data, bool wants_written);
    void end_stream();
    void break_stream(std::string why = "");
    /// Instead of begin_stream, for a request that wants it.
    void accept_web_socket();
    void listen();
    bool streaming() const { return streaming_; }
    /// It was answered in full.
    bool done() const { return done_; }

    static int status_of(const Error& error);
    static std::string text_of(const Error& error);

    std::unique_ptr<Flow> flow;  ///< none: it ends with the answers that it waits for

  private:
    friend class ApiCore;
    void send(HttpResponse response);

    ExchangeId id_;
    const ApiInfo* info_;  ///< ApiCore's, which outlives its exchanges
    HttpRequest request_;
    std::string wild_;
    node::Now now_{};
    struct Question {
        NodeQuestion what;
        Then then;
    };
    std::vector<Question> questions_;      ///< to be numbered and sent by ApiCore
    std::map<std::uint64_t, Then> asked_;  ///< by the numbers of the questions under way
    bool streaming_ = false;
    bool done_ = false;
    std::vector<ToClient> out_;  ///< taken by ApiCore after each call
};

}  // namespace gaggle
