// What the group does about itself, told as situations.
#include "placement/raft/planner.h"

#include <doctest/doctest.h>

namespace gaggle::raft {

namespace {

/// A region as the leader sees it. Peer n is replica n; peer 1 leads.
struct Region {
    PlannerInput in{.now = TimePoint{1h}, .settled = true, .self = {1}};

    Region() { voter(1); }

    Prospect& peer(std::uint32_t number, std::string datacenter = {}) {
        in.candidates.push_back({.peer = {number},
                                 .datacenter = std::move(datacenter),
                                 .healthy_for = 20min,
                                 .stable = true,
                                 .caught_up = true});
        return in.candidates.back();
    }
    Prospect& voter(std::uint32_t number, std::string datacenter = {}) {
        in.configuration.voters.insert({number});
        in.configuration.peers[{number}] = {number};
        return peer(number, std::move(datacenter));
    }
    Prospect& standby(std::uint32_t number, std::string datacenter = {}) {
        in.configuration.learners.insert({number});
        in.configuration.peers[{number}] = {number};
        return peer(number, std::move(datacenter));
    }
    Prospect& at(std::uint32_t number) {
        for (Prospect& each : in.candidates)
            if (each.peer.value == number) return each;
        return peer(number);
    }
    Plan plan() const { return raft::plan(in); }
};

template <class Step>
bool is(const Plan& plan, const Step& step) {
    const auto* found = std::get_if<Step>(&plan.step);
    return found != nullptr && *found == step;
}

bool nothing(const Plan& plan) { return std::holds_alternative<Nothing>(plan.step); }

bool says(const Plan& plan, const char* words) { return plan.why.find(words) != std::string::npos; }

}  // namespace

TEST_CASE("one peer alone stays alone and says what that means") {
    const Plan plan = Region().plan();
    CHECK(nothing(plan));
    CHECK(plan.why ==
          "1 voter, 0 standbys; the loss of the only voter needs `gctl region recover`");
}

TEST_CASE("nothing is planned while a change is under way") {
    Region region;
    region.peer(2);
    region.in.settled = false;
    CHECK(nothing(region.plan()));
}

TEST_CASE("a second peer becomes a standby and never a second voter") {
    Region region;
    region.peer(2);
    CHECK(is(region.plan(), AddLearner{{2}}));
    Region later;
    later.standby(2);
    CHECK(nothing(later.plan()));
}

TEST_CASE("a peer that just came is not yet chosen as a standby") {
    Region region;
    region.peer(2).healthy_for = 1s;
    CHECK(nothing(region.plan()));
    region.at(2).healthy_for = std::nullopt;
    CHECK(nothing(region.plan()));
}

TEST_CASE("three stable peers: two standbys get a vote in one step") {
    Region region;
    region.standby(2);
    region.standby(3);
    const Plan plan = region.plan();
    CHECK(is(plan, SetVoters{{{1}, {2}, {3}}}));
    CHECK(says(plan, "peer 2, peer 3 get a vote"));
}

TEST_CASE("growth waits for what is missing, and says for what") {
    Region region;
    region.standby(2);
    region.standby(3).stable = false;
    CHECK(nothing(region.plan()));
    region.at(3).stable = true;
    region.at(3).caught_up = false;
    const Plan plan = region.plan();
    CHECK(nothing(plan));
    CHECK(says(plan, "waits until 2 standbys are stable and have caught up"));
    region.at(3).caught_up = true;
    region.at(3).may_vote = false;
    CHECK(!std::holds_alternative<SetVoters>(region.plan().step));
}

TEST_CASE("a fourth peer does not wait for the third") {
    Region region;
    region.standby(2);
    region.standby(3).caught_up = false;
    region.peer(4);
    CHECK(is(region.plan(), AddLearner{{4}}));
}

TEST_CASE("five voters only from seven seasoned peers, or five in three datacenters") {
    Region region;
    for (const std::uint32_t number : {2, 3}) region.voter(number);
    for (const std::uint32_t number : {4, 5, 6}) region.standby(number);
    CHECK(nothing(region.plan()));
    region.standby(7);
    CHECK(is(region.plan(), SetVoters{{{1}, {2}, {3}, {4}, {5}}}));
    for (Prospect& each : region.in.candidates) each.healthy_for = 5min;
    CHECK(nothing(region.plan()));

    Region wide;
    wide.at(1).datacenter = "a";
    wide.voter(2, "a");
    wide.voter(3, "b");
    wide.standby(4, "c");
    wide.standby(5, "b");
    CHECK(is(wide.plan(), SetVoters{{{1}, {2}, {3}, {4}, {5}}}));
}

TEST_CASE("the vote goes first to a datacenter that has none") {
    Region region;
    region.at(1).datacenter = "a";
    region.standby(2, "a");
    region.standby(3, "b");
    region.standby(4, "a").healthy_for = 30min;
    CHECK(is(region.plan(), SetVoters{{{1}, {3}, {4}}}));
}

TEST_CASE("a silent voter is replaced only by a standby that is ready, in one step") {
    Region region;
    region.voter(2);
    region.voter(3).silent = 61s;
    SUBCASE("no standby: it keeps its vote") {
        const Plan plan = region.plan();
        CHECK(nothing(plan));
        CHECK(says(plan, "peer 3 has not answered for 1m01s and keeps its vote"));
    }
    SUBCASE("a spare is made a standby first") {
        region.peer(4);
        CHECK(is(region.plan(), AddLearner{{4}}));
    }
    SUBCASE("a standby that lags does not help") {
        region.standby(4).caught_up = false;
        CHECK(nothing(region.plan()));
    }
    SUBCASE("a standby that is ready takes over") {
        region.standby(4);
        const Plan plan = region.plan();
        CHECK(is(plan, SetVoters{{{1}, {2}, {4}}}));
        CHECK(plan.kind == Plan::Kind::replacement);
    }
    SUBCASE("the leader is never replaced for its own silence") {
        region.at(3).silent = {};
        region.at(1).silent = 1h;
        CHECK(nothing(region.plan()));
    }
}

TEST_CASE("gossip alone neither condemns a voter nor saves it") {
    Region region;
    region.voter(2).seen = Prospect::Seen::dead;
    region.voter(3);
    region.standby(4);
    CHECK(nothing(region.plan()));
    region.at(2).seen = Prospect::Seen::alive;
    region.at(2).silent = 2min;
    CHECK(is(region.plan(), SetVoters{{{1}, {3}, {4}}}));
}

TEST_CASE("who leaves, or says that its disk failed, is replaced without waiting") {
    for (const bool withdrawn : {true, false}) {
        CAPTURE(withdrawn);
        Region region;
        region.voter(2).withdrawn = withdrawn;
        if (!withdrawn) region.at(2).seen = Prospect::Seen::left;
        region.voter(3);
        region.standby(4);
        CHECK(is(region.plan(), SetVoters{{{1}, {3}, {4}}}));
    }
}

TEST_CASE("a leader that leaves hands over first") {
    Region region;
    region.at(1).withdrawn = true;
    region.voter(2).caught_up = false;
    region.voter(3);
    CHECK(is(region.plan(), TransferTo{{3}}));
}

TEST_CASE("failures never shrink the group") {
    Region region;
    for (const std::uint32_t number : {2, 3, 4, 5}) region.voter(number);
    for (const std::uint32_t number : {4, 5}) {
        region.at(number).silent = 1h;
        region.at(number).healthy_for = std::nullopt;
        region.at(number).stable = false;
    }
    CHECK(nothing(region.plan()));
}

TEST_CASE("replacements have brakes") {
    Region region;
    region.voter(2);
    region.voter(3).silent = 2min;
    region.standby(4);
    const TimePoint now = region.in.now;
    SUBCASE("a pause after the last one") { region.in.history.replacements = {now - 29s}; }
    SUBCASE("a pause after an election") { region.in.history.leading_since = now - 29s; }
    SUBCASE("at most three in ten minutes") {
        region.in.history.replacements = {now - 2min, now - 3min, now - 9min};
    }
    SUBCASE("none when half of the region looks dead: it may be us") {
        for (const std::uint32_t number : {5, 6, 7, 8, 9})
            region.peer(number).seen = Prospect::Seen::suspect;
    }
    const Plan plan = region.plan();
    CHECK(nothing(plan));
    CHECK(says(plan, "its replacement waits"));
}

TEST_CASE("who was replaced rests before it is chosen again") {
    Region region;
    region.voter(2);
    region.voter(3).silent = 2min;
    region.standby(4);
    const Plan swap = region.plan();
    remember(region.in.history, region.in, swap);
    CHECK(region.in.history.replacements.size() == 1);

    Region after;
    after.voter(2);
    after.voter(4);
    after.peer(3);
    after.in.history = region.in.history;
    CHECK(nothing(after.plan()));
    after.in.now += 10min;
    CHECK(is(after.plan(), AddLearner{{3}}));
}

TEST_CASE("standbys: everybody in a small region, two in a large one") {
    Region small;
    for (const std::uint32_t number : {2, 3}) small.voter(number);
    for (const std::uint32_t number : {4, 5, 6, 7, 8}) small.standby(number).healthy_for = 5min;
    small.peer(9).healthy_for = 5min;
    CHECK(is(small.plan(), AddLearner{{9}}));
    Region large = small;
    large.peer(10).healthy_for = 5min;
    CHECK(nothing(large.plan()));
}

TEST_CASE("a standby is dropped when it leaves, is silent, or never catches up") {
    struct Row {
        const char* what;
        Duration silent;
        bool caught_up;
        Duration since_added;
        bool dropped;
    };
    for (const Row& row :
         {Row{"well", 0s, true, 1h, false}, Row{"silent", 60s, true, 1h, true},
          Row{"catching up", 0s, false, 9min, false}, Row{"stuck", 0s, false, 10min, true}}) {
        CAPTURE(row.what);
        Region region;
        auto& standby = region.standby(2);
        standby.silent = row.silent;
        standby.caught_up = row.caught_up;
        region.in.history.added[{2}] = region.in.now - row.since_added;
        CHECK(is(region.plan(), DropLearner{{2}}) == row.dropped);
    }
}

TEST_CASE("a datacenter with a majority gives a vote to another one, rarely") {
    Region region;
    region.at(1).datacenter = "a";
    region.voter(2, "a");
    region.voter(3, "b");
    region.standby(4, "c");
    const Plan plan = region.plan();
    CHECK(is(plan, SetVoters{{{1}, {3}, {4}}}));
    remember(region.in.history, region.in, plan);
    CHECK(nothing(region.plan()));
}

TEST_CASE("health: stability takes longer with each relapse, and long peace forgives") {
    Health health(10s, 40s);
    const PeerNumber peer{4};
    CHECK(!health.stable(TimePoint{0s}, peer));
    health.observe(TimePoint{0s}, peer, true);
    CHECK(!health.stable(TimePoint{9s}, peer));
    CHECK(health.stable(TimePoint{10s}, peer));
    health.observe(TimePoint{11s}, peer, false);
    CHECK(!health.healthy_for(TimePoint{11s}, peer));
    health.observe(TimePoint{12s}, peer, true);
    CHECK(!health.stable(TimePoint{31s}, peer));
    CHECK(health.stable(TimePoint{32s}, peer));
    health.observe(TimePoint{52s}, peer, true);
    health.observe(TimePoint{53s}, peer, false);
    health.observe(TimePoint{54s}, peer, true);
    CHECK(health.stable(TimePoint{74s}, peer));
}

}  // namespace gaggle::raft
