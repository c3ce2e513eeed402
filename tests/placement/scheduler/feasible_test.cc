#include "placement/scheduler/feasible.h"

#include <doctest/doctest.h>

#include <functional>

#include "base/wire.h"
#include "tests/placement/scheduler/fixtures.h"

namespace gaggle {

TEST_CASE("a peer is filtered for the first reason that speaks against it") {
    Job job = fixtures::job(1);
    job.datacenters = {"dc1", "east-*"};
    job.constraints = {{"${attr.kernel.name}", "=", "linux"}};
    job.groups.front().constraints = {{"${meta.rack}", "!=", "r9"}};
    job.groups.front().tasks.front().constraints = {{"${attr.cpu.numcores}", ">=", "2"}};
    const Wanted wanted(job, job.groups.front());
    struct Row {
        const char* reason;
        std::function<void(PeerView&)> change;
    };
    for (const Row& row : {
             Row{"", [](PeerView&) {}},
             Row{"", [](PeerView& peer) { peer.description.datacenter = "east-3"; }},
             Row{"not alive", [](PeerView& peer) { peer.alive = false; }},
             Row{"ineligible", [](PeerView& peer) { peer.books.eligible = false; }},
             Row{"node pool default", [](PeerView& peer) { peer.description.node_pool = "gpu"; }},
             Row{"datacenter dc1,east-*",
                 [](PeerView& peer) { peer.description.datacenter = "west"; }},
             Row{"missing driver raw_exec",
                 [](PeerView& peer) { peer.books.offer.drivers = {"exec"}; }},
             Row{"missing driver raw_exec (switched off)",
                 [](PeerView& peer) {
                     peer.books.offer.drivers.clear();
                     peer.description.drivers["raw_exec"] = {.description = "switched off"};
                 }},
             Row{"missing driver raw_exec",  // it has recovered since
                 [](PeerView& peer) {
                     peer.books.offer.drivers.clear();
                     peer.description.drivers["raw_exec"] = {
                         .detected = true, .healthy = true, .description = "Healthy"};
                 }},
             Row{"${attr.kernel.name} = linux",
                 [](PeerView& peer) { peer.description.attributes["kernel.name"] = "bsd"; }},
             Row{"${meta.rack} != r9",
                 [](PeerView& peer) { peer.description.meta["rack"] = "r9"; }},
             Row{"${attr.cpu.numcores} >= 2",
                 [](PeerView& peer) { peer.description.attributes["cpu.numcores"] = "1"; }},
         }) {
        PeerView peer = fixtures::peer(1);
        row.change(peer);
        CAPTURE(row.reason);
        CHECK(filter_reason(wanted, peer).value_or("") == row.reason);
    }
}

TEST_CASE("what an ill driver says of itself is cut between two letters") {
    Job job = fixtures::job(1);
    PeerView peer = fixtures::peer(1);
    peer.books.offer.drivers.clear();
    std::string long_reason = "x";
    for (int i = 0; i < 200; ++i) long_reason += "\xc3\xa9";
    peer.description.drivers["raw_exec"] = {.description = long_reason};
    const std::string said = filter_reason(Wanted(job, job.groups[0]), peer).value_or("");
    CHECK(said == "missing driver raw_exec (" + long_reason.substr(0, 159) + ")");
}

TEST_CASE("a network is given only where the peer says that it can, and the reason says why not") {
    Job job = fixtures::job(1);
    struct Row {
        const char* mode;
        std::map<std::string, std::string> attributes;
        const char* reason;
    };
    for (const Row& row : {
             Row{"host", {}, ""},
             Row{"bridge", {{"gaggle.network.bridge", "1"}}, ""},
             Row{"bridge", {}, "missing network bridge"},
             Row{"bridge",
                 {{"gaggle.network.bridge.lacks", "find iptables"}},
                 "missing network bridge: find iptables"},
             Row{"none", {{"gaggle.network.none", "1"}}, ""},
             Row{"cni/lan", {{"gaggle.network.cni/lan", "1"}}, ""},
             Row{"cni/lan",
                 {{"gaggle.network.cni/wan", "1"}, {"gaggle.network.bridge.lacks", "b"}},
                 "missing network cni/lan"},
             Row{"none", {{"gaggle.network.lacks", "no root"}}, "missing network none: no root"},
         }) {
        job.groups.front().networks = {{.mode = row.mode}};
        PeerView peer = fixtures::peer(1);
        peer.description.attributes.insert(row.attributes.begin(), row.attributes.end());
        CAPTURE(row.mode);
        CHECK(filter_reason(Wanted(job, job.groups.front()), peer).value_or("") == row.reason);
    }
}

TEST_CASE("the pool \"all\" takes every peer") {
    Job job = fixtures::job(1);
    job.node_pool = "all";
    PeerView peer = fixtures::peer(1);
    peer.description.node_pool = "gpu";
    CHECK(!filter_reason(Wanted(job, job.groups.front()), peer));
}

TEST_CASE("a star in a datacenter's name stands for any text") {
    struct Row {
        const char* glob;
        const char* text;
        bool matches;
    };
    for (const Row& row :
         {Row{"*", "", true}, Row{"*", "dc1", true}, Row{"dc1", "dc1", true},
          Row{"dc1", "dc12", false}, Row{"dc*", "dc12", true}, Row{"*1", "dc1", true},
          Row{"*1", "dc12", false}, Row{"a*b*c", "axxbyyc", true}, Row{"a*b*c", "axxcyyb", false},
          Row{"", "", true}, Row{"", "x", false}, Row{"**", "x", true}, Row{"*ab", "aab", true}}) {
        CAPTURE(row.glob);
        CAPTURE(row.text);
        CHECK(glob_matches(row.glob, row.text) == row.matches);
    }
}

TEST_CASE("available peers are counted by datacenter, also where there are none") {
    Job job = fixtures::job(1);
    job.datacenters = {"dc1", "dc7"};
    std::vector<PeerView> peers = {fixtures::peer(1), fixtures::peer(2), fixtures::peer(3),
                                   fixtures::peer(4)};
    peers[1].alive = false;
    peers[2].description.datacenter = "dc2";
    CHECK(available_by_datacenter(job, fixtures::view_of(peers)) ==
          std::map<std::string, std::int64_t>{{"dc1", 2}, {"dc7", 0}});
}

TEST_CASE("metrics travel, and survive damage") {
    PlacementMetrics metrics{
        .nodes_evaluated = 3, .nodes_available = {{"dc1", 3}}, .coalesced_failures = 2};
    count_filtered(metrics, fixtures::peer(1), "datacenter dc9");
    count_exhausted(metrics, fixtures::peer(2), "memory");
    metrics.scores = {{fixtures::id<PeerId>(3), {{"binpack", 0.25}, {"copy", 1}}, 0.625}};
    const Bytes bytes = encode(metrics);
    REQUIRE(decode<PlacementMetrics>(bytes, "metrics").ok());
    CHECK(*decode<PlacementMetrics>(bytes, "metrics") == metrics);
    Rng rng(9);
    for (int round = 0; round < 20'000; ++round) {
        Bytes damaged = bytes;
        for (int i = 0; i < 3; ++i)
            damaged[rng.below(damaged.size())] = static_cast<std::uint8_t>(rng.next());
        const auto again = decode<PlacementMetrics>(damaged, "metrics");
        if (again.ok()) CHECK(decode<PlacementMetrics>(encode(*again), "metrics").ok());
    }
}

TEST_CASE("own unanswered claims lie over the view until they are settled") {
    View view = fixtures::alike(2);
    const Job job = fixtures::job(1);
    Ask ask = ask_of(job.groups.front());
    ask.ports = {{.label = "http", .fixed = 80}, {.label = "db"}};
    const AllocId mine = fixtures::id<AllocId>(1);
    view.claim(mine, {2}, ask);
    CHECK(view.books_of(*view.find({1})).used == Amounts{});
    CHECK(view.books_of(*view.find({2})).used == ask.amounts);
    CHECK(view.books_of(*view.find({2})).ports == std::set<std::uint16_t>{80});
    view.claim(mine, {1}, ask);  // the same claim, tried elsewhere
    CHECK(view.unanswered() == 1);
    CHECK(view.books_of(*view.find({2})).used == Amounts{});
    view.settle(mine);
    CHECK(view.books_of(*view.find({1})).used == Amounts{});
    CHECK(view.unanswered() == 0);
}

TEST_CASE("a refusal's capacity replaces what gossip told") {
    View view = fixtures::alike(2);
    PeerView old = *view.find({1});
    old.age = 5s;
    view.put(old);
    view.learn_free({1}, {{1000}, {90'000}, {0}});
    const PeerView& peer = *view.find({1});
    CHECK(peer.books.used ==
          Amounts{{3000}, {0}, {50000}});  // more free than offered counts as nothing used
    CHECK(peer.age == Duration{0});
    view.erase({1});
    CHECK(view.find({1}) == nullptr);
    view.learn_free({1}, {});
    CHECK(view.peers().size() == 1);
}

}  // namespace gaggle
