#include "gctl/store/store.h"

#include <doctest/doctest.h>

#include "tests/gctl/store/model.h"

namespace gaggle::store {

namespace {

Batch persist(raft::Persist raft) { return {.raft = std::move(raft), .keys = {}}; }

raft::Snapshot snapshot_of(const raft::Entry& at, Bytes state) {
    return {{.index = at.index, .term = at.term, .checksum = at.checksum}, std::move(state)};
}

}  // namespace

TEST_CASE("a new data directory holds nothing") {
    sim::SimDisk disk;
    const Loaded loaded = open_store(disk)->take_loaded();
    CHECK(!loaded.membership);
    CHECK(!loaded.amnesia);
    CHECK(!loaded.raft.snapshot);
    CHECK(loaded.raft.entries.empty());
    CHECK(loaded.raft.hard == raft::HardState{});
    CHECK(loaded.keys.empty());
}

TEST_CASE("named things need no replica, and can be erased") {
    sim::SimDisk disk;
    {
        const auto store = open_store(disk);
        REQUIRE(store->write({.keys = {{"orders", to_bytes("run")}, {"epoch", Bytes{}}}}).ok());
        REQUIRE(store->write({.keys = {{"roster", to_bytes("a b")}, {"orders", {}}}}).ok());
    }
    const Loaded loaded = open_store(disk)->take_loaded();
    CHECK(loaded.keys == Keys{{"epoch", {}}, {"roster", to_bytes("a b")}});
    CHECK(!loaded.membership);
}

TEST_CASE("what a founder begins with comes back") {
    sim::SimDisk disk;
    const raft::Restored first = raft::founding({{1}, {2}, {3}});
    REQUIRE(open_store(disk)->begin_replica(member(2), first, {{"region", to_bytes("eu")}}).ok());
    const Loaded loaded = open_store(disk)->take_loaded();
    CHECK(loaded.membership == member(2));
    CHECK(loaded.raft.hard == first.hard);
    CHECK(loaded.raft.entries == first.entries);
    CHECK(loaded.keys == Keys{{"region", to_bytes("eu")}});
}

TEST_CASE("a log is cut, overwritten and dropped as raft asks") {
    sim::SimDisk disk;
    Rng rng(1);
    auto store = open_store(disk);
    Model model = begin(*store);
    const auto reopened = [&] {
        store.reset();
        store = open_store(disk);
        return model.difference(store->take_loaded());
    };

    write_both(*store, model, persist({.append = next_entries(model, rng, 9, 100)}));
    CHECK(reopened() == "");

    Model shorter = model;
    const raft::Persist cut{.hard = raft::HardState{{4}, raft::ReplicaId{2}},
                            .truncate_from = LogIndex{5}};
    shorter.apply(persist(cut));
    raft::Persist overwrite = cut;
    overwrite.append = next_entries(shorter, rng, 3, 100);
    write_both(*store, model, persist(overwrite));
    CHECK(model.last() == LogIndex{7});
    CHECK(reopened() == "");

    write_both(*store, model,
               persist({.snapshot = snapshot_of(model.raft.entries[5], to_bytes("the books")),
                        .drop_until = LogIndex{3}}));
    CHECK(model.raft.entries.front().index == LogIndex{4});
    CHECK(reopened() == "");

    write_both(*store, model, persist({.append = next_entries(model, rng, 1, 100)}));
    CHECK(reopened() == "");
}

TEST_CASE("an installed snapshot replaces a shorter log, and the log goes on behind it") {
    for (const bool by_truncation : {true, false}) {
        CAPTURE(by_truncation);
        sim::SimDisk disk;
        Rng rng(2);
        auto store = open_store(disk);
        Model model = begin(*store);
        write_both(*store, model, persist({.append = next_entries(model, rng, 3, 100)}));
        raft::Persist install{.snapshot = snapshot_of({.index = {40}, .term = {1}}, Bytes(70'000))};
        if (by_truncation)
            install.truncate_from = LogIndex{1};
        else
            install.drop_until = LogIndex{40};
        write_both(*store, model, persist(install));
        write_both(*store, model, persist({.append = next_entries(model, rng, 2, 100)}));
        CHECK(model.last() == LogIndex{42});
        store.reset();
        CHECK(model.difference(open_store(disk)->take_loaded()) == "");
    }
}

TEST_CASE("only the newest snapshot's file is kept") {
    sim::SimDisk disk;
    Rng rng(3);
    auto store = open_store(disk);
    Model model = begin(*store);
    for (int round = 0; round < 3; ++round) {
        write_both(*store, model, persist({.append = next_entries(model, rng, 2, 100)}));
        write_both(*store, model,
                   persist({.snapshot = snapshot_of(model.raft.entries.back(), Bytes(100))}));
    }
    int snapshots = 0;
    for (const auto& path : disk.paths())
        snapshots += path.starts_with(kPeerPath + "/state/") ? 1 : 0;
    CHECK(snapshots == 1);
}

TEST_CASE("a new replica forgets the old one's log and keeps the named things") {
    sim::SimDisk disk;
    Rng rng(4);
    {
        const auto store = open_store(disk);
        Model model = begin(*store);
        write_both(*store, model, persist({.append = next_entries(model, rng, 5, 100)}));
        write_both(*store, model, {.keys = {{"orders", to_bytes("x")}}});
        REQUIRE(store->begin_replica(member(9), {}, {{"epoch", to_bytes("2")}}).ok());
    }
    const Loaded loaded = open_store(disk)->take_loaded();
    CHECK(loaded.membership == member(9));
    CHECK(loaded.raft.entries.empty());
    CHECK(loaded.raft.hard == raft::HardState{});
    CHECK(loaded.keys == Keys{{"epoch", to_bytes("2")}, {"orders", to_bytes("x")}});
    CHECK(!loaded.amnesia);
}

TEST_CASE("a write costs one sync, a new term or vote one more for the guard") {
    sim::SimDisk disk;
    Rng rng(5);
    const auto store = open_store(disk);
    Model model = begin(*store);
    const raft::HardState vote{{3}, raft::ReplicaId{1}};
    struct Row {
        const char* what;
        Batch batch;
        std::uint64_t syncs;
    };
    const Row rows[] = {
        {"entries", persist({.append = next_entries(model, rng, 4, 500)}), 1},
        {"a named thing", {.raft = {}, .keys = {{"orders", to_bytes("x")}}}, 1},
        {"a term", persist({.hard = raft::HardState{{3}, {}}}), 2},
        {"a vote", persist({.hard = vote}), 2},
        {"the same vote again", persist({.hard = vote}), 1},
    };
    for (const auto& row : rows) {
        CAPTURE(row.what);
        const Counters before = store->counters();
        write_both(*store, model, row.batch);
        CHECK(store->counters().file_syncs - before.file_syncs == row.syncs);
    }
    for (const std::uint64_t syncs : {1, 0}) {  // the second time there is nothing new to note
        const Counters before = store->counters();
        REQUIRE(store->refresh_guard().ok());
        CHECK(store->counters().file_syncs - before.file_syncs == syncs);
    }
}

}  // namespace gaggle::store
