// Nomad's HTTP API on top of a node: paths and JSON on one side, requests and answers on the other.
//
// Between the HTTP server's thread and the node's stands one thread of its own ("api"), so that
// neither of the two ever parses a job or renders a thousand allocations. What is asked and
// answered is decided by ApiCore (api_core.h), which is pure; this class gives it the clock and
// carries its effects out. Its queue needs no limit of its own: the HTTP server bounds the requests
// by its connections, and each has few questions under way. A peer's routes are listed in
// api_routes.cc.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "gctl/agent/http.h"
#include "gctl/node/request.h"

namespace gaggle {

/// What an agent says of itself beside what its node knows.
struct ApiInfo {
    std::string version;
    std::string region = "global";
    std::string datacenter = "dc1";
    std::string name;  ///< of this peer
};

class Api {
  public:
    /// `ask` and `cancel` are called on the api thread; each goes to the node as an ApiRequest or a
    /// CancelRequest. They must outlive this object or its stop().
    Api(std::function<void(node::ApiRequest)> ask, std::function<void(std::uint64_t)> cancel,
        ApiInfo info);
    ~Api();
    Api(const Api&) = delete;
    Api& operator=(const Api&) = delete;

    /// The HTTP server's handler; returns at once. On the http thread.
    void handle(HttpRequest request, Responder responder);
    /// The node's answer to one ApiRequest; returns at once. From any thread.
    void reply(node::ApiReply reply);
    /// Waits for the thread; later calls do nothing. Stop the HTTP server first.
    void stop();

  private:
    struct Impl;
    std::unique_ptr<Impl> impl_;
};

}  // namespace gaggle
