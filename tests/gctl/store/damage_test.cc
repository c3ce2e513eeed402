// Full and failing disks, damaged and missing files: an error or amnesia, never a silent
// difference.
#include <doctest/doctest.h>
#include <leveldb/env.h>

#include "gctl/store/store.h"
#include "tests/gctl/store/model.h"

namespace gaggle::store {

namespace {

constexpr int kWrites = 25;

/// A disk with a store that was filled and closed in order, and what is in it.
struct Filled {
    Filled() {
        Rng rng(41);
        const auto store = open_store(disk);
        model = begin(*store);
        for (int at = 0; at < kWrites; ++at) write_both(*store, model, next_batch(model, rng));
        REQUIRE(model.raft.snapshot);
        REQUIRE(model.raft.entries.size() > 3);
    }

    sim::SimDisk disk;
    Model model;
};

/// The last log of the database, the one that a crash would find.
std::string newest_log(const sim::SimDisk& disk) {
    std::string newest;
    for (const auto& path : disk.paths())
        if (path.ends_with(".log")) newest = path;
    REQUIRE(!newest.empty());
    return newest;
}

enum class Noticed { not_at_all, same, amnesia, error };

/// What a start says of a disk that was damaged.
Noticed look(sim::SimDisk& disk, const Model& model) {
    auto store = Store::open(kPeerPath, {.disk = &disk});
    if (!store.ok()) {
        CHECK(store.error().detail.find(kPeerPath) != std::string::npos);
        return Noticed::error;
    }
    const Loaded loaded = (*store)->take_loaded();
    if (loaded.amnesia) return Noticed::amnesia;
    return model.difference(loaded).empty() ? Noticed::same : Noticed::not_at_all;
}

/// Writes until the disk fails, then lets it recover; the store must not.
struct Outcome {
    Model acknowledged, on_its_way;
};
Outcome write_until_failure(Store& store, sim::SimDisk& disk, Model model) {
    Rng rng(43);
    for (int at = 0; at < 200; ++at) {
        const Batch batch = next_batch(model, rng);
        Outcome outcome{model, model};
        outcome.on_its_way.apply(batch);
        if (store.write(batch).ok()) {
            model.apply(batch);
            continue;
        }
        disk.heal();
        CHECK(store.failure());
        const auto again = store.write({.keys = {{"orders", to_bytes("more")}}});
        CHECK(!again.ok());
        CHECK(!store.refresh_guard().ok());
        CHECK(!store.begin_replica(member(5), {}, {}).ok());
        return outcome;
    }
    FAIL("the disk never failed");
    return {};
}

}  // namespace

TEST_CASE("a log cut at any length is amnesia or an error") {
    std::size_t length = 0;
    {
        Filled filled;
        length = filled.disk.size(newest_log(filled.disk));
    }
    REQUIRE(length > 10'000);
    int amnesias = 0;
    for (std::size_t cut = 0; cut < length; cut += 1 + length / 60) {
        CAPTURE(cut);
        Filled filled;
        filled.disk.truncate(newest_log(filled.disk), cut);
        const Noticed noticed = look(filled.disk, filled.model);
        const bool told = noticed == Noticed::amnesia || noticed == Noticed::error;
        CHECK(told);
        amnesias += noticed == Noticed::amnesia ? 1 : 0;
    }
    CHECK(amnesias > 30);
}

TEST_CASE("a flipped bit anywhere is harmless or told") {
    std::vector<std::string> paths;
    {
        Filled filled;
        paths = filled.disk.paths();
    }
    int errors = 0;
    for (const auto& path : paths) {
        for (int part = 0; part < 24; ++part) {
            Filled filled;
            const std::size_t size = filled.disk.size(path);
            if (size == 0) break;
            const std::size_t offset = size * static_cast<std::size_t>(part) / 24;
            CAPTURE(path);
            CAPTURE(offset);
            filled.disk.flip_bit(path, offset);
            const Noticed noticed = look(filled.disk, filled.model);
            CHECK(noticed != Noticed::not_at_all);
            errors += noticed == Noticed::error ? 1 : 0;
        }
    }
    CHECK(errors > 30);
}

TEST_CASE("a missing file is harmless or told") {
    std::vector<std::string> paths;
    {
        Filled filled;
        paths = filled.disk.paths();
    }
    for (const auto& path : paths) {
        CAPTURE(path);
        Filled filled;
        filled.disk.erase(path);
        const Noticed noticed = look(filled.disk, filled.model);
        CHECK(noticed != Noticed::not_at_all);
        if (path.ends_with(".log") || path.ends_with("/CURRENT")) CHECK(noticed != Noticed::same);
    }
}

TEST_CASE("a damaged snapshot names its file") {
    Filled filled;
    for (const auto& path : filled.disk.paths())
        if (path.find("/snapshot-") != std::string::npos) filled.disk.flip_bit(path, 3);
    const auto store = Store::open(kPeerPath, {.disk = &filled.disk});
    REQUIRE(!store.ok());
    CHECK(store.error().code == Errc::corrupt);
    CHECK(store.error().detail.find("snapshot /peer/state/snapshot-") != std::string::npos);
    CHECK(store.error().detail.find("nothing was changed") != std::string::npos);
}

TEST_CASE("amnesia lasts until a new replica begins, and lets only named things be written") {
    Filled filled;
    filled.disk.truncate(newest_log(filled.disk), 2000);
    for (int start = 0; start < 2; ++start) {
        const auto store = open_store(filled.disk);
        const Loaded loaded = store->take_loaded();
        REQUIRE(loaded.amnesia);
        CHECK_MESSAGE(loaded.amnesia->ends_with("acknowledged writes are gone"), *loaded.amnesia);
        const auto refused =
            store->write({.raft = raft::Persist{.hard = raft::HardState{{900}, {}}}, .keys = {}});
        REQUIRE(!refused.ok());
        CHECK(refused.error().code == Errc::denied);
        for (int at = 0; at < 2 * kWrites; ++at)  // more than were lost
            CHECK(store->write({.raft = {}, .keys = {{"orders", to_bytes("kept")}}}).ok());
        CHECK(store->refresh_guard().ok());
    }
    {
        const auto store = open_store(filled.disk);
        CHECK(store->begin_replica(member(77), {}, {}).ok());
        const raft::HardState hard{{900}, {}};
        CHECK(store->write({.raft = raft::Persist{.hard = hard}, .keys = {}}).ok());
    }
    const Loaded loaded = open_store(filled.disk)->take_loaded();
    CHECK(!loaded.amnesia);
    CHECK(loaded.membership == member(77));
    CHECK(loaded.raft.hard == raft::HardState{{900}, {}});
    CHECK(loaded.keys.at("orders") == to_bytes("kept"));
}

TEST_CASE("a vote that the log has lost is noticed even when the agent was killed right after it") {
    Filled filled;
    Rng rng(44);
    auto store = open_store(filled.disk);
    const raft::HardState vote{{900}, raft::ReplicaId{3}};
    const std::size_t before = filled.disk.size(newest_log(filled.disk));
    write_both(*store, filled.model, {.raft = raft::Persist{.hard = vote}, .keys = {}});
    filled.disk.crash(rng);
    store.reset();
    filled.disk.truncate(newest_log(filled.disk), before);
    CHECK(open_store(filled.disk)->take_loaded().amnesia);
}

TEST_CASE("a full disk at any change fails the store for good and loses nothing acknowledged") {
    for (std::uint64_t changes = 0; changes < 60; ++changes) {
        CAPTURE(changes);
        Filled filled;
        Outcome outcome;
        {
            const auto store = open_store(filled.disk);
            filled.disk.fail_after(changes, sim::Fault::no_space);
            outcome = write_until_failure(*store, filled.disk, filled.model);
        }
        const Loaded loaded = open_store(filled.disk)->take_loaded();
        const bool either = outcome.acknowledged.difference(loaded).empty() ||
                            outcome.on_its_way.difference(loaded).empty();
        CHECK(either);
    }
}

TEST_CASE("a failed sync fails the store for good, and a later crash loses nothing acknowledged") {
    for (std::uint64_t changes = 0; changes < 60; ++changes) {
        CAPTURE(changes);
        Filled filled;
        Rng rng(changes);
        auto store = open_store(filled.disk);
        filled.disk.fail_after(changes, sim::Fault::sync_fails);
        const Outcome outcome = write_until_failure(*store, filled.disk, filled.model);
        filled.disk.crash(rng);
        store.reset();
        const Loaded loaded = open_store(filled.disk)->take_loaded();
        const bool either = outcome.acknowledged.difference(loaded).empty() ||
                            outcome.on_its_way.difference(loaded).empty();
        CHECK(either);
    }
}

TEST_CASE("a directory of an unknown format is refused untouched") {
    sim::SimDisk disk;
    leveldb::Env& files = *disk.files();
    REQUIRE(files.CreateDir(kPeerPath).ok());
    REQUIRE(leveldb::WriteStringToFile(&files, "gaggle 9\n", kPeerPath + "/FORMAT").ok());
    const std::uint64_t before = disk.trace();
    const auto store = Store::open(kPeerPath, {.disk = &disk});
    REQUIRE(!store.ok());
    CHECK(store.error().code == Errc::invalid);
    CHECK(store.error().detail ==
          "data directory /peer has the format 'gaggle 9.', this program knows only 'gaggle 2.': "
          "use the program that wrote it, or another --data-dir");
    CHECK(disk.trace() == before);
    CHECK(disk.paths() == std::vector<std::string>{kPeerPath + "/FORMAT"});
}

TEST_CASE("a directory of the first flight is refused untouched, with what to do") {
    sim::SimDisk disk;
    leveldb::Env& files = *disk.files();
    REQUIRE(files.CreateDir(kPeerPath).ok());
    REQUIRE(leveldb::WriteStringToFile(&files, "gaggle 1\n", kPeerPath + "/FORMAT").ok());
    const std::uint64_t before = disk.trace();
    const auto store = Store::open(kPeerPath, {.disk = &disk});
    REQUIRE(!store.ok());
    CHECK(store.error().code == Errc::invalid);
    CHECK(store.error().detail.find("join the region anew") != std::string::npos);
    CHECK(disk.trace() == before);
}

TEST_CASE("a FORMAT file of any other content is an unknown format") {
    for (const std::string& content : {std::string(), to_text(Bytes(9)), std::string(9000, 'x')}) {
        CAPTURE(content.size());
        Filled filled;
        leveldb::Env* files = filled.disk.files();
        REQUIRE(leveldb::WriteStringToFile(files, content, kPeerPath + "/FORMAT").ok());
        const auto store = Store::open(kPeerPath, {.disk = &filled.disk});
        REQUIRE(!store.ok());
        CHECK(store.error().code == Errc::invalid);
    }
}

TEST_CASE("a log without a FORMAT file is not taken for a new directory") {
    Filled filled;
    filled.disk.erase(kPeerPath + "/FORMAT");
    const auto store = Store::open(kPeerPath, {.disk = &filled.disk});
    REQUIRE(!store.ok());
    CHECK(store.error().code == Errc::corrupt);
    CHECK(store.error().detail.find("has a log but no FORMAT file") != std::string::npos);
}

TEST_CASE("a second agent on a used data directory is refused while the first one lives") {
    sim::SimDisk disk;
    auto first = open_store(disk);
    const auto second = Store::open(kPeerPath, {.disk = &disk});
    REQUIRE(!second.ok());
    CHECK(second.error().code == Errc::unavailable);
    CHECK(second.error().detail.starts_with("data directory /peer is used by another agent"));
    CHECK(first->write({.raft = {}, .keys = {{"orders", to_bytes("x")}}}).ok());
    first.reset();
    CHECK(open_store(disk)->take_loaded().keys.size() == 1);
}

}  // namespace gaggle::store
