#include "gctl/agent/http.h"

#include <doctest/doctest.h>
#include <sys/resource.h>
#include <time.h>

#include <future>
#include <mutex>
#include <optional>
#include <thread>

#include "base/time.h"
#include "gctl/agent/http_lock.h"
#include "tests/gctl/agent/raw_client.h"

namespace gaggle {

namespace {

std::unique_ptr<HttpServer> serve(HttpServer::Handler handler) {
    auto server = HttpServer::open({.port = 0, .token = "secret"}, std::move(handler));
    REQUIRE(server.ok());
    return std::move(*server);
}

std::string get(const std::string& path, const std::string& headers = "X-Nomad-Token: secret\r\n",
                const std::string& host = "localhost") {
    return "GET " + path + " HTTP/1.1\r\nHost: " + host + "\r\nConnection: close\r\n" + headers +
           "\r\n";
}

HttpServer::Handler echo() {
    return [](HttpRequest request, Responder responder) {
        std::string body = request.method + " " + request.path;
        for (const auto& [name, value] : request.query) body += " " + name + "=" + value;
        responder.send({.body = body + " " + request.body});
    };
}

/// This process may open so many more files as long as this lives.
class DescriptorsLeft {
  public:
    explicit DescriptorsLeft(rlim_t more) {
        REQUIRE(::getrlimit(RLIMIT_NOFILE, &before_) == 0);
        const int lowest = ::dup(STDIN_FILENO);
        REQUIRE(lowest >= 0);
        ::close(lowest);
        const rlimit scarce{.rlim_cur = static_cast<rlim_t>(lowest) + more,
                            .rlim_max = before_.rlim_max};
        REQUIRE(::setrlimit(RLIMIT_NOFILE, &scarce) == 0);
    }
    ~DescriptorsLeft() { ::setrlimit(RLIMIT_NOFILE, &before_); }
    DescriptorsLeft(const DescriptorsLeft&) = delete;
    DescriptorsLeft& operator=(const DescriptorsLeft&) = delete;

