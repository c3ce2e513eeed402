#include "gctl/node/courier.h"

#include <doctest/doctest.h>

#include "base/wire.h"
#include "tests/crypto/fixture.h"

namespace gaggle::node {

namespace {

PeerId peer_named(std::uint8_t number) {
    PeerId id;
    id.bytes[0] = number;
    return id;
}

/// The courier of peer 1, in a region whose peers it only knows by who answers.
class World {
  public:
    World() { out.self = self; }

    std::uint64_t submit(Duration patience = 10s) {
        return courier.submit(now, ledger::Advance{}, patience, done(), out);
    }
    void pass(Duration span) {
        now.time += span;
        courier.tick(now, out);
    }
    /// To whom the last frame went that was sent since; itself by way of `local`.
    std::vector<PeerId> asked() {
        std::vector<PeerId> to;
        for (const auto& sent : out.effects.send) to.push_back(sent.to);
        to.insert(to.end(), out.local.size(), self);
        out.effects.send.clear();
        out.local.clear();
        return to;
    }
    void answer(const PeerId& from, std::uint64_t request, Submitted::Outcome outcome,
                PeerId leader = {}) {
        courier.on(now, from, {.request = request, .outcome = outcome, .leader = leader}, out);
    }

    const PeerId self = peer_named(1);
    const PeerId other = peer_named(2);
    Now now{TimePoint(1s), {}};
    Directory directory{PublicKey{}, RegionId{}};
    Courier courier{directory, self, Rng{1}};
    Outbox out;
    int answers = 0;
    std::string error;

  private:
    Courier::SubmitDone done() {
        return [this](Now, const Result<CommandResult>& result, Outbox&) {
            ++answers;
            error = result.ok() ? "" : result.error().detail;
        };
    }
};

using Outcome = Submitted::Outcome;

}  // namespace

TEST_CASE("courier: a command goes to the leader and is answered once") {
    World world;
    world.courier.set_leader(world.self, true);
    const auto request = world.submit();
    CHECK(world.asked() == std::vector{world.self});
    world.answer(world.other, request, Outcome::applied);
    CHECK_MESSAGE(world.answers == 0, "somebody who was not asked has nothing to say");
    world.answer(world.self, request, Outcome::applied);
    world.answer(world.self, request, Outcome::applied);
    CHECK(world.answers == 1);
    CHECK(world.error.empty());
    CHECK_FALSE(world.courier.next_wakeup());
}

TEST_CASE("courier: a busy leader and a silent one are asked again") {
    World world;
    world.courier.set_leader(world.self, true);
    const auto request = world.submit();
    world.asked();
    world.answer(world.self, request, Outcome::busy);
    world.pass(kRetryPause - 1ms);
    CHECK(world.asked().empty());
    world.pass(300ms);
    CHECK(world.asked().size() == 1);
    world.pass(kAnswerWait);
    CHECK(world.asked().size() == 1);
    world.answer(world.self, request, Outcome::applied);
    CHECK(world.answers == 1);
}

TEST_CASE("courier: without a leader the deadline ends it, in words") {
    World world;
    world.submit(3s);
    for (int i = 0; i < 40; ++i) world.pass(100ms);
    CHECK(world.asked().empty());
    CHECK(world.answers == 1);
    CHECK(world.error.find("No cluster leader") != std::string::npos);
    CHECK_MESSAGE(world.error.find("may yet") == std::string::npos, "it reached nobody");
}

TEST_CASE("courier: what was sent and never answered may yet count, and says so") {
    World world;
    world.courier.set_leader(world.self, true);
    world.submit(3s);
    for (int i = 0; i < 40; ++i) world.pass(100ms);
    CHECK(world.asked().size() >= 3);
    CHECK(world.answers == 1);
    CHECK(world.error.find("may yet be accepted") != std::string::npos);
}

TEST_CASE("courier: a hint is not believed over this peer's own certainty") {
    World world;
    world.courier.set_leader(world.self, true);
    world.courier.set_leader(world.other, false);
    CHECK(world.courier.leader() == world.self);
    world.courier.set_leader(world.other, true);
    CHECK(world.courier.leader() == world.other);
}

TEST_CASE("courier: a full copy answers its own stale question") {
    World world;
    world.courier.set_full_copy(true);
    Query query;
    query.stale = true;
    int answers = 0;
    const auto request = world.courier.ask(
        world.now, query, 5s, [&](Now, const Result<Answer>&, Outbox&) { ++answers; }, world.out);
    CHECK(world.asked() == std::vector{world.self});
    world.courier.on(world.now, world.self, AskAnswer{.request = request, .served = true},
                     world.out);
    CHECK(answers == 1);
}

TEST_CASE("courier: what only one peer can answer is not waited for once gossip knows it is gone") {
    struct Row {
        const char* why;
        Liveness liveness;
        bool agent_gone;
    };
    for (const Row& row : {Row{"is dead", Liveness::dead, false},
                           Row{"is left", Liveness::left, false},
                           Row{"is gone: its tasks may run on", Liveness::alive, true},
                           Row{"is gone", Liveness::suspect, true}}) {
        CAPTURE(row.why);
        TestCluster cluster;
        const Certificate certificate = cluster.certificate_of(make_identity(cluster.fresh));
        const PeerId peer = gaggle::id_of(certificate);
        World world;
        world.directory = Directory{cluster.authority(), cluster.founding.region};
        const Card card{.certificate = encode(certificate),
                        .number = PeerNumber{7},
                        .endpoint = {},
                        .offer = {},
                        .description = {}};
        REQUIRE(world.directory.learn(peer, encode(card)).ok());
        std::vector<std::string> errors;
        const auto ask = [&] {
            world.courier.ask_peer(
                world.now, peer, {.request = 0, .alloc = {}, .what = ReadLogs{}}, 10s,
                [&](Now, const Result<LocalAnswer>& answer, Outbox&) {
                    errors.push_back(answer.ok() ? "" : answer.error().detail);
                },
                world.out);
        };
        ask();
        CHECK(world.asked() == std::vector{peer});
        Known* known = world.directory.find(peer);
        known->liveness = Liveness::suspect;
        world.pass(kAnswerWait);
        CHECK_MESSAGE(world.asked() == std::vector{peer}, "a suspect may answer");
        known->liveness = row.liveness;
        known->agent_gone = row.agent_gone;
        world.pass(kAnswerWait);
        ask();
        CHECK(world.asked().empty());
        REQUIRE(errors.size() == 2);
        for (const std::string& error : errors) CHECK(error.find(row.why) != std::string::npos);
    }
}

}  // namespace gaggle::node
