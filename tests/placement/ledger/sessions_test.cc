// A bundle counts once.
#include "tests/placement/ledger/world.h"

namespace gaggle::ledger {

namespace {

using Outcome = BundleAnswer::Outcome;

Bundle numbered(World& world, std::uint64_t sequence, std::uint64_t acknowledged = 0) {
    Bundle bundle = world.bundle("web");
    bundle.sequence = sequence;
    bundle.acknowledged = acknowledged;
    return bundle;
}

}  // namespace

TEST_CASE("a repeated bundle gets the answer it got before, and takes nothing") {
    World world(1);
    Bundle bundle = world.bundle("web");
    bundle.registration = RegisterJob{job_named("web", 2), std::nullopt};
    bundle.claims.push_back(world.claim(0, {1}));
    const BundleAnswer first = world.send(bundle);
    const BundleAnswer again = world.send(bundle);
    CHECK(encode(first) == encode(again));
    CHECK(again.index.value + 1 == world.index.value);
    CHECK(world.ledger.allocs().size() == 1);
    const Applied both = world.apply(Bundles{{numbered(world, 50), numbered(world, 50)}});
    CHECK(encode(both.answers[0]) == encode(both.answers[1]));
}

TEST_CASE("sequences may come in any order, but not from before the window") {
    World world(1);
    CHECK(world.send(numbered(world, 7)).outcome == Outcome::applied);
    CHECK(world.send(numbered(world, 3)).outcome == Outcome::applied);
    CHECK(world.send(numbered(world, 9, 7)).outcome == Outcome::applied);
    CHECK(world.send(numbered(world, 7)).outcome == Outcome::forgotten);
    CHECK(world.send(numbered(world, 5)).outcome == Outcome::forgotten);
    CHECK(world.send(numbered(world, 8)).outcome == Outcome::applied);
    CHECK(world.send(numbered(world, 10, 99)).outcome ==
          Outcome::applied);  // it cannot acknowledge itself
    CHECK(world.send(numbered(world, 10)).outcome == Outcome::applied);
    CHECK(world.send(numbered(world, 11)).outcome == Outcome::applied);
}

TEST_CASE("without acknowledgements the oldest answer goes when the window is full") {
    World world(1);
    Bundles many;
    for (std::uint64_t n = 1; n <= 1025; ++n) many.bundles.push_back(numbered(world, n));
    world.apply(many);
    CHECK(world.send(numbered(world, 1)).outcome == Outcome::forgotten);
    CHECK(world.send(numbered(world, 2)).outcome == Outcome::applied);
}

TEST_CASE("an unknown session is an error, and sessions end by log time alone") {
    World world(1);
    Bundle stranger = numbered(world, 1);
    stranger.session = random_id<SessionId>(world.rng);
    CHECK(world.send(stranger).outcome == Outcome::unknown_session);
    CHECK(world.send(numbered(world, 1)).outcome == Outcome::applied);
    world.wall.nanoseconds += std::chrono::nanoseconds(24h).count();
    world.pass(59min);
    CHECK(world.send(numbered(world, 2)).outcome == Outcome::applied);
    world.pass(61min);
    CHECK(world.send(numbered(world, 3)).outcome == Outcome::unknown_session);
    world.apply(OpenSession{world.session, PeerNumber{1}});
    CHECK(world.send(numbered(world, 1)).outcome == Outcome::applied);
    CHECK(world.apply(OpenSession{world.session, PeerNumber{9}}).refused);
}

}  // namespace gaggle::ledger
