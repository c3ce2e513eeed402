#include "crypto/peer_socket.h"

#include <doctest/doctest.h>

#include "crypto/rate_limit.h"
#include "tests/crypto/sockets_fixture.h"

namespace gaggle {

namespace {

using Kind = LinkEvent::Kind;

/// Sends until it arrives: messages may be lost while a connection is made or broken.
bool reaches(TestPeer& from, TestPeer& to, Channel channel, std::string_view text) {
    const TimePoint deadline = socket_clock() + kDeadline;
    while (socket_clock() < deadline) {
        from.sockets->send(to.id(), channel, to_bytes(text));
        wait_readable({}, 20ms);
        if (to.diary.seen(text) > 0) return true;
    }
    return false;
}

}  // namespace

TEST_CASE("two peers talk on control and bulk, and each knows who spoke") {
    Pair pair;
    REQUIRE(pair.admitted);
    REQUIRE(pair.a.sockets->send(pair.b.id(), Channel::control, to_bytes("honk")));
    REQUIRE(pair.b.diary.wait_for_text("honk"));
    const Received honk = pair.b.diary.last();
    CHECK(honk.from == pair.a.id());
    CHECK(honk.curve == pair.a.identity.curve.open);
    CHECK(honk.channel == Channel::control);
    CHECK(honk.token.route.empty());

    const std::string block(64U << 10U, 'x');
    REQUIRE(pair.b.sockets->send(pair.a.id(), Channel::bulk, to_bytes(block)));
    REQUIRE(pair.a.diary.wait_for_text(block));
    CHECK(pair.a.diary.last().from == pair.b.id());
    CHECK(pair.a.diary.last().channel == Channel::bulk);
    CHECK(pair.a.diary.wait_for_link(pair.b.id(), Kind::connected));
    CHECK(pair.a.diary.fatal.empty());
}

TEST_CASE("messages to one peer arrive in order, also those sent before it was connected") {
    Pair pair;
    for (int number = 0; number < 100; ++number)
        REQUIRE(
            pair.a.sockets->send(pair.b.id(), Channel::control, to_bytes(std::to_string(number))));
    REQUIRE(pair.b.diary.wait([&] { return pair.b.diary.received.size() == 100; }));
    for (int number = 0; number < 100; ++number)
        CHECK(as_text(pair.b.diary.received[static_cast<std::size_t>(number)].bytes) ==
              std::to_string(number));
}

TEST_CASE("a stranger is refused on control and bulk, and let in once the keyring knows it") {
    Pair pair;
    Keyring everybody = pair.keyring;
    REQUIRE(everybody.admit(pair.cluster.certificate_of(pair.stranger)).ok());
    TestPeer stranger(pair.stranger, everybody, "127.0.0.3");
    stranger.sockets->set_peer(pair.b.id(), pair.b.endpoint());
    for (const Channel channel : {Channel::control, Channel::bulk})
        REQUIRE(stranger.sockets->send(pair.b.id(), channel, to_bytes("let me in")));
    REQUIRE(stranger.diary.wait_for_link(pair.b.id(), Kind::closed, 2));
    CHECK(pair.b.diary.seen("let me in") == 0);
    stranger.sockets->forget_peer(pair.b.id());
    stranger.sockets->set_peer(pair.b.id(), pair.b.endpoint());
    pair.b.sockets->set_keyring(everybody);
    CHECK(reaches(stranger, pair.b, Channel::control, "now I am known"));
    CHECK(pair.b.diary.last().from == stranger.id());
    CHECK(pair.b.diary.seen("let me in") == 0);
}

TEST_CASE("an expelled peer's connection is closed, and it is not let in again") {
    Pair pair;
    REQUIRE(reaches(pair.a, pair.b, Channel::control, "before"));
    Keyring without = pair.keyring;
    without.expel(pair.a.id());
    pair.b.sockets->set_keyring(without);
    REQUIRE(pair.a.diary.wait_for_link(pair.b.id(), Kind::closed));
    pair.a.sockets->send(pair.b.id(), Channel::control, to_bytes("after"));
    REQUIRE(pair.a.diary.wait_for_link(pair.b.id(), Kind::closed, 2));  // refused this time
    CHECK(pair.b.diary.seen("after") == 0);
    CHECK(reaches(pair.b, pair.a, Channel::control, "the other way is open"));
}

TEST_CASE("a peer that comes back is reached again; one that is not there is told of") {
    Pair pair;
    REQUIRE(reaches(pair.a, pair.b, Channel::control, "first life"));
    pair.b.sockets.reset();
    REQUIRE(pair.a.diary.wait_for_link(pair.b.id(), Kind::closed));
    pair.a.sockets->send(pair.b.id(), Channel::control, to_bytes("anybody there?"));
    REQUIRE(pair.a.diary.wait_for_link(pair.b.id(), Kind::closed, 2));  // nobody listens
    pair.b.open();
    CHECK(reaches(pair.a, pair.b, Channel::control, "second life"));
}

TEST_CASE("a forgotten or unknown peer takes nothing, nor does a message that is too large") {
    Pair pair;
    const auto send = [&](PeerId to, Channel channel, std::size_t size) {
        return pair.a.sockets->send(to, channel, Bytes(size));
    };
    const PeerSocketLimits limits;
    CHECK(!send(pair.stranger.id(), Channel::control, 1));
    CHECK(!send(pair.b.id(), Channel::control, limits.control_bytes_max + 1));
    CHECK(!send(pair.b.id(), Channel::bulk, limits.bulk_bytes_max + 1));
    REQUIRE(send(pair.b.id(), Channel::control, limits.control_bytes_max));  // just fits
    REQUIRE(send(pair.b.id(), Channel::bulk, limits.bulk_bytes_max));
    CHECK(pair.b.diary.wait([&] { return pair.b.diary.received.size() == 2; }));
    pair.a.sockets->forget_peer(pair.b.id());
    CHECK(!send(pair.b.id(), Channel::control, 1));
    pair.a.sockets->stop();
    CHECK(!send(pair.b.id(), Channel::control, 1));
}

TEST_CASE("a peer that accepts but never answers lags, and others do not notice") {
    Pair pair;
    const RawSocket black_hole;
    const std::uint16_t port = free_base_port("127.0.0.4");
    REQUIRE(black_hole.listen("127.0.0.4", port));
    const PeerId silent = pair.stranger.id();
    pair.a.sockets->set_peer(silent, {"127.0.0.4", port, pair.stranger.curve.open});
    const TimePoint deadline = socket_clock() + kDeadline;
    bool refused = false;
    while (!refused && socket_clock() < deadline)
        refused = !pair.a.sockets->send(silent, Channel::control, to_bytes("hello?"));
    CHECK(refused);
    CHECK(reaches(pair.a, pair.b, Channel::control, "meanwhile"));
}

TEST_CASE("with room for one connection, many peers are still reached") {
    PeerSocketLimits limits;
    limits.links_max = 1;
    Pair pair(limits);
    Keyring three = pair.keyring;
    REQUIRE(three.admit(pair.cluster.certificate_of(pair.stranger)).ok());
    TestPeer c(pair.stranger, three, "127.0.0.3");
    pair.a.sockets->set_peer(c.id(), c.endpoint());
    for (const char* text : {"one", "two", "three"}) {
        CHECK(reaches(pair.a, pair.b, Channel::control, text));
        CHECK(reaches(pair.a, c, Channel::control, text));
    }
}

TEST_CASE("a used port is named, and what to do about it") {
    Pair pair;
    Diary diary;
    for (const int taken : {0, 1, 2}) {
        CAPTURE(taken);
        const std::string host = "127.0.0.5";
        const std::uint16_t base = free_base_port(host);
        const RawSocket other;
        REQUIRE(other.listen(host, base + taken));
        const auto refused = PeerSockets::open({.identity = pair.stranger,
                                                .keyring = pair.keyring,
                                                .bind_host = host,
                                                .base_port = base},
                                               diary.handlers());
        REQUIRE(!refused.ok());
        CHECK(refused.error().code == Errc::unavailable);
        const std::string& detail = refused.error().detail;
        CHECK(detail.find(host + ":" + std::to_string(base + taken)) != std::string::npos);
        CHECK(detail.find("ss -ltnp") != std::string::npos);
    }
    const auto nowhere = PeerSockets::open(
        {.identity = pair.stranger, .bind_host = "192.0.2.1", .base_port = 20'000},
        diary.handlers());
    REQUIRE(!nowhere.ok());
    CHECK(nowhere.error().detail.find("no interface") != std::string::npos);
    const auto beyond =
        PeerSockets::open({.identity = pair.stranger, .base_port = 65'534}, diary.handlers());
    CHECK(beyond.error().code == Errc::invalid);
}

TEST_CASE("a rate limit passes a burst of one second's worth, then the rate") {
    RateLimit limit(10);
    const TimePoint start{1'000s};
    const auto passed = [&](TimePoint now) {
        int count = 0;
        while (limit.take(now)) ++count;
        return count;
    };
    struct Row {
        Duration after;
        int passes;
    };
    for (const Row& row : {Row{0ms, 10}, Row{50ms, 0}, Row{100ms, 1}, Row{600ms, 5},
                           Row{3'600s, 10}, Row{3'600s, 0}}) {
        CAPTURE(row.after.count());
        CHECK(passed(start + row.after) == row.passes);
    }
    CHECK(!RateLimit(0).take(start));
}

}  // namespace gaggle
