// Frames from outside: whatever the bytes, a decoder answers and a core goes on.
#include "base/wire.h"
#include "tests/gossip/network.h"

namespace gaggle::gossip {

namespace {

/// One of each body, with records of each kind.
std::vector<Message> samples() {
    const PeerId b = peer("b"), c = peer("c");
    Records records;
    records.announcements.push_back(
        signed_by(b, Announcement{.peer = b, .incarnation = {7}, .start = start(1)}));
    records.accusations.push_back(signed_by(
        c, Accusation{.subject = b, .incarnation = {7}, .start = start(1), .accuser = c}));
    records.capacities.push_back({b, start(1), 3, 20ms, to_bytes("free")});
    const std::vector<Body> bodies{Ping{1, start(1)},
                                   Ack{2, start(1)},
                                   PingRequest{3, c, start(1), 200ms},
                                   Nack{4},
                                   Push{},
                                   Correction{},
                                   Digest{{}, c, {{.peer = b, .incarnation = {7}}}},
                                   Answer{},
                                   Want{{b}, {c}},
                                   Cards{{{b, card("b")}}}};
    std::vector<Message> messages;
    for (const auto& body : bodies) messages.push_back({.body = body, .records = records});
    return messages;
}

Bytes damaged(Rng& rng, Bytes bytes) {
    const auto flips = 1 + rng.below(3);
    for (std::uint64_t i = 0; i < flips; ++i)
        bytes[rng.below(bytes.size())] = static_cast<std::uint8_t>(rng.next());
    if (rng.chance(0.1)) bytes.resize(rng.below(bytes.size()) + 1);
    return bytes;
}

bool refused(const Message& message) { return !decode_message(encode(message)).ok(); }

}  // namespace

TEST_CASE("every frame comes back as it went") {
    for (const auto& message : samples()) {
        const Bytes bytes = encode_message(message);
        const auto again = decode_message(bytes);
        REQUIRE(again.ok());
        CHECK(again->records == message.records);
        CHECK(encode_message(*again) == bytes);
    }
}

TEST_CASE("sizes are never underestimated") {
    for (const auto& message : samples()) {
        const Message bare{.body = message.body};
        CHECK(encode(message).size() <= encode(bare).size() + wire_bytes(message.records) + 8);
    }
}

TEST_CASE("values out of range are refused") {
    const PeerId b = peer("b");
    CHECK(refused({.version = 0, .body = Push{}}));
    CHECK(refused({.body = PingRequest{1, b, start(1), Duration(-1)}}));
    CHECK(refused({.body = PingRequest{1, b, start(1), kRelayTimeoutMax + 1us}}));
    CHECK(refused({.body = Cards{{{b, Bytes(kCardBytesMax + 1)}}}}));
    CHECK(refused({.body = Want{std::vector<PeerId>(kWantsMax + 1), {}}}));
    CHECK(refused({.body = Digest{{}, b, std::vector<DigestEntry>(kDigestEntriesMax + 1)}}));
    const auto with = [](Records records) { return Message{.body = Push{}, .records = records}; };
    CHECK(refused(with({.announcements = {{.peer = b, .incarnation = {~0ULL}}}})));
    CHECK(refused(with({.announcements = {{.peer = {}}}})));
    CHECK(refused(with({.announcements = {{.peer = b, .signature = Bytes(129)}}})));
    CHECK(refused(with({.accusations = {{.subject = b, .accuser = b}}})));
    CHECK(refused(with({.capacities = {{b, start(1), 1, 0ms, Bytes(kCapacityBytesMax + 1)}}})));
    CHECK(refused(with({.capacities = {{b, start(1), 1, -1ms, {}}}})));
    CHECK(!decode_message(Bytes(kFrameBytesMax + 1)).ok());
}

TEST_CASE("a frame of a later version with more fields is understood") {
    struct LaterPush {
        std::uint8_t version = kGossipVersion + 1;
        Body body = Push{};
        Records records;
        std::uint64_t novelty = 1;
        static auto wire_fields(const LaterPush& s) {
            return std::tie(s.version, s.body, s.records, s.novelty);
        }
    };
    CHECK(decode_message(encode(LaterPush{})).ok());
}

TEST_CASE("random and damaged frames end with a value or an error") {
    Rng rng(1);
    const auto messages = samples();
    for (int round = 0; round < 30'000; ++round) {
        const auto& message = messages[rng.below(messages.size())];
        const auto decoded = decode_message(damaged(rng, encode_message(message)));
        if (decoded.ok()) CHECK(decode_message(encode(*decoded)).ok());
    }
    for (int round = 0; round < 10'000; ++round) {
        Bytes noise(rng.below(200));
        for (auto& byte : noise) byte = static_cast<std::uint8_t>(rng.next());
        static_cast<void>(decode_message(noise));
    }
}

TEST_CASE("a cluster fed with damaged frames stays whole and believes no forged word") {
    Network net(1);
    net.found(4);
    Rng rng(2);
    std::vector<Message> messages = samples();
    for (const auto& name : {"n1", "n2", "n3"}) {  // real members, with real signatures
        const Member& member = *net.at("n0").members().find(peer(name));
        Announcement own{.peer = member.id,
                         .incarnation = member.incarnation,
                         .start = member.start,
                         .boot = member.boot,
                         .card = member.card};
        messages.push_back(
            {.body = Ping{9, start(1)}, .records = {.announcements = {signed_by(own.peer, own)}}});
    }
    for (int round = 0; round < 20'000; ++round) {
        const auto& message = messages[rng.below(messages.size())];
        const PeerId from = peer(Network::nth(static_cast<int>(1 + rng.below(4))));
        net.give(peer("n0"), Received{from, damaged(rng, encode_message(message))});
        if (round % 20 == 0) net.run(1ms);
    }
    net.run(15s);
    CHECK(net.whole());
    CHECK(net.at("n0").counters().malformed > 1'000);
    CHECK(net.at("n0").counters().bad_signatures > 100);
    CHECK(net.at("n0").members().all().size() == 3);  // b, c and n4 never proved themselves
}

TEST_CASE("large cards and large clusters fit their frames") {
    constexpr int kMany = 1'200;
    Swim known(self("a"), Config{}, Rng(1));
    TimePoint now{};
    for (int i = 0; i < kMany; ++i) {
        const std::string name = "m" + std::to_string(i);
        Bytes big = to_bytes(name + "/" + std::string(i < 20 ? kCardBytesMax - 10 : 4, '.'));
        const Announcement own = signed_by(
            peer(name), Announcement{.peer = peer(name), .incarnation = {1}, .card = hash_of(big)});
        static_cast<void>(known.step(now, Introduce{peer(name), big}));
        const Message hello{.body = Push{}, .records = {.announcements = {own}}};
        static_cast<void>(known.step(now, Received{peer(name), encode_message(hello)}));
    }
    REQUIRE(known.members().all().size() == kMany);

    Swim newcomer(self("z"), Config{}, Rng(2));
    std::vector<std::pair<PeerId, Bytes>> flying;  // to, frame
    const auto take = [&](const Effects& effects) {
        for (const auto& send : effects.sends) {
            CHECK(send.bytes.size() <= kFrameBytesMax);
            const bool between = send.to == peer("a") || send.to == peer("z");
            if (between) flying.push_back({send.to, send.bytes});
        }
    };
    take(newcomer.step(now, Introduce{peer("a"), card("a")}));
    for (std::size_t i = 0; i < flying.size() && i < 5'000; ++i) {
        const auto [to, bytes] = flying[i];
        if (to == peer("a"))
            take(known.step(now, Received{peer("z"), bytes}));
        else
            take(newcomer.step(now, Received{peer("a"), bytes}));
    }
    CHECK(newcomer.members().all().size() == kMany + 1);
    CHECK(known.members().find(peer("z")) != nullptr);
}

}  // namespace gaggle::gossip
