// The power goes at any moment; what was acknowledged is there, what was not may be.
#include <doctest/doctest.h>

#include <optional>

#include "gctl/store/store.h"
#include "tests/gctl/store/model.h"

namespace gaggle::store {

namespace {

/// A peer that lives through crashes: it works until the disk fails, and is then started again.
struct Life {
    explicit Life(std::uint64_t seed) : rng(seed) {}

    /// Opens the store, which must not be open, and compares. False when the disk failed meanwhile.
    bool start() {
        auto opened = Store::open(kPeerPath, {.disk = &disk});
        if (!opened.ok()) {
            REQUIRE_MESSAGE(opened.error().code == Errc::io, opened.error().detail);
            return false;
        }
        store = std::move(*opened);
        const Loaded loaded = store->take_loaded();
        if (on_its_way && on_its_way->difference(loaded).empty()) acknowledged = *on_its_way;
        REQUIRE(acknowledged.difference(loaded) == "");
        on_its_way.reset();
        return true;
    }

    bool begin() {
        on_its_way = acknowledged;
        on_its_way->membership = member(1);
        on_its_way->raft = {.hard = {.term = {1}}};
        if (!store->begin_replica(member(1), on_its_way->raft, {}).ok()) return false;
        acknowledged = *std::exchange(on_its_way, {});
        return true;
    }

    bool write() {
        const Batch batch = next_batch(acknowledged, rng);
        on_its_way = acknowledged;
        on_its_way->apply(batch);
        if (!store->write(batch).ok()) return false;
        acknowledged = *std::exchange(on_its_way, {});
        ++writes_done;
        return !rng.chance(0.1) || store->refresh_guard().ok();
    }

    /// Up to `writes` of them.
    void work(int writes) {
        if (!start()) return;
        if (!acknowledged.membership && !begin()) return;
        while (writes > 0 && write()) --writes;
    }

    void crash() {
        // The power goes first: a dying process writes nothing more.
        disk.crash(rng);
        store.reset();
    }

    Rng rng;
    sim::SimDisk disk;
    std::unique_ptr<Store> store;
    Model acknowledged;
    std::optional<Model> on_its_way;  ///< what the write that failed would have made
    int writes_done = 0;
};

}  // namespace

TEST_CASE("the power may go at any single change of a short life") {
    std::uint64_t changes = 0;
    {
        Life whole(11);
        whole.work(12);
        changes = whole.disk.changes();
    }
    REQUIRE(changes > 40);
    for (std::uint64_t at = 0; at < changes; ++at) {
        CAPTURE(at);
        Life life(11);
        life.disk.fail_after(at, sim::Fault::power_lost);
        life.work(12);
        life.crash();
        life.work(3);
        life.crash();
        REQUIRE(life.start());
    }
}

TEST_CASE("acknowledged writes survive crashes, with memtables switched and compacted between") {
    for (std::uint64_t seed = 1; seed <= 6; ++seed) {
        CAPTURE(seed);
        Life life(seed);
        for (int cycle = 0; cycle < 8; ++cycle) {
            CAPTURE(cycle);
            life.disk.fail_after(life.rng.below(200), sim::Fault::power_lost);
            life.work(60);
            life.crash();
        }
        life.work(20);
        CHECK(life.writes_done > 60);
        life.crash();
        REQUIRE(life.start());
    }
}

TEST_CASE("no compaction brings an old version back") {
    for (std::uint64_t seed = 31; seed <= 33; ++seed) {
        CAPTURE(seed);
        Life life(seed);
        std::size_t tables = 0;
        for (int cycle = 0; cycle < 3; ++cycle) {
            life.disk.fail_after(400 + life.rng.below(800), sim::Fault::power_lost);
            life.work(300);
            for (const auto& path : life.disk.paths()) tables += path.ends_with(".ldb") ? 1 : 0;
            life.crash();
        }
        CHECK(tables > 3);
        REQUIRE(life.start());
    }
}

TEST_CASE("the same seed gives the same trace, another seed another") {
    const auto trace = [](std::uint64_t seed) {
        Life life(seed);
        for (int cycle = 0; cycle < 4; ++cycle) {
            life.disk.fail_after(life.rng.below(300), sim::Fault::power_lost);
            life.work(80);
            life.crash();
        }
        return life.disk.trace();
    };
    CHECK(trace(21) == trace(21));
    CHECK(trace(21) != trace(22));
}

}  // namespace gaggle::store
