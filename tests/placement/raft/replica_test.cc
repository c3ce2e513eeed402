// One replica and what may be said to it: limits, damage, strangers, random bytes.
#include <doctest/doctest.h>

#include "tests/placement/raft/machine.h"

namespace gaggle::raft::test {

namespace {

Config config_of(std::uint64_t self) {
    return {.self = {self}, .region = kRegion, .epoch = kEpoch};
}

/// Replica 2 of three, which follows replica 1 in term 2.
struct Follower2 {
    Replica replica{config_of(2), founding({{1}, {2}, {3}}), Rng(1)};
    TimePoint now{1s};
    std::uint64_t previous_checksum = founding({{1}, {2}, {3}}).entries.back().checksum;

    Follower2() { hear(Heartbeat{}); }

    Message message(Body body, std::uint64_t term = 2) const {
        return {kRegion, kEpoch, {1}, {2}, {term}, std::move(body)};
    }
    Effects hear(Body body, std::uint64_t term = 2) { return hear(message(std::move(body), term)); }
    Effects hear(Message message) {
        Effects effects = replica.step(now, Received{std::move(message)});
        if (!effects.persist) return effects;
        const Effects after = replica.step(now, Persisted{effects.persist->token});
        effects.now.insert(effects.now.end(), after.now.begin(), after.now.end());
        return effects;
    }
    Entry entry(std::uint64_t index, const char* text, std::uint64_t term = 2) {
        Entry out{.index = {index},
                  .term = {term},
                  .kind = EntryKind::command,
                  .payload = to_bytes(text)};
        out.checksum = previous_checksum = chained(previous_checksum, out);
        return out;
    }
};

/// A leader of one, with everything written.
struct Alone {
    Replica replica;
    TimePoint now{1s};

