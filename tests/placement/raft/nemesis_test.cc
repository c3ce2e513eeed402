// Whole groups under a random adversary, in virtual time. A failure prints the seed that repeats
// it.
#include <doctest/doctest.h>

#include <cstdlib>

#include "tests/placement/raft/world.h"

namespace gaggle::raft::test {

namespace {

/// One life of a group: trouble for `trouble`, then rest, then everybody must agree.
void live(std::uint64_t seed, std::size_t founders, Faults faults, Duration trouble) {
    CAPTURE(seed);
    CAPTURE(founders);
    World world(seed, founders, faults);
    world.run(trouble);
    REQUIRE(world.oracle().violation() == "");
    world.heal();
    std::string why;
    for (int round = 0; round < 40; ++round) {
        world.run(500ms);
        why = world.why_not_converged();
        if (why.empty()) break;
    }
    REQUIRE(world.oracle().violation() == "");
    CHECK(why == "");
    CHECK(world.oracle().committed() > LogIndex{50});
}

/// More seeds for a longer run: GAGGLE_SEEDS=1000.
std::uint64_t seeds(std::uint64_t usual) {
    const char* wanted = std::getenv("GAGGLE_SEEDS");
    if (wanted != nullptr) return std::strtoull(wanted, nullptr, 10);
#ifdef __SANITIZE_ADDRESS__
    return usual / 4;  // fifteen times slower there
#else
    return usual;
#endif
}

}  // namespace

TEST_CASE("a group of three survives loss, delay, doubled messages and crashes") {
    for (std::uint64_t seed = 1; seed <= seeds(30); ++seed)
        live(seed, 3, {.membership = false, .snapshots = false}, 20s);
}

TEST_CASE("a group whose members come, go and change their voice keeps every promise") {
    for (std::uint64_t seed = 100; seed < 100 + seeds(40); ++seed)
        live(seed, 1 + 2 * (seed % 3), {}, 20s);
}

TEST_CASE("a lossy network and slow disks only cost time") {
    const Faults faults{.loss = 0.2, .duplicate = 0.1, .delay_max = 60ms, .write_max = 80ms};
    for (std::uint64_t seed = 200; seed < 200 + seeds(16); ++seed) live(seed, 3, faults, 20s);
}

TEST_CASE("a race for the leader's place at every turn ends with one leader a term") {
    const Faults faults{.loss = 0.05, .delay_max = 40ms, .membership = false, .races = 0.03};
    for (std::uint64_t seed = 300; seed < 300 + seeds(40); ++seed)
        live(seed, 3 + 2 * (seed % 2), faults, 20s);
}

TEST_CASE("the same seed gives the same trace") {
    for (const std::uint64_t seed : {7, 8}) {
        World one(seed, 3, {});
        World two(seed, 3, {});
        one.run(10s);
        two.run(10s);
        CHECK(one.steps() == two.steps());
        CHECK(one.trace() == two.trace());
    }
}

}  // namespace gaggle::raft::test
