// The small parts by themselves: awareness, the rumour queue, the member table, relays, pending.
#include <doctest/doctest.h>

#include "tests/gossip/fake.h"

namespace gaggle::gossip {

namespace {

Announcement alive(const std::string& name, std::uint64_t incarnation, std::int64_t number = 1) {
    return signed_by(peer(name), Announcement{.peer = peer(name),
                                              .incarnation = {incarnation},
                                              .start = start(number),
                                              .boot = boot(1),
                                              .card = hash_of(card(name))});
}

Accusation accused(const std::string& by, Charge charge = Charge::suspect, bool refused = false) {
    return {.subject = peer("x"),
            .incarnation = {1},
            .start = start(1),
            .accuser = peer(by),
            .charge = charge,
            .refused = refused};
}

constexpr TimePoint at(Duration since_zero) { return TimePoint(since_zero); }
std::size_t always_100(const Rumour&) { return 100; }

}  // namespace

TEST_CASE("awareness rises with missing answers, falls with answers, and has bounds") {
    struct Row {
        const char* what;
        int before, helpers, nacks, after;
    };
    for (const auto& row :
         {Row{"all helpers nacked: the target is silent", 2, 3, 3, 2},
          Row{"one helper was silent too", 2, 3, 2, 3}, Row{"nobody could be asked", 2, 0, 0, 3},
          Row{"nothing came back at all", 6, 3, 0, 7}}) {
        CAPTURE(row.what);
        Awareness awareness(8);
        for (int i = 0; i < row.before; ++i) awareness.doubted();
        awareness.unanswered(row.helpers, row.nacks);
        CHECK(awareness.score() == row.after);
        CHECK(awareness.scaled(500ms) == 500ms * (row.after + 1));
        awareness.answered();
        CHECK(awareness.score() == row.after - 1);
    }
    Awareness well(8);
    well.answered();
    CHECK(well.score() == 0);
}

TEST_CASE("a rumour is told multiplier times ceil(log10(n + 1)) times") {
    struct Row {
        std::size_t members, times;
    };
    for (const auto& row : {Row{0, 4}, Row{1, 4}, Row{9, 4}, Row{10, 8}, Row{99, 8}, Row{100, 12},
                            Row{1'000, 16}, Row{8'191, 16}})
        CHECK(transmissions(4, row.members) == row.times);
}

TEST_CASE("least-told rumours go first, membership before capacity, young before old") {
    Broadcast queue;
    const Rumour offer{peer("a"), Topic::capacity}, old{peer("b"), Topic::announcement},
        young{peer("c"), Topic::accusations};
    queue.add(offer);
    queue.add(old);
    CHECK(queue.take(100, 3, always_100) == std::vector{old});
    queue.add(young);
    CHECK(queue.take(250, 3, always_100) == std::vector{young, old});
    CHECK(queue.take(1'000, 3, always_100) == std::vector{young, old, offer});
    CHECK(queue.size() == 2);  // `old` was told three times
    queue.add(young);          // anew
    CHECK(queue.take(1'000, 3, always_100) == std::vector{young, offer});
}

TEST_CASE("a rumour without content leaves the queue untold") {
    Broadcast queue;
    queue.add({peer("a"), Topic::capacity});
    CHECK(queue.take(1'000, 3, [](const Rumour&) { return std::size_t{0}; }).empty());
    CHECK(queue.empty());
}

TEST_CASE("what an announcement is worth") {
    struct Row {
        const char* what;
        MemberState state;
        std::uint64_t incarnation;
        std::int64_t start;
        News news;
    };
    using enum MemberState;
    for (const auto& row : {Row{"higher beats alive", alive, 6, 1, News::newer},
                            Row{"higher beats dead", dead, 6, 1, News::newer},
                            Row{"lower is stale", alive, 4, 9, News::stale},
                            Row{"the same is known", alive, 5, 2, News::known},
                            Row{"the same does not clear a suspect", suspect, 5, 2, News::known},
                            Row{"the same does not wake the dead", dead, 5, 2, News::stale},
                            Row{"equal with a greater start", alive, 5, 3, News::newer},
                            Row{"equal with a smaller start", alive, 5, 1, News::stale},
                            Row{"a greater start does not wake the dead", dead, 5, 3, News::stale},
                            Row{"higher beats left", left, 6, 1, News::newer},
                            Row{"the same does not bring back", left, 5, 2, News::known}}) {
        CAPTURE(row.what);
        Members members;
        Entry* entry = members.add(gossip::alive("x", 5, 2), card("x"), at(1s), {});
        members.change(*entry, row.state, at(2s));
        CHECK(judge(*entry, gossip::alive("x", row.incarnation, row.start)) == row.news);
    }
}

TEST_CASE("an accuser counts once, and may only say more") {
    Members members;
    Entry& entry = *members.add(alive("x", 1), card("x"), at(0s), {});
    CHECK(members.accuse(entry, accused("b"), Voice::theirs));
    CHECK(!members.accuse(entry, accused("b"), Voice::theirs));
    CHECK(members.accuse(entry, accused("b", Charge::suspect, true), Voice::theirs));
    CHECK(!members.accuse(entry, accused("b"), Voice::theirs));
    CHECK(refused_observers(entry) == 1);
    for (const char* by : {"c", "d", "e"}) CHECK(members.accuse(entry, accused(by), Voice::theirs));
    CHECK(!members.accuse(entry, accused("f"), Voice::theirs));  // full
    CHECK(members.accuse(entry, accused("f", Charge::dead), Voice::theirs));
    CHECK(members.accuse(entry, accused("a"), Voice::ours));
    CHECK(entry.accusations.size() == kAccusersMax);
    members.renew(entry, alive("x", 2), at(1s));
    CHECK(entry.accusations.empty());
}

TEST_CASE("a full table makes room by forgetting the member dead for longest, never a seed") {
    Members members;
    for (std::size_t i = 0; i < kMembersMax; ++i)
        REQUIRE(members.add(alive("m" + std::to_string(i), 1), {}, at(0s), {}) != nullptr);
    CHECK(members.add(alive("x", 1), {}, at(9s), {}) == nullptr);
    members.change(*members.entry(peer("m1")), MemberState::dead, at(1s));
    members.change(*members.entry(peer("m2")), MemberState::dead, at(2s));
    const std::map<PeerId, Bytes> seeds{{peer("m1"), {}}};
    CHECK(members.add(alive("x", 1), {}, at(9s), seeds) != nullptr);
    CHECK(members.find(peer("m1")) != nullptr);
    CHECK(members.find(peer("m2")) == nullptr);
    CHECK(members.all().size() == kMembersMax);
}

TEST_CASE("a helper nacks once, passes one ack on, and forgets") {
    Relays relays;
    CHECK(relays.add(5, {.origin = peer("b"),
                         .origin_sequence = 77,
                         .target = peer("c"),
                         .nack_at = at(160ms),
                         .ends_at = at(400ms)}));
    CHECK(relays.next_wakeup() == at(160ms));
    CHECK(relays.due(at(159ms)).empty());
    CHECK(relays.due(at(160ms)).size() == 1);
    CHECK(relays.due(at(161ms)).empty());
    CHECK(!relays.acked(5, peer("x")));  // not the target
    CHECK(relays.acked(5, peer("c"))->origin_sequence == 77);
    CHECK(!relays.acked(5, peer("c")));
    for (std::uint64_t i = 0; i < kRelaysMax; ++i) CHECK(relays.add(i, {.ends_at = at(1s)}));
    CHECK(!relays.add(kRelaysMax, {.ends_at = at(1s)}));
    CHECK(relays.due(at(1s)).size() == kRelaysMax);
    CHECK(relays.size() == 0);
}

TEST_CASE("what is missing is asked for again, and not for ever") {
    Pending pending;
    const Pending::Missing missing{.announcement = alive("x", 1), .teller = peer("b")};
    CHECK(pending.wait_for(peer("x"), missing));
    CHECK(!pending.wait_for(peer("x"), missing));
    CHECK(pending.wait_for(peer("x"), {.announcement = alive("x", 2), .teller = peer("c")}));
    CHECK(pending.next_wakeup() == at(kAskAgain));
    CHECK(pending.due(at(kAskAgain)).front().teller == peer("c"));
    CHECK(pending.due(at(kAskAgain)).empty());
    CHECK(pending.keep(accused("b"), at(0s)));
    CHECK(pending.take_about(peer("b")).size() == 1);
    CHECK(pending.keep(accused("b"), at(0s)));
    CHECK(pending.due(at(kPatience)).empty());
    CHECK(pending.find(peer("x")) == nullptr);
    CHECK(!pending.next_wakeup());
}

TEST_CASE("a walk probes every member once before any twice, and the hurried one next") {
    Members members;
    Targets targets;
    Rng rng(1);
    for (const char* name : {"b", "c", "d", "e"}) {
        members.add(alive(name, 1), {}, at(0s), {});
        targets.added(peer(name), rng);
    }
    members.change(*members.entry(peer("e")), MemberState::left, at(1s));
    for (int walk = 0; walk < 5; ++walk) {
        std::set<PeerId> probed;
        for (int i = 0; i < 3; ++i) probed.insert(*targets.next_probe(members, rng));
        CHECK(probed == members.in(MemberState::alive));
    }
    targets.hurry(peer("c"));
    CHECK(targets.next_probe(members, rng) == peer("c"));
    CHECK(some(members, MemberState::alive, 9, rng, {peer("b")}).size() == 2);
    CHECK(some(members, MemberState::alive, 1, rng).size() == 1);
}

}  // namespace gaggle::gossip
