#include "placement/scheduler/score.h"

#include <doctest/doctest.h>

#include "placement/scheduler/spread.h"
#include "tests/placement/scheduler/fixtures.h"

namespace gaggle {

namespace {

doctest::Approx near(double value) { return doctest::Approx(value).epsilon(1e-9).scale(1); }

Amounts amounts(std::int64_t cpu, std::int64_t memory) { return {{cpu}, {memory}, {0}}; }

}  // namespace

TEST_CASE("binpack is (20 - 10^free_cpu - 10^free_memory) / 18 between 0 and 1") {
    struct Row {
        Amounts offered, used;
        double score;
    };
    for (const Row& row : {
             Row{amounts(2048, 4096), amounts(2048, 4096), 1.0},
             Row{amounts(2048, 4096), amounts(0, 0), 0.0},
             Row{amounts(2048, 4096), amounts(1024, 2048), 13.675444679663241 / 18},
             Row{amounts(4000, 8192), amounts(500, 256), 0.17751874985435853},
             Row{amounts(4000, 8192), amounts(600, 556), 0.24262981455759025},
             Row{amounts(1000, 1000), amounts(250, 750), 0.6999059632254214},
             Row{amounts(1000, 1000), amounts(5000, 5000), 1.0},
             Row{amounts(0, 0), amounts(0, 0), 1.0},
         }) {
        CAPTURE(row.used.cpu.value);
        CHECK(binpack_score(row.offered, row.used) == near(row.score));
    }
}

TEST_CASE("anti-affinity grows with the group's allocations on the peer") {
    CHECK(anti_affinity_score(1, 2) == near(-1));
    CHECK(anti_affinity_score(1, 10) == near(-0.2));
    CHECK(anti_affinity_score(4, 10) == near(-0.5));
    CHECK(anti_affinity_score(3, 1) == near(-4));
}

TEST_CASE("affinities weigh what matches against all magnitudes") {
    const PeerView peer = fixtures::peer(1);
    const Affinity linux{"${attr.kernel.name}", "=", "linux", 100};
    const Affinity dc2{"${node.datacenter}", "=", "dc2", 50};
    const Affinity not_dc1{"${node.datacenter}", "=", "dc1", -50};
    struct Row {
        std::vector<Affinity> affinities;
        double score;
    };
    for (const Row& row : {Row{{}, 0}, Row{{linux}, 1}, Row{{dc2}, 0},
                           Row{{linux, dc2}, 100.0 / 150}, Row{{linux, not_dc1}, 50.0 / 150},
                           Row{{not_dc1}, -1}, Row{{linux, dc2, not_dc1}, 0.25}}) {
        CHECK(affinity_score(row.affinities, peer) == near(row.score));
    }
}

TEST_CASE("the final score is the mean of what contributes, as probed on Nomad 1.1.2") {
    Scores scores;
    CHECK(scores.normalized() == 0);
    scores.set(Scores::binpack, 0.0119);
    scores.set(Scores::anti_affinity, anti_affinity_score(1, 2));
    CHECK(scores.normalized() == near(-0.49405));  // one node, second allocation of two: -0.494
    scores.set(Scores::copy, 1);
    CHECK(scores.normalized() == near(0.0119 / 3));
    scores.clear(Scores::anti_affinity);
    CHECK(scores.named() == std::map<std::string, double>{{"binpack", 0.0119}, {"copy", 1}});
}

TEST_CASE("even spread boosts by the distance to the least and the most used value") {
    struct Row {
        ValueCounts counts;
        const char* value;
        double boost;
    };
    for (const Row& row : {
             Row{{}, "dc1", 0},                           // nothing placed yet
             Row{{{"dc1", 1}}, "dc2", 1},                 // below the least, which is 1
             Row{{{"dc1", 2}, {"dc2", 1}}, "dc1", -1},    // (1 - 2) / 1
             Row{{{"dc1", 2}, {"dc2", 1}}, "dc2", 1},     // (2 - 1) / 1
             Row{{{"dc1", 2}, {"dc2", 2}}, "dc1", -1},    // even: the most possible penalty
             Row{{{"dc1", 5}, {"dc2", 2}}, "dc1", -1.5},  // (2 - 5) / 2
             Row{{{"dc1", 5}, {"dc2", 2}}, "dc2", 1.5},   // (5 - 2) / 2
             Row{{{"dc1", 0}, {"dc2", 3}}, "dc1", 1},
             Row{{{"dc1", 0}, {"dc2", 3}}, "dc2", -1},
         }) {
        CAPTURE(row.value);
        const auto used = row.counts.find(row.value);
        CHECK(even_spread_boost(range_of(row.counts),
                                used == row.counts.end() ? 0 : used->second) == near(row.boost));
    }
}

TEST_CASE("spread with targets boosts by what is left of the share") {
    Job job = fixtures::job(10);
    job.spreads = {{"${node.datacenter}", 100, {{"dc1", 70}, {"dc2", 30}}}};
    const Wanted wanted(job, job.groups.front());
    SpreadScorer spread(wanted);
    PeerView dc1 = fixtures::peer(1), dc2 = fixtures::peer(2), dc3 = fixtures::peer(3);
    dc2.description.datacenter = "dc2";
    dc3.description.datacenter = "dc3";
    CHECK(spread.boost(dc1) == near((7.0 - 1) / 7));
    CHECK(spread.boost(dc2) == near((3.0 - 1) / 3));
    CHECK(spread.boost(dc3) == near(-1));  // no target names it, and nothing is left for the rest
    for (int i = 0; i < 3; ++i) spread.count(dc2);
    CHECK(spread.boost(dc2) == near((3.0 - 4) / 3));
    CHECK(spread.boost(dc1) == near((7.0 - 1) / 7));
}

TEST_CASE("several spread blocks are weighed, and the rest is the implicit target") {
    Job job = fixtures::job(10);
    job.spreads = {{"${node.datacenter}", 100, {{"dc1", 40}}}};
    job.groups.front().spreads = {{"${meta.rack}", 50, {{"r1", 0}, {"r2", 100}}}};
    const Wanted wanted(job, job.groups.front());
    SpreadScorer spread(wanted);
    PeerView here = fixtures::peer(1), there = fixtures::peer(2), bare = fixtures::peer(3);
    here.description.meta["rack"] = "r2";
    there.description.datacenter = "dc9";
    there.description.meta["rack"] = "r1";
    CHECK(spread.boost(here) == near((4.0 - 1) / 4 * 100 / 150 + (10.0 - 1) / 10 * 50 / 150));
    CHECK(spread.boost(there) ==
          near((6.0 - 1) / 6 * 100 / 150 - 1));  // 0 percent: the lowest boost, at least -1
    CHECK(spread.boost(bare) == near((4.0 - 1) / 4 * 100 / 150 - 1));  // the attribute is missing
}

}  // namespace gaggle
