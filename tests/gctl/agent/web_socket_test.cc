// WebSockets of the HTTP server, frame by frame (RFC 6455 section 5).
#include <doctest/doctest.h>

#include <algorithm>

#include "gctl/agent/http.h"
#include "tests/gctl/agent/answers.h"
#include "tests/gctl/agent/raw_client.h"

namespace gaggle {

namespace {

using std::chrono::milliseconds;

constexpr char kText = '\x81';
constexpr char kClose = '\x88';
constexpr char kPing = '\x89';
constexpr char kPong = '\x8a';

/// A client's frame, masked with zeroes.
std::string frame(char kind, const std::string& text = "") {
    std::string out(1, kind);
    if (text.size() < 126) {
        out += static_cast<char>(0x80 | text.size());
    } else {
        out += '\xfe';
        out += static_cast<char>(text.size() >> 8U);
        out += static_cast<char>(text.size() & 0xffU);
    }
    return out + std::string(4, '\0') + text;
}

std::string upgrade(const std::string& path, const std::string& headers) {
    return "GET " + path +
           " HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
           "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n" +
           headers + "\r\n";
}
const std::string kToken = "X-Nomad-Token: secret\r\n";
const std::string kWelcome = "\r\n\r\n";

/// A server whose handler takes WebSockets at /talk, and listens when it is told to.
class Talk {
  public:
    explicit Talk(WebSocketTimes times = {}, std::size_t nameless_max = 32) {
        auto opened = HttpServer::open(
            {.port = 0, .token = "secret", .nameless_max = nameless_max, .web_socket = times},
            [this](const HttpRequest& request, Responder responder) {
                if (request.path != "/talk") return responder.send({.status = 404, .body = "?"});
                responder.on_gone([this] { said_.take()("gone"); });
                responder.accept_web_socket(said_.take());
                begun_.take()(std::move(responder));
            });
        REQUIRE(opened.ok());
        server_ = std::move(*opened);
    }
    std::uint16_t port() const { return server_->port(); }
    Responder begun() { return begun_.next(); }
    std::string said() { return said_.next(); }

  private:
    agent::Answers<std::string> said_;
    agent::Answers<Responder> begun_;
    std::unique_ptr<HttpServer> server_;  // last: its thread uses the others
};

}  // namespace

TEST_CASE("a client that nobody listens to is answered when it pings") {
    Talk talk;
    RawClient client(talk.port());
    client.say(upgrade("/talk", kToken));
    client.until(kWelcome);
    const Responder responder = talk.begun();
    client.say(frame(kPing));
    CHECK(client.until(std::string(1, kPong)).find(kPong) != std::string::npos);
    client.say(frame(kText, "one") + frame(kText, "two"));
    responder.listen();
    CHECK(talk.said() == "one");
    responder.listen();
    CHECK(talk.said() == "two");
}

TEST_CASE("a client that waits for a slow listener is not taken for dead") {
    constexpr milliseconds kOften(20);
    Talk talk({.ping = kOften, .held_ping = kOften, .silence = milliseconds(1'500)});
    RawClient client(talk.port());
    client.say(upgrade("/talk", kToken));
    client.until(kWelcome);
    const Responder responder = talk.begun();
    client.say(frame(kText, "one") + frame(kText, "two"));
    // It answers no ping, for which "two" would have to be read first, for longer than a silence.
    const std::string pings = client.until(std::string(1, kPing), 80);
    CHECK(std::count(pings.begin(), pings.end(), kPing) >= 80);
    responder.listen();
    CHECK(talk.said() == "one");
    responder.listen();
    CHECK(talk.said() == "two");
    CHECK(talk.said() == "gone");  // and now it is listened to, and silent
}

TEST_CASE("a client that goes while its input waits is noticed") {
    Talk talk({.held_ping = milliseconds(20)});
    Responder responder;
    {
        RawClient client(talk.port());
        client.say(upgrade("/talk", kToken));
        client.until(kWelcome);
        responder = talk.begun();
        client.say(frame(kText, "one") + frame(kText, "two"));
    }
    CHECK(talk.said() == "gone");
}

TEST_CASE("a token may be the first message") {
    Talk talk;
    RawClient client(talk.port());
    client.say(upgrade("/talk?ws_handshake=true", ""));
    client.until(kWelcome);
    client.say(frame(kText, R"({"version":1,"auth_token":"secret"})") +
               frame(kText, std::string(10'000, 'x')));
    const Responder responder = talk.begun();
    responder.listen();
    CHECK(talk.said().size() == 10'000);
    responder.piece("hello");
    CHECK(client.until("hello").find("hello") != std::string::npos);
}

TEST_CASE("a token that is wrong, late or none opens nothing") {
    struct Row {
        const char* what;
        std::string first;
    };
    for (const Row& row :
         {Row{"wrong", frame(kText, R"({"auth_token":"secres"})")},
          Row{"none", frame(kText, R"({"stdin":{}})")}, Row{"no JSON", frame(kText, "secret")},
          Row{"too long", frame(kText, std::string(5'000, ' '))}, Row{"late", ""},
          Row{"late, and alive", frame(kPing)}}) {
        CAPTURE(row.what);
        Talk talk({.token = milliseconds(200)});
        RawClient client(talk.port());
        client.say(upgrade("/talk?ws_handshake=true", ""));
        client.until(kWelcome);
        if (!row.first.empty()) client.say(row.first);
        CHECK(client.until(std::string(1, kClose)).find(kClose) != std::string::npos);
    }
}

TEST_CASE("those that have not said their token take few places") {
    Talk talk({}, 1);
    RawClient first(talk.port());
    first.say(upgrade("/talk?ws_handshake=true", ""));
    CHECK(first.until(kWelcome).starts_with("HTTP/1.1 101"));
    RawClient second(talk.port());
    second.say(upgrade("/talk?ws_handshake=true", ""));
    CHECK(second.until(kWelcome).starts_with("HTTP/1.1 503"));
    first.say(frame(kText, R"({"auth_token":"secret"})"));
    const Responder known = talk.begun();
    RawClient third(talk.port());
    third.say(upgrade("/talk?ws_handshake=true", ""));
    CHECK(third.until(kWelcome).starts_with("HTTP/1.1 101"));
}

TEST_CASE("a path without WebSockets closes with its answer") {
    Talk talk;
    RawClient client(talk.port());
    client.say(upgrade("/other?ws_handshake=true", ""));
    client.until(kWelcome);
    client.say(frame(kText, R"({"auth_token":"secret"})"));
    CHECK(client.until("?").ends_with("?"));
}

}  // namespace gaggle
