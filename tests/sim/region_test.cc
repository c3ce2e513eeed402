#include <doctest/doctest.h>

#include "base/log.h"
#include "tests/sim/run.h"

namespace gaggle::sim {

namespace {

/// Fails with the seed and the last lines.
Outcome check(Options options) {
    log::set_level(log::Level::off);  // disks die here, and say so
    Outcome outcome = run(options);
    INFO("gctl-sim --peers ", options.peers, " --seed ", options.seed, " --trace");
    CHECK_MESSAGE(!outcome.failure, outcome.failure.value_or(""));
    return outcome;
}

}  // namespace

TEST_CASE("one peer alone works, is killed, loses its power, and keeps what it promised") {
    for (const std::uint64_t seed : {1, 2, 3})
        check({.peers = 1, .seed = seed, .faults = {.cuts = false}});
}

TEST_CASE("two peers: the voter and its standby") {
    for (const std::uint64_t seed : {1, 2, 3}) check({.peers = 2, .seed = seed});
}

TEST_CASE("regions of three to twelve peers survive kills, power cuts, cut links and loss") {
    for (std::uint64_t seed = 1; seed <= 10; ++seed) check({.peers = 2 + seed, .seed = seed});
}

TEST_CASE("a vote that is away for long is replaced, and stores that fail take nothing with them") {
    Tally sum;
    for (const std::uint64_t seed : {1, 2, 3, 4}) {
        const Outcome outcome = check({.peers = 6, .seed = seed, .faults = {.every_rare = true}});
        sum.outages += outcome.tally.outages;
        sum.losses += outcome.tally.losses;
        sum.disks += outcome.tally.disks;
        sum.replaced += outcome.tally.replaced;
    }
    CHECK(sum.outages > 0);
    CHECK(sum.losses > 0);
    CHECK(sum.disks > 0);
    CHECK(sum.replaced > 0);
}

TEST_CASE("found by the simulator: a holder that joined late was announced to without a pause") {
    CHECK(check({.peers = 5, .seed = 1}).events < 100'000);
}

TEST_CASE("the same seed leaves the same trace, another seed another") {
    const Outcome first = check({.peers = 5, .seed = 7});
    CHECK(check({.peers = 5, .seed = 7}).trace == first.trace);
    CHECK(check({.peers = 5, .seed = 8}).trace != first.trace);
}

TEST_CASE("a quiet region does its work without a refusal") {
    const Outcome outcome = check({.peers = 4,
                                   .seed = 3,
                                   .faults = {.kills = false,
                                              .reboots = false,
                                              .cuts = false,
                                              .loss = false,
                                              .outages = false,
                                              .disks = false}});
    CHECK(outcome.jobs > 20);
    CHECK(outcome.refused == 0);
}

TEST_CASE("a command to a task is obeyed once, however often its question is repeated") {
    std::uint64_t obeyed = 0, restarts = 0;
    for (const std::uint64_t seed : {1, 2, 3}) {
        const Outcome outcome = check({.peers = 5, .seed = seed, .faults = {.commands = true}});
        obeyed += outcome.obeyed;
        restarts += outcome.restarts;
    }
    CHECK(obeyed > 50);
    CHECK(restarts > 20);
}

TEST_CASE(
    "found by the simulator: an agent died between a task's new run and the state that says so") {
    CHECK(check({.peers = 5, .seed = 26, .faults = {.commands = true}}).restarts > 0);
}

TEST_CASE("fifty peers") { check({.peers = 50, .seed = 7}); }

}  // namespace gaggle::sim
