// What happens between an HTTP request and its answer, as one pure state machine.
//
// A request comes in, questions to the node go out, their answers come back, the response goes out;
// a blocking query or a followed log stays here as an Exchange until it is done or its client goes
// away, and then the node is told to forget it. Time comes in with each step and is used for the
// pace of log streams and the ages of copies only. Everything about one path is in its handler
// (api_routes.h).
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "base/time.h"
#include "gctl/agent/api.h"
#include "gctl/agent/api_exchange.h"

namespace gaggle {

class ApiCore {
  public:
    // --- inputs
    struct Arrived {
        ExchangeId exchange = 0;  ///< new for each request
        HttpRequest request;
    };
    struct Gone {  ///< the client went away
        ExchangeId exchange = 0;
    };
    struct Written {  ///< a piece with `wants_written` has left
        ExchangeId exchange = 0;
    };
    struct Message {  ///< of a client with a WebSocket that was listened to
        ExchangeId exchange = 0;
        std::string text;
    };
    struct Tick {};
    using Input = std::variant<Arrived, Gone, Written, Message, Tick, node::ApiReply>;

    explicit ApiCore(ApiInfo info);

    [[nodiscard]] ApiEffects step(node::Now now, Input input);
    std::optional<TimePoint> next_wakeup() const;
    /// Requests without their whole answer yet.
    std::size_t under_way() const { return exchanges_.size(); }

  private:
    void on(node::Now now, Arrived& arrived, ApiEffects& out);
    void on(node::Now now, const Gone& gone, ApiEffects& out);
    void on(node::Now now, const Written& written, ApiEffects& out);
    void on(node::Now now, const Message& message, ApiEffects& out);
    void on(node::Now now, const Tick& tick, ApiEffects& out);
    void on(node::Now now, node::ApiReply& reply, ApiEffects& out);
    /// After every call of an exchange: its questions get numbers, and it goes when it is done.
    void settle(std::map<ExchangeId, Exchange>::iterator at, ApiEffects& out);
    void end(std::map<ExchangeId, Exchange>::iterator at, ApiEffects& out);

    ApiInfo info_;
    std::map<ExchangeId, Exchange> exchanges_;
    std::map<std::uint64_t, ExchangeId> asked_;  ///< by ApiRequest::id
    std::uint64_t next_ask_ = 1;
};

}  // namespace gaggle
