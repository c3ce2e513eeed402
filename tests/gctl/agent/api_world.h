// A node that tests answer for, around one ApiCore; and a small region's records.
#pragma once

#include <doctest/doctest.h>

#include <string>
#include <vector>

#include "gctl/agent/api_core.h"
#include "placement/jobspec/job_api.h"

namespace gaggle {

/// One HTTP exchange at a time is enough for most tests; `client` numbers them.
class ApiWorld {
  public:
    using Query = std::map<std::string, std::string>;

    ApiWorld() : core({.version = "0.1.0", .region = "global", .datacenter = "dc1", .name = "a"}) {}

    /// Sends the request and returns its number.
    ExchangeId send(const std::string& method, const std::string& path, Query query = {},
                    const std::string& body = "");
    ExchangeId get(const std::string& path, Query query = {}) { return send("GET", path, query); }
    /// A client that wants a WebSocket.
    ExchangeId upgrade(const std::string& path, Query query);

    /// The oldest question not yet answered; requires that there is one.
    const node::ApiRequest& question() const;
    template <class T>
    const T& question_as() const {
        const T* what = std::get_if<T>(&question().what);
        REQUIRE(what != nullptr);
        return *what;
    }
    /// Answers the oldest question.
    void reply(NodeReply what);
    void reply(node::Answer answer) { reply(NodeReply(node::ApiReply::What(std::move(answer)))); }
    void pass(Duration span);
    void input(ApiCore::Input what);

    /// The one response to `client`, sent whole.
    const HttpResponse& response(ExchangeId client) const;
    std::string header(ExchangeId client, const std::string& name) const;
    /// Its body as JSON, status 200 required.
    Value json(ExchangeId client) const;
    /// What was streamed to `client` so far.
    std::string streamed(ExchangeId client) const;
    bool ended(ExchangeId client) const;
    /// Its stream broke off before its end.
    bool broken(ExchangeId client) const;

    ApiCore core;
    TimePoint now{1s};
    WallTime wall{1'700'000'060'000'000'000};
    std::vector<node::ApiRequest> questions;
    std::vector<std::uint64_t> cancelled;
    std::vector<ToClient> sent;

  private:
    ExchangeId send(HttpRequest request);
    ExchangeId last_ = 0;
};

/// What peer `sample_peer` answered to an AskPeer.
NodeReply said(node::LocalAnswer what);

/// A service "web" (a group with a port and one task), its allocation on peer 1, and so on.
Job sample_job();
ledger::JobRecord sample_job_record();
ledger::PeerRecord sample_peer();
ledger::AllocRecord sample_alloc();
ledger::EvalRecord sample_eval();
/// All of them, index 42.
node::Answer sample_answer();
node::MemberInfo sample_member(std::uint8_t number, const std::string& name,
                               const std::string& state = "alive");

/// Follows names and list positions: at(value, "Job.TaskGroups.0.Name").
const Value& at(const Value& value, const std::string& path);
std::string text_at(const Value& value, const std::string& path);
std::int64_t number_at(const Value& value, const std::string& path);

}  // namespace gaggle
