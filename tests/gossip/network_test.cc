// Whole clusters in virtual time. A failure names its seed.
#include "tests/gossip/network.h"

namespace gaggle::gossip {

TEST_CASE("a join converges within a second, whatever the size") {
    for (const int count : {2, 3, 5, 16, 30}) {
        CAPTURE(count);
        Network net(static_cast<std::uint64_t>(count));
        for (int i = 0; i < count; ++i) net.start(Network::nth(i));
        for (int i = 1; i < count; ++i) net.introduce(Network::nth(i), Network::nth(0));
        net.run(1s);
        CHECK(net.whole());
        CHECK(net.deaths() == 0);
    }
}

TEST_CASE("a join converges under loss") {
    for (std::uint64_t seed = 1; seed <= 5; ++seed) {
        CAPTURE(seed);
        Network net(seed, 0.2);
        net.found(20);
        net.set_loss(0);  // else somebody is always under suspicion for a moment
        net.run(2s);
        CHECK(net.whole());
    }
}

TEST_CASE("a silent host is suspect everywhere within 4 s and dead everywhere within 13 s") {
    for (const int count : {2, 3, 5, 30}) {
        for (std::uint64_t seed = 1; seed <= 3; ++seed) {
            CAPTURE(count);
            CAPTURE(seed);
            Network net(seed);
            net.found(count);
            const TimePoint killed = net.now();
            net.kill("n1");
            net.run(13s);
            const auto others = static_cast<std::size_t>(count) - 1;
            CHECK(net.believers("n1", MemberState::dead) == others);
            CHECK(net.last_to_see("n1", MemberState::suspect, killed) < 4s);
            CHECK(net.last_to_see("n1", MemberState::dead, killed) > 8s);
            CHECK(net.deaths() == others);
        }
    }
}

TEST_CASE("a refused port makes the agent known as gone everywhere within a second of the hint") {
    for (const int count : {2, 3, 5, 30}) {
        CAPTURE(count);
        Network net(7);
        net.found(count);
        net.set_refusing(true);
        net.kill("n1");
        for (int i = 0; i < std::min(count, 4); ++i)
            net.give(peer(Network::nth(i)), ConnectionLost{peer("n1")});
        net.run(1s);
        for (const auto& [id, node] : net.nodes()) {
            CHECK(node->members().find(peer("n1"))->state == MemberState::suspect);
            CHECK(node->members().find(peer("n1"))->agent_gone);
        }
    }
}

TEST_CASE("10 % loss kills nobody in 120 s") {
    for (const int count : {3, 5, 16}) {
        for (std::uint64_t seed = 1; seed <= 3; ++seed) {
            CAPTURE(count);
            CAPTURE(seed);
            Network net(seed);
            net.found(count);
            net.set_loss(0.1);
            net.run(120s);
            CHECK(net.deaths() == 0);
        }
    }
}

TEST_CASE("a partition is held, buried late, and heals without a death of the healthy") {
    for (const Duration length : {Duration(10s), Duration(40s)}) {
        for (std::uint64_t seed = 1; seed <= 3; ++seed) {
            CAPTURE(seed);
            Network net(seed);
            net.found(12);
            net.cut({"n0", "n1", "n2", "n3", "n4", "n5"});
            net.run(12s);
            CHECK(net.deaths() == 0);  // the cut hold
            net.run(length - 12s > Duration(0) ? length - 12s : Duration(0));
            const std::size_t deaths = net.deaths();
            CHECK((deaths > 0) == (length > 20s));
            net.cut({});
            net.run(15s);
            CHECK(net.whole());
            CHECK(net.deaths() == deaths);
        }
    }
}

TEST_CASE("an agent that restarts is the same member with a new start") {
    for (const Duration down : {Duration(100ms), Duration(5s), Duration(30s)}) {
        CAPTURE(down.count());
        Network net(3);
        net.found(5);
        net.kill("n1");
        net.run(down);
        const TimePoint back = net.now();
        net.start("n1", 2, 1);
        net.introduce("n1", "n0");
        net.run(1s);
        CHECK(net.whole());
        std::size_t restarts = 0;
        for (const auto& seen : net.seen())
            if (seen.at >= back && seen.change.agent_restarted) {
                ++restarts;
                CHECK(seen.change.peer == peer("n1"));
                CHECK(!seen.change.machine_rebooted);
                CHECK(seen.change.member.start == start(2));
            }
        CHECK(restarts == 4);
    }
}

TEST_CASE("all killed and started again find each other") {
    Network net(5);
    net.found(10);
    for (int i = 0; i < 10; ++i) net.kill(Network::nth(i));
    net.run(1s);
    for (int i = 0; i < 10; ++i) net.start(Network::nth(i), 2, 2);
    for (int i = 0; i < 10; ++i) net.introduce(Network::nth(i), Network::nth((i + 1) % 10));
    net.run(10s);
    CHECK(net.whole());
}

TEST_CASE("capacity reaches everybody, newest wins, and its age is known") {
    for (const double loss : {0.0, 0.1}) {
        CAPTURE(loss);
        Network net(11);
        net.found(30);
        net.set_loss(loss);
        for (int i = 0; i < 10; ++i) {
            net.give(peer("n3"), SetCapacity{to_bytes("free " + std::to_string(i))});
            net.run(50ms);
        }
        const TimePoint last_set = net.now() - 50ms;
        net.run(loss == 0 ? Duration(1s) : Duration(20s));
        for (const auto& [id, node] : net.nodes()) {
            if (id == peer("n3")) continue;
            const Member* member = node->members().find(peer("n3"));
            CHECK(to_text(member->capacity) == "free 9");
            CHECK(member->capacity_version <= 4);  // at most one in 200 ms
            CHECK(member->capacity_at >= last_set - 200ms);
            CHECK(member->capacity_at <= last_set + 300ms);
        }
    }
}

TEST_CASE("one who leaves is left at once and never suspected") {
    Network net(13);
    net.found(10);
    net.give(peer("n4"), Leave{});
    net.kill("n4");
    net.run(20s);
    CHECK(net.believers("n4", MemberState::left) == 9);
    for (const auto& seen : net.seen()) {
        CAPTURE(name_of(seen.change.peer));
        CHECK(seen.change.to != MemberState::suspect);
    }
    net.start("n4", 2, 1);
    net.introduce("n4", "n0");
    net.run(1s);
    CHECK(net.whole());
}

TEST_CASE("an idle cluster stays quiet") {
    Network net(17);
    net.found(10);
    net.run(20s);
    const std::size_t frames = net.frames();
    net.run(10s);
    // Per member and period one ping and one ack; a digest each 5 to 10 s; some slack.
    CHECK(net.frames() - frames < 10 * (20 * 2 + 2 * 4));
}

TEST_CASE("the same seed gives the same run") {
    const auto run = [](std::uint64_t seed) {
        Network net(seed, 0.1);
        net.found(8);
        net.kill("n3");
        net.run(20s);
        std::string trace = std::to_string(net.bytes());
        for (const auto& seen : net.seen())
            trace += " " + std::to_string(seen.at.time_since_epoch().count()) + seen.by;
        return trace;
    };
    CHECK(run(1) == run(1));
    CHECK(run(1) != run(2));
}

}  // namespace gaggle::gossip