  private:
    rlimit before_{};
};

/// What all threads of this process have used.
Duration cpu_time() {
    timespec used{};
    ::clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &used);
    return std::chrono::seconds(used.tv_sec) + Duration(used.tv_nsec / 1'000);
}

}  // namespace

TEST_CASE("a request comes through decoded, and its answer comes back") {
    const auto server = serve(echo());
    RawClient client(server->port());
    client.say(get("/v1/job/a%2Fb?stale&wait=2000ms"));
    const std::string answer = client.all();
    CHECK(answer.starts_with("HTTP/1.1 200 OK\r\n"));
    CHECK(answer.ends_with("GET /v1/job/a/b stale= wait=2000ms "));
}

TEST_CASE("a plus is a blank in a query, and itself in a path") {
    CHECK(url_decoded("a+b%2Bc", UrlPart::path) == "a+b+c");
    CHECK(url_decoded("a+b%2Bc", UrlPart::query) == "a b+c");
    CHECK(url_decoded("100%", UrlPart::path) == "100%");
    const auto server = serve([](HttpRequest request, Responder responder) {
        responder.send({.body = request.segments.back() + " " + request.query.at("q")});
    });
    RawClient client(server->port());
    client.say(get("/v1/job/c++?q=x+y"));
    CHECK(client.all().ends_with("\r\n\r\nc++ x y"));
}

TEST_CASE("the lock") {
    struct Row {
        std::string bound, token;
        LockedHeaders headers;
        int status;  // 0: passes
    };
    for (const auto& row : {
             Row{"127.0.0.1", "t", {.host = "localhost:4646", .token = "t"}, 0},
             Row{"127.0.0.1", "t", {.host = "127.0.0.1:4646", .authorization = "Bearer t"}, 0},
             Row{"127.0.0.2", "t", {.host = "127.0.0.2:4646", .token = "t"}, 0},
             Row{"::1", "t", {.host = "[::1]:4646", .token = "t"}, 0},
             Row{"127.0.0.1", "", {.host = "localhost"}, 0},
             Row{"127.0.0.1", "t", {.host = "localhost"}, 403},
             Row{"127.0.0.1", "t", {.host = "localhost", .token = "x"}, 403},
             Row{"127.0.0.1", "t", {.host = "localhost", .token = "tt"}, 403},
             Row{"127.0.0.1", "t", {.host = "evil.example", .token = "t"}, 403},
             Row{"127.0.0.1", "t", {.host = "", .token = "t"}, 403},
             Row{"127.0.0.1",
                 "t",
                 {.host = "localhost", .origin = "http://evil.example", .token = "t"},
                 403},
             Row{"127.0.0.1",
                 "t",
                 {.host = "localhost:4646", .origin = "http://localhost:4646", .token = "t"},
                 0},
         }) {
        CAPTURE(row.headers.host);
        CAPTURE(row.headers.origin);
        const auto refusal = http_lock(row.bound, row.token, row.headers);
        CHECK((refusal ? refusal->status : 0) == row.status);
    }
}

TEST_CASE("without a token, or with a foreign Host, nothing reaches the handler") {
    const auto server = serve([](HttpRequest, Responder) { FAIL("reached"); });
    for (const auto& [headers, host] : {std::pair{"", "localhost"},
                                        {"X-Nomad-Token: wrong\r\n", "localhost"},
                                        {"X-Nomad-Token: secret\r\n", "evil.example"}}) {
        RawClient client(server->port());
        client.say(get("/v1/jobs", headers, host));
        CHECK(client.all().starts_with("HTTP/1.1 403 Forbidden\r\n"));
    }
}

TEST_CASE("a body of 100 MiB is refused before it is read") {
    const auto server = serve([](HttpRequest, Responder) { FAIL("reached"); });
    RawClient client(server->port());
    client.say(
        "PUT /v1/jobs HTTP/1.1\r\nHost: localhost\r\nX-Nomad-Token: secret\r\nContent-Length: "
        "104857600\r\n\r\n");
    const std::string answer = client.all();
    CHECK(answer.starts_with("HTTP/1.1 413 "));
    CHECK(answer.find("at most 16777216 bytes") != std::string::npos);
}

TEST_CASE("PUT and POST are one, and a body arrives whole") {
    const auto server = serve(echo());
    RawClient client(server->port());
    client.say(
        "PUT /v1/jobs HTTP/1.1\r\nHost: localhost\r\nX-Nomad-Token: secret\r\nConnection: "
        "close\r\nContent-Length: 4\r\n\r\n{\"a\"");
    CHECK(client.all().ends_with("POST /v1/jobs {\"a\""));
}

TEST_CASE("two requests on one connection") {
    const auto server = serve(echo());
    RawClient client(server->port());
    client.say("GET /one HTTP/1.1\r\nHost: localhost\r\nX-Nomad-Token: secret\r\n\r\n" +
               get("/two"));
    const std::string answers = client.all();
    CHECK(answers.find("GET /one") != std::string::npos);
    CHECK(answers.find("GET /two") != std::string::npos);
}

TEST_CASE("whoever streams much learns when a piece has left") {
    std::promise<void> left;
    const auto server = serve([&](HttpRequest, Responder responder) {
        responder.begin_stream({.content_type = "text/plain"});
        responder.piece("first", [&left, responder] {
            left.set_value();
            responder.piece("second");
            responder.end_stream();
        });
    });
    RawClient client(server->port());
    client.say(get("/v1/client/fs/logs/x"));
    CHECK(left.get_future().wait_for(std::chrono::seconds(10)) == std::future_status::ready);
    CHECK(client.all().ends_with("5\r\nfirst\r\n6\r\nsecond\r\n0\r\n\r\n"));
}

TEST_CASE("a stream arrives in pieces and ends") {
    const auto server = serve([](HttpRequest, Responder responder) {
        responder.begin_stream({.content_type = "text/plain"});
        responder.piece("one ");
        responder.piece("two");
        responder.end_stream();
    });
    RawClient client(server->port());
    client.say(get("/v1/client/fs/logs/x"));
    CHECK(client.all().ends_with("4\r\none \r\n3\r\ntwo\r\n0\r\n\r\n"));
}

TEST_CASE("a stream that breaks off has its pieces and no end") {
    const auto server = serve([](HttpRequest, Responder responder) {
        responder.begin_stream({.content_type = "text/plain"});
        responder.piece("half");
        responder.break_stream();
        responder.piece("late");
        responder.end_stream();
    });
    RawClient client(server->port());
    client.say("GET / HTTP/1.1\r\nHost: localhost\r\nX-Nomad-Token: secret\r\n\r\n");  // kept alive
    CHECK(client.all().ends_with("\r\n\r\n4\r\nhalf\r\n"));
}

TEST_CASE("without descriptors the server waits, and then takes who waited") {
    const auto server = serve(echo());
    std::optional<DescriptorsLeft> scarce(1);
    RawClient client(server->port());  // takes the last one, so it cannot be accepted
    client.say(get("/patient"));
    const Duration before = cpu_time();
    CHECK_FALSE(client.answered_within(300));
    CHECK(cpu_time() - before < 100ms);  // it would be 300 ms of a server that spins
    scarce.reset();
    CHECK(client.all().find("GET /patient") != std::string::npos);
}

TEST_CASE("the handler hears when its client goes away") {
    std::promise<void> gone;
    const auto server = serve([&gone](HttpRequest, Responder responder) {
        responder.on_gone([&gone] { gone.set_value(); });
    });
    RawClient client(server->port());
    client.say(get("/v1/jobs?index=7"));
    client.hang_up();
    CHECK(gone.get_future().wait_for(std::chrono::seconds(10)) == std::future_status::ready);
}

TEST_CASE("an answer may come late, from another thread") {
    std::promise<Responder> kept;
    const auto server =
        serve([&kept](HttpRequest, Responder responder) { kept.set_value(responder); });
    RawClient client(server->port());
    client.say(get("/v1/jobs"));
    std::thread later([&kept] { kept.get_future().get().send({.body = "late"}); });
    CHECK(client.all().ends_with("late"));
    later.join();
}

TEST_CASE("a used port is an error that says what to do") {
    const auto server = serve(echo());
    const auto second = HttpServer::open({.port = server->port()}, echo());
    REQUIRE(!second.ok());
    CHECK(second.error().detail.find("--http-port") != std::string::npos);
}

TEST_CASE("garbage closes the connection and harms nothing") {
    const auto server = serve(echo());
    for (const std::string& garbage :
         {std::string("\0\1\2\3 rubbish\r\n\r\n", 15), std::string(100'000, 'x')}) {
        RawClient client(server->port());
        client.say(garbage);
        client.all();
    }
    RawClient client(server->port());
    client.say(get("/still/there"));
    CHECK(client.all().find("GET /still/there") != std::string::npos);
}

}  // namespace gaggle