    explicit Alone(Config config) : replica(config, founding({{1}}), Rng(1)) {
        finish(replica.step(now, Tick{}));
    }
    Effects finish(Effects effects) {
        Effects all = effects;
        for (auto write = effects.persist; write; write = effects.persist) {
            effects = replica.step(now, Persisted{write->token});
            all.committed.insert(all.committed.end(), effects.committed.begin(),
                                 effects.committed.end());
        }
        return all;
    }
};

}  // namespace

TEST_CASE("messages of another region, epoch or addressee are dropped and counted") {
    Follower2 follower;
    Message region = follower.message(Heartbeat{}, 9);
    region.region = RegionId{{8}};
    Message epoch = follower.message(Heartbeat{}, 9);
    epoch.epoch = Epoch{2};
    Message addressee = follower.message(Heartbeat{}, 9);
    addressee.to = ReplicaId{3};
    Message myself = follower.message(Heartbeat{}, 9);
    myself.from = ReplicaId{2};
    for (const Message& stray : {region, epoch, addressee, myself})
        CHECK(follower.hear(stray).now.empty());
    CHECK(follower.replica.status().counters.stray == 4);
    CHECK(follower.replica.status().term == Term{2});
}

TEST_CASE("a damaged entry is refused, so that one bad disk does not infect the others") {
    Follower2 follower;
    Entry good = follower.entry(4, "payload");
    Entry bad = good;
    bad.payload[0] ^= 1;
    const auto append = [&](const Entry& entry) {
        return follower.hear(Append{.previous = {3}, .previous_term = {1}, .entries = {entry}});
    };
    const Effects refused = append(bad);
    CHECK(refused.now.empty());
    CHECK(!refused.persist);
    CHECK(follower.replica.status().counters.malformed == 1);
    CHECK(append(good).now.size() == 1);
    CHECK(follower.replica.status().last == LogIndex{4});
}

TEST_CASE(
    "a leader with another entry than the committed one stops the replica, and replaces nothing") {
    Follower2 follower;
    const Entry old = follower.entry(4, "old");
    const Append committed{.previous = {3}, .previous_term = {1}, .commit = {4}, .entries = {old}};
    follower.hear(committed);
    REQUIRE(follower.replica.status().commit == LogIndex{4});
    CHECK(!follower.hear(committed).halted);  // doubled: the same answer again
    Follower2 other;
    const Append broken{
        .previous = {3}, .previous_term = {1}, .entries = {other.entry(4, "new", 3)}};
    const Effects effects = follower.hear(broken, 3);
    REQUIRE(effects.halted);
    CHECK(effects.halted->find("another entry 4 than the one that is committed") !=
          std::string::npos);
    CHECK(follower.replica.log().at({4}) == old);
}

TEST_CASE("a replica that lost what it acknowledged stops, and says what to do") {
    Follower2 follower;
    const Effects effects = follower.hear(Heartbeat{.commit = {17}});
    REQUIRE(effects.halted);
    CHECK(effects.halted->find("entry 17, but its log ends at 3") != std::string::npos);
    CHECK(effects.halted->find("join again") != std::string::npos);
    CHECK(follower.hear(Heartbeat{}).now.empty());
    CHECK(!follower.replica.next_wakeup());
}

TEST_CASE("two leaders of one term: the second to find out stops") {
    Alone alone(config_of(1));
    const Term term = alone.replica.status().term;
    const Effects effects =
        alone.replica.step(alone.now, Received{{kRegion, kEpoch, {5}, {1}, term, Heartbeat{}}});
    REQUIRE(effects.halted);
    CHECK(effects.halted->find("a vote was given twice") != std::string::npos);
}

TEST_CASE("the commit index follows only what this very message verified") {
    Follower2 follower;
    const Entry four = follower.entry(4, "a");
    const Entry five = follower.entry(5, "b");
    follower.hear(Append{.previous = {3}, .previous_term = {1}, .entries = {four, five}});
    follower.hear(Append{.previous = {4}, .previous_term = {2}, .commit = {5}});
    CHECK(follower.replica.status().commit == LogIndex{4});
    follower.hear(Append{.previous = {5}, .previous_term = {2}, .commit = {9}});
    CHECK(follower.replica.status().commit == LogIndex{5});
}

TEST_CASE("a leader of the past is told so, and a removed one cannot wait for ever") {
    Follower2 follower;
    const Effects effects = follower.hear(Heartbeat{}, 1);
    REQUIRE(effects.now.size() == 1);
    CHECK(effects.now[0].term == Term{2});
    CHECK(std::get<AppendReply>(effects.now[0].body).rejected);
}

TEST_CASE("a voter whose leader restarts gives it its pre-vote at once (hashicorp#605)") {
    Follower2 follower;
    const PreVote asking{.last_index = {3}, .last_term = {1}};
    Message from3 = follower.message(asking, 3);
    from3.from = ReplicaId{3};
    CHECK(!std::get<PreVoteReply>(follower.hear(from3).now.at(0).body).granted);
    CHECK(std::get<PreVoteReply>(follower.hear(asking, 3).now.at(0).body).granted);
    CHECK(follower.replica.status().term == Term{2});
}

TEST_CASE("a leader has bounds, and says which one was met") {
    Config config = config_of(1);
    config.entry_bytes_max = 1000;
    config.uncommitted_bytes_max = 2000;
    config.unapplied_bytes_max = 1500;
    Alone alone(config);
    alone.finish(alone.replica.step(alone.now, Applied{{2}}));
    Effects effects = alone.replica.step(alone.now, Propose{1, Bytes(1001)});
    REQUIRE(effects.dropped.size() == 1);
    CHECK(effects.dropped[0].reason == DropReason::invalid);
    std::vector<DropReason> reasons;
    std::vector<std::uint64_t> writes;
    for (std::uint64_t id = 2; id < 6; ++id) {
        effects = alone.replica.step(alone.now, Propose{id, Bytes(900)});
        if (effects.persist) writes.push_back(effects.persist->token);
        for (const Dropped& dropped : effects.dropped) reasons.push_back(dropped.reason);
    }
    CHECK(reasons == std::vector{DropReason::busy, DropReason::busy});
    REQUIRE(writes.size() == 1);
    effects = alone.replica.step(alone.now, Persisted{writes[0]});
    CHECK(effects.committed.size() == 1);
    REQUIRE(effects.persist);
    effects = alone.replica.step(alone.now, Persisted{effects.persist->token});
    CHECK(effects.committed.size() == 1);
}

TEST_CASE(
    "the state machine is not flooded: more is handed out as it reports what it has applied") {
    Config config = config_of(1);
    config.unapplied_bytes_max = 1500;
    Alone alone(config);
    alone.finish(alone.replica.step(alone.now, Applied{{2}}));
    std::size_t handed = 0;
    for (std::uint64_t id = 1; id <= 5; ++id)
        handed +=
            alone.finish(alone.replica.step(alone.now, Propose{id, Bytes(900)})).committed.size();
    CHECK(handed == 2);
    CHECK(alone.replica.step(alone.now, Applied{{4}}).committed.size() == 2);
    CHECK(alone.replica.step(alone.now, Applied{{6}}).committed.size() == 1);
}

TEST_CASE("every message comes back from the wire as it went") {
    const Snapshot snapshot{.meta = {.index = {4}, .term = {2}, .checksum = 77}, .state = Bytes(9)};
    const std::vector<Body> bodies{
        PreVote{{1}, {2}},
        PreVoteReply{true},
        Vote{{1}, {2}, true},
        VoteReply{true},
        Append{{3}, {1}, {2}, {Entry{{4}, {2}, EntryKind::command, {1, 2}, 9}}},
        AppendReply{true, {1}, {2}, {3}},
        Heartbeat{{4}, 5},
        HeartbeatReply{5},
        InstallSnapshot{snapshot},
        SnapshotReply{{4}},
        TimeoutNow{{8}}};
    CHECK(bodies.size() == std::variant_size_v<Body>);
    for (const Body& body : bodies) {
        const Message message{kRegion, kEpoch, {1}, {2}, {3}, body};
        CAPTURE(to_string(message));
        const auto again = decode_message(encode_message(message));
        REQUIRE(again.ok());
        CHECK(*again == message);
    }
}

TEST_CASE("a message of another version is refused by name") {
    Bytes bytes = encode_message({kRegion, kEpoch, {1}, {2}, {3}, Heartbeat{}});
    bytes[1] = 2;
    const auto refused = decode_message(bytes);
    REQUIRE(!refused.ok());
    CHECK(refused.error().detail.find("upgrade needed") != std::string::npos);
}

TEST_CASE("damaged messages neither crash the decoder nor break a replica's word") {
    Rng rng(11);
    for (int round = 0; round < 20'000; ++round) {
        Follower2 follower;
        const Entry entry = follower.entry(4, "abc");
        const std::vector<Body> bodies{
            Append{.previous = {3}, .previous_term = {1}, .commit = {3}, .entries = {entry}},
            Vote{.last_index = {3}, .last_term = {1}},
            PreVote{.last_index = {3}, .last_term = {1}},
            InstallSnapshot{Snapshot{.meta = follower.replica.log().describe({3})}},
            Heartbeat{.commit = {3}},
            AppendReply{.index = {3}},
            TimeoutNow{{3}}};
        Bytes bytes = encode_message(follower.message(bodies[rng.below(bodies.size())]));
        for (std::uint64_t flips = 1 + rng.below(3); flips > 0; --flips)
            bytes[rng.below(bytes.size())] = static_cast<std::uint8_t>(rng.next());
        if (rng.chance(0.1)) bytes.resize(rng.below(bytes.size()));
        const auto message = decode_message(bytes);
        if (!message.ok()) continue;
        const Term before = follower.replica.status().term;
        const Effects effects = follower.hear(*message);
        CHECK(follower.replica.status().term >= before);
        if (!effects.halted)
            CHECK(follower.replica.status().commit <= follower.replica.status().last);
    }
}

}  // namespace gaggle::raft::test
