// The API on its real thread, behind the real HTTP server, with a node that answers from another
// thread.
#include <future>
#include <mutex>
#include <thread>

#include "gctl/agent/api.h"
#include "tests/gctl/agent/api_world.h"
#include "tests/gctl/agent/raw_client.h"

namespace gaggle {

namespace {

/// Keeps what was asked; the test answers.
struct FakeNode {
    std::mutex lock;
    std::vector<node::ApiRequest> asked;
    std::promise<void> first_ask;
    std::promise<std::uint64_t> first_cancel;

    void ask(node::ApiRequest request) {
        const std::lock_guard guard(lock);
        asked.push_back(std::move(request));
        if (asked.size() == 1) first_ask.set_value();
    }
    void wait_for_ask() {
        REQUIRE(first_ask.get_future().wait_for(std::chrono::seconds(10)) ==
                std::future_status::ready);
    }
};

/// In the order that an agent builds and stops them.
struct Serving {
    FakeNode fake;
    Api api{[this](node::ApiRequest request) { fake.ask(std::move(request)); },
            [this](std::uint64_t id) { fake.first_cancel.set_value(id); },
            {.version = "0.1.0"}};
    std::unique_ptr<HttpServer> server = [this] {
        auto opened =
            HttpServer::open({.port = 0}, [this](HttpRequest request, Responder responder) {
                api.handle(std::move(request), std::move(responder));
            });
        REQUIRE(opened.ok());
        return std::move(*opened);
    }();
    ~Serving() {
        server->stop();
        api.stop();
    }
};

std::string get(const std::string& target) {
    return "GET " + target + " HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
}

}  // namespace

TEST_CASE("a request passes through all threads and comes back") {
    Serving serving;
    RawClient client(serving.server->port());
    client.say(get("/v1/job/web/allocations?stale"));
    serving.fake.wait_for_ask();
    node::ApiReply reply{serving.fake.asked.front().id, node::ApiReply::What(sample_answer())};
    std::thread node([&] { serving.api.reply(std::move(reply)); });
    const std::string answer = client.all();
    node.join();
    CHECK(answer.starts_with("HTTP/1.1 200 OK\r\n"));
    CHECK(answer.find("X-Nomad-Index: 42\r\n") != std::string::npos);
    CHECK(answer.find("\"Name\":\"web.app[1]\"") != std::string::npos);
}

TEST_CASE("a client that hangs up cancels its question") {
    Serving serving;
    RawClient client(serving.server->port());
    client.say(get("/v1/jobs?index=42"));
    serving.fake.wait_for_ask();
    client.hang_up();
    auto cancelled = serving.fake.first_cancel.get_future();
    REQUIRE(cancelled.wait_for(std::chrono::seconds(10)) == std::future_status::ready);
    CHECK(cancelled.get() == serving.fake.asked.front().id);
}

TEST_CASE("stopping with a request under way is clean") {
    Serving serving;
    RawClient client(serving.server->port());
    client.say(get("/v1/jobs"));
    serving.fake.wait_for_ask();
    serving.server->stop();
    serving.api.stop();
    CHECK(client.all().empty());
}

}  // namespace gaggle
