// The parts of a replica, each by itself.
#include <doctest/doctest.h>

#include "placement/raft/journal.h"
#include "placement/raft/log.h"
#include "placement/raft/progress.h"
#include "placement/raft/quorum.h"
#include "placement/raft/reads.h"

namespace gaggle::raft {

namespace {

Configuration group(std::set<ReplicaId> voters, std::set<ReplicaId> outgoing = {}) {
    return {.voters = std::move(voters), .outgoing = std::move(outgoing)};
}

/// A log whose entry n has the n-th of `terms`.
Log log_of(const std::vector<std::uint64_t>& terms) {
    Log log{Restored{}};
    for (const std::uint64_t term : terms) {
        Entry entry{.index = {log.last().value + 1}, .term = {term}, .payload = Bytes(10)};
        entry.checksum = chained(log.last_checksum(), entry);
        log.append(entry);
    }
    return log;
}

void append_configuration(Log& log, Configuration configuration) {
    Entry entry{.index = {log.last().value + 1},
                .term = log.last_term(),
                .kind = EntryKind::configuration,
                .payload = encode_configuration(configuration)};
    entry.checksum = chained(log.last_checksum(), entry);
    log.append(entry);
}

Configuration voters_with_peers(std::uint64_t count) {
    Configuration out;
    for (std::uint64_t id = 1; id <= count; ++id) {
        out.voters.insert({id});
        out.peers[{id}] = {static_cast<std::uint32_t>(id)};
    }
    return out;
}

}  // namespace

TEST_CASE("elections: a majority of each side, and lost as soon as it is out of reach") {
    struct Row {
        Configuration configuration;
        std::map<ReplicaId, bool> votes;
        Outcome outcome;
    };
    const std::map<ReplicaId, bool> yes12{{{1}, true}, {{2}, true}};
    int row_number = 0;
    for (const Row& row : {
             Row{group({{1}}), {{{1}, true}}, Outcome::won},
             Row{group({{1}, {2}}), {{{1}, true}}, Outcome::pending},
             Row{group({{1}, {2}}), {{{1}, true}, {{2}, false}}, Outcome::lost},
             Row{group({{1}, {2}, {3}}), yes12, Outcome::won},
             Row{group({{1}, {2}, {3}}), {{{1}, true}, {{2}, false}}, Outcome::pending},
             Row{group({{1}, {2}, {3}}), {{{1}, false}, {{2}, false}}, Outcome::lost},
             Row{group({{1}, {2}, {3}}), {{{7}, true}, {{8}, true}}, Outcome::pending},
             Row{group({{1}, {2}, {3}, {4}}), yes12, Outcome::pending},
             // Joint: one side is never enough (CCF#7375), and one side can lose it.
             Row{group({{1}, {2}, {3}}, {{1}, {4}, {5}}), yes12, Outcome::pending},
             Row{group({{1}, {2}, {3}}, {{2}, {4}, {1}}), yes12, Outcome::won},
             Row{group({{1}, {2}}, {{4}}), {{{1}, true}, {{2}, true}, {{4}, false}}, Outcome::lost},
             Row{group({}), {}, Outcome::lost},
         }) {
        CAPTURE(++row_number);
        CHECK(tally(row.configuration, row.votes) == row.outcome);
    }
}

TEST_CASE("commit: what a majority of each side has") {
    struct Row {
        Configuration configuration;
        std::map<ReplicaId, LogIndex> acked;
        std::uint64_t agreed;
    };
    const std::map<ReplicaId, LogIndex> acked{{{1}, {9}}, {{2}, {5}}, {{3}, {3}}, {{4}, {7}}};
    int row_number = 0;
    for (const Row& row : {
             Row{group({{1}}), acked, 9},
             Row{group({{1}, {2}}), acked, 5},
             Row{group({{1}, {2}, {3}}), acked, 5},
             Row{group({{1}, {2}, {3}, {4}}), acked, 5},
             Row{group({{1}, {2}, {9}}), acked, 5},
             Row{group({{1}, {8}, {9}}), acked, 0},
             Row{group({{1}, {4}, {9}}, {{2}, {3}, {9}}), acked, 3},
             Row{group({{3}}, {{1}}), acked, 3},
             Row{group({}), acked, 0},
         }) {
        CAPTURE(++row_number);
        CHECK(agreed(row.configuration, row.acked) == LogIndex{row.agreed});
    }
}

TEST_CASE("configurations: only changes that make sense") {
    Configuration base = voters_with_peers(3);
    base.learners = {{9}};
    base.peers[{9}] = {40};
    REQUIRE(valid(base));

    const auto added = changed(base, AddLearner{{41}}, {12});
    REQUIRE(added.ok());
    CHECK(added->learners == std::set<ReplicaId>{{9}, {12}});
    CHECK(added->replica_of({41}) == ReplicaId{12});

    const auto joint = changed(base, SetVoters{{{1}, {2}, {9}}}, {12});
    REQUIRE(joint.ok());
    CHECK(to_string(*joint) == "voters 1 2 9 | leaving 1 2 3 | learners 3");
    CHECK(to_string(left_joint(*joint)) == "voters 1 2 9 | learners 3");
    CHECK(valid(*joint));
    CHECK(!changed(*joint, AddLearner{{41}}, {13}).ok());

    CHECK(changed(base, DropLearner{{9}}, {12})->peers.size() == 3);
    CHECK(!changed(base, AddLearner{{40}}, {12}).ok());
    CHECK(!changed(base, SetVoters{{{1}, {77}}}, {12}).ok());
    CHECK(!changed(base, SetVoters{}, {12}).ok());
    CHECK(!changed(base, DropLearner{{1}}, {12}).ok());
    CHECK(!changed(base, DropLearner{{77}}, {12}).ok());
}

TEST_CASE("configurations: contradictions are not read") {
    Configuration twice = voters_with_peers(2);
    twice.peers[{2}] = {1};
    Configuration stranger = voters_with_peers(2);
    stranger.peers[{3}] = {3};
    Configuration both = voters_with_peers(2);
    both.learners = {{2}};
    Configuration nobody = voters_with_peers(1);
    std::swap(nobody.voters, nobody.learners);
    for (const Configuration& bad : {twice, stranger, both, nobody}) {
        CAPTURE(to_string(bad));
        CHECK(!decode_configuration(encode_configuration(bad)).ok());
    }
    CHECK(decode_configuration(encode_configuration({})).ok());
}

TEST_CASE("a founding is the same bytes on every founder, and no learner can get a founder's id") {
    const Restored one = founding({{5}, {6}, {7}});
    CHECK(one.entries == founding({{5}, {6}, {7}}).entries);
    CHECK(verify(one).ok());
    CHECK(one.entries.size() == 3);
    const Log log(one);
    CHECK(log.configuration().replica_of({7}) == ReplicaId{3});
    CHECK(log.last().value + 1 > 3);
}

TEST_CASE("a damaged log is not started from") {
    Restored good = founding({{5}});
    for (std::uint64_t at = 2; at <= 5; ++at) {
        Entry entry{.index = {at}, .term = {1}, .payload = Bytes(at, 'x')};
        entry.checksum = chained(good.entries.back().checksum, entry);
        good.entries.push_back(entry);
    }
    REQUIRE(verify(good).ok());
    const auto broken = [&](const char* words, auto&& damage) {
        CAPTURE(words);
        Restored bad = good;
        damage(bad);
        const auto result = verify(bad);
        REQUIRE(!result.ok());
        CHECK(result.error().detail.find(words) != std::string::npos);
    };
    broken("entry 3 does not have the checksum", [](auto& r) { r.entries[2].payload[0] ^= 1; });
    broken("entry 4 follows entry 2", [](auto& r) { r.entries.erase(r.entries.begin() + 2); });
    broken("entry 2 is the first", [](auto& r) { r.entries.erase(r.entries.begin()); });
    broken("later term than the hard state", [](auto& r) { r.hard.term = {0}; });
    broken("before the snapshot's end",
           [](auto& r) { r.snapshot = Snapshot{.meta = {.index = {9}, .term = {1}}}; });
}

TEST_CASE("log: two configurations cut off at once leave the one before both (scylladb#30936)") {
    Log log = log_of({1, 1});
    append_configuration(log, voters_with_peers(1));
    append_configuration(log, voters_with_peers(2));
    append_configuration(log, voters_with_peers(3));
    CHECK(log.configuration_index() == LogIndex{5});
    log.truncate({4});
    CHECK(log.configuration_index() == LogIndex{3});
    CHECK(log.configuration().voters.size() == 1);
    log.truncate({1});
    CHECK(log.configuration() == Configuration{});
}

TEST_CASE("log: cut behind a snapshot, it still knows the term and checksum of its base") {
    Log log = log_of({1, 1, 2, 3});
    append_configuration(log, voters_with_peers(3));
    const SnapshotMeta meta = log.describe({3});
    CHECK(meta.term == Term{2});
    CHECK(meta.configuration_index == LogIndex{0});
    const Entry fourth = log.at({4});
    log.cut({3});
    CHECK(log.first() == LogIndex{4});
    CHECK(log.term_at({3}) == Term{2});
    CHECK(!log.term_at({2}));
    CHECK(fourth.checksum == chained(log.describe({3}).checksum, fourth));
    CHECK(log.bytes_between({0}, {4}) == 42);

    // The same log from disk, with a snapshot at 4 and the entries behind 2 kept.
    Log whole = log_of({1, 1, 2, 3});
    Restored kept{.hard = {.term = {3}}, .snapshot = Snapshot{.meta = whole.describe({4})}};
    for (const std::uint64_t index : {3, 4}) kept.entries.push_back(whole.at({index}));
    REQUIRE(verify(kept).ok());
    Log again(kept);
    CHECK(again.last() == LogIndex{4});
    CHECK(again.first() == LogIndex{4});
    again.cut({4});
    CHECK(again.last_term() == Term{3});
}

TEST_CASE("log: a long divergent tail is skipped a term at a time") {
    // The follower has a hundred thousand entries of two dead terms that the leader never saw.
    std::vector<std::uint64_t> follower_terms(100'000, 2);
    for (std::size_t at = 50'000; at < follower_terms.size(); ++at) follower_terms[at] = 3;
    follower_terms.insert(follower_terms.begin(), 10, 1);
    std::vector<std::uint64_t> leader_terms(100'010, 4);
    std::fill(leader_terms.begin(), leader_terms.begin() + 10, 1);
    const Log follower = log_of(follower_terms);
    const Log leader = log_of(leader_terms);
    Progress progress({leader.last().value + 1}, {});
    int rounds = 0;
    while (true) {
        ++rounds;
        const LogIndex previous{progress.next().value - 1};
        progress.sent(previous, 0);
        if (follower.term_at(previous) == leader.term_at(previous)) break;
        const LogIndex hint = follower.last_possible_match(previous, *leader.term_at(previous));
        const Term term = *follower.term_at(hint);
        REQUIRE(progress.rejected(previous, leader.last_possible_match(hint, term)));
        REQUIRE(rounds < 10);
    }
    CHECK(progress.next() == LogIndex{11});
    CHECK(rounds <= 3);
}

TEST_CASE("progress: probe one at a time, replicate within the window, wait for a snapshot") {
    const Progress::Window window{.messages = 2, .bytes = 1000};
    Progress progress({10}, {});
    CHECK(progress.may_send(window));
    progress.sent({9}, 0);
    CHECK(!progress.may_send(window));
    progress.nudge();
    CHECK(progress.may_send(window));
    CHECK(progress.acknowledged({9}));
    CHECK(progress.mode() == Progress::Mode::replicate);
    progress.sent({11}, 400);
    progress.sent({12}, 700);
    CHECK(!progress.may_send(window));
    CHECK(progress.acknowledged({11}));
    CHECK(progress.may_send(window));
    CHECK(!progress.acknowledged({10}));  // an old answer
    CHECK(progress.match() == LogIndex{11});
    CHECK(!progress.rejected({11}, {3}));  // about what is settled since (CCF#2835)
    CHECK(progress.rejected({13}, {5}));
    CHECK(progress.mode() == Progress::Mode::probe);
    CHECK(progress.next() == LogIndex{12});
    progress.sent_snapshot({20}, TimePoint{3s});
    CHECK(!progress.may_send(window));
    CHECK(!progress.rejected({13}, {5}));
    CHECK(progress.acknowledged({20}));
    CHECK(progress.mode() == Progress::Mode::replicate);
    CHECK(progress.next() == LogIndex{21});
}

TEST_CASE("journal: a message waits for the write that covers it, and no longer") {
    Log log = log_of({1});
    Journal journal({});
    std::vector<Message> now;
    const HardState hard{.term = {2}};
    journal.appended();
    journal.send(Journal::HoldFor::hard_state, {.from = {1}}, now);
    CHECK(now.size() == 1);  // term and vote were durable before
    journal.send(Journal::HoldFor::everything, {.from = {2}}, now);
    CHECK(now.size() == 1);
    const auto first = journal.next(log, hard);
    REQUIRE(first);
    CHECK(!first->hard);
    CHECK(first->append.size() == 1);
    CHECK(!journal.next(log, hard));  // one write at a time
    journal.changed_hard_state();
    journal.send(Journal::HoldFor::hard_state, {.from = {3}}, now);
    CHECK(journal.persisted(first->token + 1).empty());
    CHECK(journal.persisted(first->token).size() == 1);
    CHECK(journal.durable() == LogIndex{1});
    const auto second = journal.next(log, hard);
    REQUIRE(second);
    CHECK(second->hard == hard);
    CHECK(second->append.empty());
    CHECK(journal.persisted(second->token).size() == 1);
    CHECK(!journal.next(log, hard));
}

TEST_CASE("reads: a number frees only the round it was made for, and those before") {
    Reads reads;
    reads.ask(1);
    reads.start(7, {20}, {1});
    reads.ask(2);
    reads.answered({2}, 6);
    CHECK(reads.take_ready(group({{1}, {2}, {3}})).empty());
    reads.answered({3}, 7);
    const auto ready = reads.take_ready(group({{1}, {2}, {3}}));
    REQUIRE(ready.size() == 1);
    CHECK(ready[0].id == 1);
    CHECK(ready[0].index == LogIndex{20});
    CHECK(reads.may_start());
    CHECK(reads.take_all() == std::vector<std::uint64_t>{2});
}

}  // namespace gaggle::raft
