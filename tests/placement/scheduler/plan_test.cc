#include "placement/scheduler/plan.h"

#include <doctest/doctest.h>

#include <chrono>
#include <set>

#include "placement/scheduler/score.h"
#include "tests/placement/scheduler/fixtures.h"

namespace gaggle {

namespace {

using fixtures::alloc;
using fixtures::allocs;
using fixtures::job;
using fixtures::peer;
using fixtures::Scene;
using Client = ExistingAlloc::Client;

/// How many of the claims name each peer first.
std::map<std::uint32_t, int> firsts(const Plan& plan) {
    std::map<std::uint32_t, int> counts;
    for (const PlannedClaim& claim : plan.claims) ++counts[claim.candidates.front().peer.value];
    return counts;
}

std::vector<std::uint32_t> peers_of(const PlannedClaim& claim) {
    std::vector<std::uint32_t> peers;
    for (const RankedPeer& one : claim.candidates) peers.push_back(one.peer.value);
    return peers;
}

double score_of(const PlannedClaim& claim, const std::string& name) {
    for (const PeerScore& one : claim.metrics.scores) {
        if (one.peer == claim.candidates.front().id) return one.scores.at(name);
    }
    return -99;
}

Scene sticky_scene() {
    Scene scene(job(1));
    scene.group().disk.sticky = true;
    scene.view = fixtures::alike(5);
    return scene;
}

}  // namespace

TEST_CASE("the same input and seed give the same plan") {
    const auto plan_with = [](std::uint64_t seed) {
        Scene scene(job(20));
        scene.view = fixtures::alike(40);
        scene.rng = Rng(seed);
        std::vector<std::vector<std::uint32_t>> out;
        for (const PlannedClaim& claim : scene.planned().claims) out.push_back(peers_of(claim));
        return out;
    };
    CHECK(plan_with(7) == plan_with(7));
    CHECK(plan_with(7) != plan_with(8));
}

TEST_CASE("a group spreads over peers by anti-affinity") {
    Scene scene(job(9));
    const Plan plan = scene.planned();
    CHECK(firsts(plan) == std::map<std::uint32_t, int>{{1, 3}, {2, 3}, {3, 3}});
    CHECK(plan.updates.at("cache") == GroupUpdates{.place = 9});
    CHECK(plan.queued.at("cache") == 0);
    CHECK(plan.failed.empty());
    for (const PlannedClaim& claim : plan.claims) CHECK(claim.candidates.size() == 3);
}

TEST_CASE("what already runs counts for anti-affinity") {
    Scene scene(job(3));
    scene.existing = {alloc(0, 1), alloc(1, 2)};
    CHECK(firsts(scene.planned()) == std::map<std::uint32_t, int>{{3, 1}});
}

TEST_CASE("different jobs pack: the fullest peer that fits is first") {
    Scene scene(job(1));
    PeerView busy = peer(2);
    busy.books.used = {{2000}, {4000}, {0}};
    PeerView full = peer(3);
    full.books.used = {{3600}, {7000}, {0}};
    scene.view = fixtures::view_of({peer(1), busy, full});
    const Plan plan = scene.planned();
    REQUIRE(plan.claims.size() == 1);
    CHECK(peers_of(plan.claims[0]) == std::vector<std::uint32_t>{2, 1});
    CHECK(plan.claims[0].metrics.dimension_exhausted ==
          std::map<std::string, std::int64_t>{{"cpu", 1}});
    CHECK(plan.claims[0].metrics.nodes_exhausted == 1);
}

TEST_CASE("the probed node: the second of two scores binpack, -1, and their mean") {
    Scene scene(job(2));
    scene.view = fixtures::alike(1);
    const Plan plan = scene.planned();
    REQUIRE(plan.claims.size() == 2);
    CHECK(plan.claims[0].candidates[0].score ==
          doctest::Approx(score_of(plan.claims[0], "binpack")));
    const double binpack = binpack_score({{4000}, {8000}, {}}, {{1000}, {512}, {}});
    CHECK(score_of(plan.claims[1], "binpack") == doctest::Approx(binpack).epsilon(1e-9));
    CHECK(score_of(plan.claims[1], "job-anti-affinity") == -1);
    CHECK(plan.claims[1].candidates[0].score == doctest::Approx((binpack - 1) / 2).epsilon(1e-9));
}

TEST_CASE("a count that does not fit is queued, with the reason per resource and constraint") {
    Scene scene(job(20));
    PeerView windows = peer(3);
    windows.description.attributes["kernel.name"] = "windows";
    scene.view = fixtures::view_of(
        {peer(1, {{1000}, {8000}, {50000}}), peer(2, {{4000}, {600}, {50000}}), windows});
    scene.group().constraints = {{"${attr.kernel.name}", "=", "linux"}};
    const Plan plan = scene.planned();
    CHECK(firsts(plan) == std::map<std::uint32_t, int>{{1, 2}, {2, 2}});
    CHECK(plan.queued.at("cache") == 16);
    const PlacementMetrics& why = plan.failed.at("cache");
    CHECK(why.nodes_evaluated == 3);
    CHECK(why.nodes_filtered == 1);
    CHECK(why.nodes_exhausted == 2);
    CHECK(why.constraint_filtered ==
          std::map<std::string, std::int64_t>{{"${attr.kernel.name} = linux", 1}});
    CHECK(why.dimension_exhausted ==
          std::map<std::string, std::int64_t>{{"cpu", 1}, {"memory", 1}});
    CHECK(why.coalesced_failures == 15);
    CHECK(why.nodes_available == std::map<std::string, std::int64_t>{{"dc1", 3}});
}

TEST_CASE("a static port is had once per peer, also within one plan") {
    Scene scene(job(5));
    scene.group().networks = {{.ports = {{.label = "http", .fixed = 8080}, {.label = "db"}}}};
    const Plan plan = scene.planned();
    CHECK(firsts(plan) == std::map<std::uint32_t, int>{{1, 1}, {2, 1}, {3, 1}});
    CHECK(plan.failed.at("cache").dimension_exhausted ==
          std::map<std::string, std::int64_t>{{"network: reserved port collision http=8080", 3}});
}

TEST_CASE("no peer at all is told by what is available") {
    Scene scene(job(1));
    scene.now.datacenters = {"moon"};
    const Plan plan = scene.planned();
    CHECK(plan.claims.empty());
    CHECK(plan.failed.at("cache").nodes_available ==
          std::map<std::string, std::int64_t>{{"moon", 0}});
    CHECK(plan.failed.at("cache").constraint_filtered ==
          std::map<std::string, std::int64_t>{{"datacenter moon", 3}});
}

TEST_CASE("distinct_hosts and distinct_property hold among existing and new") {
    Scene scene(job(4));
    scene.group().constraints = {{"", "distinct_hosts", "true"}};
    scene.existing = {alloc(0, 1)};
    Plan plan = scene.planned();
    CHECK(firsts(plan) == std::map<std::uint32_t, int>{{2, 1}, {3, 1}});
    CHECK(plan.failed.at("cache").constraint_filtered ==
          std::map<std::string, std::int64_t>{{"distinct_hosts", 3}});

    PeerView one = peer(1), other = peer(2), bare = peer(3);
    one.description.meta["rack"] = "r1";
    other.description.meta["rack"] = "r2";
    scene.view = fixtures::view_of({one, other, bare});
    scene.group().constraints = {{"${meta.rack}", "distinct_property", "2"}};
    scene.group().count = 9;
    plan = scene.planned();
    CHECK(firsts(plan) == std::map<std::uint32_t, int>{{1, 1}, {2, 2}});
    CHECK(plan.failed.at("cache").constraint_filtered ==
          std::map<std::string, std::int64_t>{
              {"distinct_property: ${meta.rack} is missing", 1},
              {"distinct_property: ${meta.rack}=r1 used by 2 allocs", 1},
              {"distinct_property: ${meta.rack}=r2 used by 2 allocs", 1}});
}

TEST_CASE("spread over datacenters wins over packing") {
    Scene scene(job(6));
    PeerView far = peer(3);
    far.description.datacenter = "dc2";
    scene.view = fixtures::view_of({peer(1), peer(2), far});
    scene.group().spreads = {{"${node.datacenter}", 100, {{"dc1", 50}, {"dc2", 50}}}};
    CHECK(firsts(scene.planned())[3] == 3);
}

TEST_CASE(
    "sticky: the previous peer is first, then the freshest holder, then the others by score") {
    Scene scene = sticky_scene();
    const GroupSlot slot{"cache", 0};
    scene.previous = {{slot, {4}}};
    scene.holders = {{slot, {{{2}, 0.5}, {{5}, 0.9}}}};
    Plan plan = scene.planned();
    REQUIRE(plan.claims.size() == 1);
    std::vector<std::uint32_t> peers = peers_of(plan.claims[0]);
    CHECK(std::vector(peers.begin(), peers.begin() + 3) == std::vector<std::uint32_t>{4, 5, 2});
    CHECK(peers.size() == 4);

    PeerView gone = peer(4);
    gone.alive = false;
    scene.view.put(gone);
    peers = peers_of(scene.planned().claims[0]);
    CHECK(std::vector(peers.begin(), peers.begin() + 2) == std::vector<std::uint32_t>{5, 2});
}

TEST_CASE("sticky: a lost allocation goes to a holder, and names what it replaces") {
    Scene scene = sticky_scene();
    scene.existing = allocs(1);
    scene.existing[0].lost = true;
    PeerView gone = peer(1);
    gone.alive = false;
    scene.view.put(gone);
    scene.holders = {{{"cache", 0}, {{{3}, 1.0}, {{1}, 1.0}}}};
    const Plan plan = scene.planned();
    REQUIRE(plan.claims.size() == 1);
    CHECK(plan.claims[0].reason == PlaceReason::lost);
    CHECK(plan.claims[0].replaces == scene.existing[0].id);
    CHECK(plan.claims[0].candidates[0].peer == PeerNumber{3});
    CHECK(score_of(plan.claims[0], "copy") == 1);
    CHECK(plan.stops.empty());
    CHECK(plan.updates.at("cache") == GroupUpdates{.place = 1, .stop = 1});
}

TEST_CASE("without sticky, a copy is one score among others") {
    Scene scene(job(1));
    scene.holders = {{{"cache", 0}, {{{2}, 1.0}}}};
    const Plan plan = scene.planned();
    CHECK(plan.claims[0].candidates[0].peer == PeerNumber{2});
    CHECK(plan.claims[0].candidates[0].score ==
          doctest::Approx((1 + score_of(plan.claims[0], "binpack")) / 2).epsilon(1e-9));
}

TEST_CASE("a failed allocation avoids where it failed") {
    Scene scene(job(1));
    scene.existing = {fixtures::failed(alloc(0, 2), scene.time - 1min)};
    scene.existing[0].reschedules = {{scene.time - 2min, {1}, 30s}};
    const Plan plan = scene.planned();
    REQUIRE(plan.claims.size() == 1);
    CHECK(plan.claims[0].candidates[0].peer == PeerNumber{3});
    CHECK(plan.claims[0].reschedule_delay == Duration(1min));
    for (const PeerScore& one : plan.claims[0].metrics.scores) {
        CHECK(one.scores.contains("node-reschedule-penalty") ==
              (one.peer != fixtures::id<PeerId>(3)));
    }
}

TEST_CASE(
    "a peer that refused a slot is no candidate for it, and its room is known to the others") {
    Scene scene(job(2));
    scene.refusals = {
        {{"cache", 0}, {1}, "network: dynamic port selection failed", {{4000}, {8000}, {50000}}},
        {{"cache", 0}, {2}, "memory", {{4000}, {100}, {50000}}}};
    const Plan plan = scene.planned();
    REQUIRE(plan.claims.size() == 2);
    CHECK(peers_of(plan.claims[0]) == std::vector<std::uint32_t>{3});
    CHECK(plan.claims[0].metrics.dimension_exhausted ==
          std::map<std::string, std::int64_t>{{"memory", 1},
                                              {"network: dynamic port selection failed", 1}});
    CHECK(peers_of(plan.claims[1]) == std::vector<std::uint32_t>{1, 3});
}

TEST_CASE("own unanswered claims of other plans take their room") {
    Scene scene(job(1));
    scene.view.claim(fixtures::id<AllocId>(99), {1}, {.amounts = {{3800}, {0}, {0}}});
    const Plan plan = scene.planned();
    CHECK(plan.claims[0].metrics.dimension_exhausted.at("cpu") == 1);
    CHECK(!firsts(plan).contains(1));
}

TEST_CASE("a changed task is replaced, with a warning, and counts as Nomad counts it") {
    Scene scene(job(2));
    scene.existing = allocs(2);
    scene.changed();
    scene.group().tasks.front().config["command"] = {"/bin/true"};
    scene.group().count = 3;
    const Plan plan = scene.planned();
    REQUIRE(plan.claims.size() == 3);
    CHECK(plan.claims[1].replaces == scene.existing[1].id);
    CHECK(!plan.claims[2].replaces);
    CHECK(plan.updates.at("cache") == GroupUpdates{.place = 1, .destructive_update = 2});
    REQUIRE(plan.warnings.size() == 1);
    CHECK(
        plan.warnings[0] ==
        "group cache: 2 replaced at once (task web: config); rolling updates and canaries come in "
        "a later version");
}

TEST_CASE(
    "old and new that do not fit together: the old one stops first, the new one waits for its "
    "room") {
    Scene scene(job(1));
    scene.view = View{};
    PeerView only = peer(1, {{4000}, {500}, {50000}});
    only.books.used = {{500}, {256}, {100}};
    scene.view.put(only);
    scene.existing = allocs(1);
    scene.changed();
    scene.group().tasks.front().env["NEW"] = "1";
    Plan plan = scene.planned();
    CHECK(plan.claims.empty());
    REQUIRE(plan.stops.size() == 1);
    CHECK(plan.stops[0].reason == "makes room for its successor on the same peer");
    CHECK(plan.warnings.back() ==
          "group cache: 1 stopped before the successor starts, for its peer has no room for both");
    CHECK(plan.queued.at("cache") == 1);
    CHECK(plan.failed.at("cache").dimension_exhausted.at("memory") == 1);

    scene.group().tasks.front().resources.memory = {
        600};  // will not fit either way: the old one stays
    plan = scene.planned();
    CHECK(plan.stops.empty());
    CHECK(plan.queued.at("cache") == 1);
}

TEST_CASE("sticky: a slot waits for the room that its own last allocation is leaving") {
    Scene scene = sticky_scene();
    PeerView own = peer(1, {{4000}, {500}, {50000}});
    own.books.used = {{500}, {256}, {100}};
    scene.view.put(own);
    scene.existing = allocs(1);
    scene.existing[0].desired = ExistingAlloc::Desired::stop;
    scene.previous = {{{"cache", 0}, {1}}};
    CHECK(scene.planned().claims.empty());
    CHECK(scene.planned().stops.empty());
    scene.existing[0].client = Client::complete;
    own.books.used = {};
    scene.view.put(own);
    CHECK(scene.planned().claims.at(0).candidates[0].peer == PeerNumber{1});
}

TEST_CASE("in place, unless the changed constraints no longer admit the peer") {
    Scene scene(job(2));
    scene.existing = allocs(2);
    scene.changed().constraints = {{"${node.unique.name}", "!=", "peer-2"}};
    const Plan plan = scene.planned();
    CHECK(plan.in_place == std::vector<AllocId>{scene.existing[0].id});
    REQUIRE(plan.claims.size() == 1);
    CHECK(plan.claims[0].replaces == scene.existing[1].id);
    CHECK(plan.updates.at("cache") == GroupUpdates{.in_place_update = 1, .destructive_update = 1});
}

TEST_CASE("several groups: each has its counts, and one that is gone is stopped") {
    Scene scene(job(1));
    TaskGroup second = scene.group();
    second.name = "second";
    scene.now.groups.push_back(second);
    scene.existing = {alloc(0, 1)};
    scene.existing[0].group = "first";
    const Plan plan = scene.planned();
    CHECK(plan.claims.size() == 2);
    CHECK(plan.stops.size() == 1);
    CHECK(plan.updates.at("first") == GroupUpdates{.stop = 1});
    CHECK(plan.queued == std::map<std::string, std::int64_t>{{"cache", 0}, {"second", 0}});
}

TEST_CASE("a stopped job claims nothing") {
    Scene scene(job(3));
    scene.existing = allocs(2);
    scene.stopped = true;
    const Plan plan = scene.planned();
    CHECK(plan.claims.empty());
    CHECK(plan.stops.size() == 2);
    CHECK(plan.queued.at("cache") == 0);
}

TEST_CASE("all_at_once: all have a place or none is claimed") {
    Scene scene(job(30));
    scene.now.all_at_once = true;
    Plan plan = scene.planned();
    CHECK(plan.claims.empty());
    CHECK(plan.queued.at("cache") == 30);
    scene.group().count = 24;
    plan = scene.planned();
    CHECK(plan.claims.size() == 24);
}

TEST_CASE("system: one on each feasible peer, at the peer's number") {
    Scene scene(job(1, JobType::system));
    PeerView suspect = peer(2), small = peer(4, {{100}, {100}, {100}});
    suspect.alive = false;
    scene.view.put(suspect);
    scene.view.put(small);
    scene.existing = {alloc(1, 1), alloc(2, 2)};
    const Plan plan = scene.planned();
    REQUIRE(plan.claims.size() == 1);
    CHECK(plan.claims[0].slot.index == 3);
    CHECK(peers_of(plan.claims[0]) == std::vector<std::uint32_t>{3});
    CHECK(plan.stops.empty());  // a suspect peer keeps what it has
    CHECK(plan.updates.at("cache") == GroupUpdates{.ignore = 2, .place = 2});
    CHECK(plan.queued.at("cache") == 1);
    CHECK(plan.failed.at("cache").dimension_exhausted.at("cpu") == 1);
}

TEST_CASE("system: leaves a peer that the changed job no longer admits; sysbatch stays done") {
    Scene scene(job(1, JobType::sysbatch));
    scene.existing = {alloc(1, 1), alloc(2, 2), alloc(3, 3)};
    scene.existing[2].client = Client::complete;
    scene.now.constraints = {{"${node.unique.name}", "!=", "peer-2"}};
    const Plan plan = scene.planned();
    CHECK(plan.claims.empty());
    REQUIRE(plan.stops.size() == 1);
    CHECK(plan.stops[0].alloc == scene.existing[1].id);
}

TEST_CASE("random scenes: a plan never promises more than there is, nor a slot twice") {
    Rng dice(11);
    for (int round = 0; round < 300; ++round) {
        CAPTURE(round);
        Scene scene(job(static_cast<std::int64_t>(dice.below(30)),
                        dice.chance(0.3) ? JobType::batch : JobType::service));
        scene.view = View{};
        std::map<PeerNumber, std::int64_t> room;
        for (std::uint32_t number = 1; number <= 1 + dice.below(8); ++number) {
            PeerView one = peer(number, {{dice.between(0, 4000)}, {8000}, {50000}});
            one.alive = dice.chance(0.8);
            room[one.number] = one.alive ? one.books.offer.total.cpu.value / 500 : 0;
            scene.view.put(one);
        }
        for (std::uint32_t index = 0; index < dice.below(20); ++index) {
            ExistingAlloc one = alloc(static_cast<std::uint32_t>(dice.below(25)),
                                      1 + static_cast<std::uint32_t>(dice.below(9)));
            one.id = fixtures::id<AllocId>(static_cast<std::uint8_t>(100 + index));
            one.client = static_cast<Client>(dice.below(6));
            one.lost = dice.chance(0.2);
            one.migrate = dice.chance(0.1);
            if (dice.chance(0.2)) one.desired = ExistingAlloc::Desired::stop;
            scene.existing.push_back(one);
        }
        scene.group().disk.sticky = dice.chance(0.5);
        if (dice.chance(0.3)) scene.changed();
        if (dice.chance(0.3)) scene.group().tasks.front().user = "other";
        const Plan plan = scene.planned();

        std::set<std::uint32_t> slots;
        std::set<AllocId> touched;
        for (const PlannedClaim& claim : plan.claims) {
            CHECK(slots.insert(claim.slot.index).second);
            CHECK(claim.slot.index < scene.group().count);
            CHECK(--room[claim.candidates.front().peer] >= 0);
            std::set<PeerNumber> distinct;
            for (const RankedPeer& one : claim.candidates) CHECK(distinct.insert(one.peer).second);
            CHECK((claim.candidates.size() >= 1 && claim.candidates.size() <= 4));
            if (claim.replaces) CHECK(touched.insert(*claim.replaces).second);
        }
        for (const PlannedStop& stop : plan.stops) CHECK(touched.insert(stop.alloc).second);
        const GroupUpdates& updates = plan.updates.at("cache");
        CHECK(static_cast<std::int64_t>(plan.claims.size()) + plan.queued.at("cache") ==
              updates.place + updates.destructive_update + updates.migrate);
        CHECK(updates.place + updates.destructive_update + updates.migrate + updates.ignore +
                  updates.in_place_update ==
              scene.group().count);
    }
}

TEST_CASE("a thousand allocations of one group are planned quickly (printed, not judged)") {
    for (const std::uint32_t peers : {1U, 50U, 1000U}) {
        for (const bool spread : {false, true}) {
            Scene scene(job(1000));
            scene.group().tasks.front().resources = {.cpu = {1}, .memory = {1}};
            scene.group().disk.size = {1};
            scene.group().networks = {{.ports = {{.label = "http"}}}};
            if (spread) scene.group().spreads = {{"${node.unique.name}", 100, {}}};
            scene.view = fixtures::alike(peers);
            const auto start = std::chrono::steady_clock::now();
            const Plan plan = scene.planned();
            const std::chrono::duration<double, std::milli> took =
                std::chrono::steady_clock::now() - start;
            CHECK(plan.claims.size() == 1000);
            MESSAGE(peers << " peers, " << std::string(spread ? "with" : "without")
                          << " spread: " << took.count() << " ms");
        }
    }
}

}  // namespace gaggle
