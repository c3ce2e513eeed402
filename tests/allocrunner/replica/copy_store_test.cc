#include "allocrunner/replica/copy_store.h"

#include "allocrunner/replica/scans.h"
#include "tests/allocrunner/replica/trees.h"

namespace gaggle::replica {

using namespace test;

namespace {

const std::string kFolder = "copies/" + folder_of(kLineage);

/// A version as a source would announce it, with all its blocks.
struct Offer {
    SignedHeader version;
    Scan scan;
    std::map<Hash, Bytes> blocks;
};

Offer offer_of(FileTree& files, std::uint64_t n) {
    Offer offer{.scan = scan_of(files, "x")};
    for (const Entry& entry : offer.scan.tree.entries)
        for (std::size_t at = 0; at < entry.blocks.size(); ++at)
            if (!entry.blocks[at].empty())
                offer.blocks[entry.blocks[at]] = must(
                    files.read("x/" + entry.path, at * kBlockBytes, block_length(entry.size, at)));
    offer.version = sign(keys_of(peer(1)), {.lineage = kLineage,
                                            .version = {Generation{1}, n},
                                            .source = peer(1),
                                            .root = offer.scan.root,
                                            .tree_bytes = offer.scan.encoded.size(),
                                            .bytes = content_bytes(offer.scan.tree),
                                            .taken_at = WallTime{1'000}});
    return offer;
}

/// Gives a store what it says is missing, and commits. The error, or nothing.
std::string bring(CopyStore& store, const Offer& offer, std::size_t* sent = nullptr) {
    auto staged = store.carry_out(StageTree{1, offer.version, offer.scan.encoded});
    if (!staged.error.empty()) return staged.error;
    std::vector<BlockRef> missing = staged.missing;
    for (int tries = 0; tries < 3; ++tries) {
        StageBlocks blocks{.work = 2, .lineage = kLineage, .root = offer.scan.root};
        for (const BlockRef& ref : missing)
            blocks.blocks.push_back({ref, offer.blocks.at(*block_at(offer.scan.tree, ref))});
        if (sent != nullptr) *sent += missing.size();
        if (auto done = store.carry_out(blocks); !done.error.empty()) return done.error;
        const auto committed = store.carry_out(CommitTree{3, offer.version});
        if (!committed.error.empty()) return committed.error;
        if (committed.missing.empty()) return "";
        missing = committed.missing;
    }
    return "never complete";
}

}  // namespace

TEST_CASE("stopped at any point of taking in a version, the old or the new one is there whole") {
    std::size_t olds = 0;
    std::size_t news = 0;
    for (std::uint64_t seed = 1; seed <= 6; ++seed) {
        Rng rng(seed);
        sim::MemoryTree source;
        fill_at_random(source, "x", rng);
        const Offer first = offer_of(source, 1);
        fill_at_random(source, "x", rng);
        const Offer second = offer_of(source, 2);
        for (std::uint64_t stop = 0;; stop += 1 + rng.below(3)) {
            CAPTURE(seed);
            CAPTURE(stop);
            sim::MemoryTree files;
            CopyStore store(files, "copies");
            REQUIRE(store.recover().problems.empty());
            REQUIRE(bring(store, first) == "");
            files.stop_after(stop);
            const std::string error = bring(store, second);
            REQUIRE((error == "" || files.stopped()));
            files.crash(rng);

            CopyStore again(files, "copies");
            // And sometimes the machine stops again while it recovers.
            if (rng.chance(0.5)) {
                files.stop_after(rng.below(40));
                static_cast<void>(again.recover());
                files.crash(rng);
            }
            CopyStore last(files, "copies");
            const auto found = last.recover();
            REQUIRE(found.problems.empty());
            REQUIRE(found.copies.size() == 1);
            const Offer& is = found.copies[0] == second.version ? second : first;
            REQUIRE(found.copies[0] == is.version);
            REQUIRE(scan_of(files, kFolder + "/tree").tree == is.scan.tree);
            (&is == &first ? olds : news) += 1;
            REQUIRE(bring(last, second) == "");
            REQUIRE(scan_of(files, kFolder + "/tree").tree == second.scan.tree);
            if (error == "") break;
        }
    }
    CHECK(olds > 20);
    CHECK(news > 20);
}

TEST_CASE("stopped at any point of a restore, doing it again gives the whole version") {
    Rng rng(3);
    sim::MemoryTree source;
    fill_at_random(source, "x", rng);
    const Offer offer = offer_of(source, 1);
    for (std::uint64_t stop = 0;; ++stop) {
        CAPTURE(stop);
        sim::MemoryTree files;
        must(make_dirs(files, "alloc/new/alloc/data"));
        must(files.sync_all());
        CopyStore store(files, "copies");
        REQUIRE(bring(store, offer) == "");
        files.stop_after(stop);
        const bool done = store.restore(kLineage, "alloc/new", WallTime{2'000}).ok();
        REQUIRE((done || files.stopped()));
        files.crash(rng);
        CopyStore again(files, "copies");
        CHECK(again.recover().problems.empty());
        const std::string note = must(again.restore(kLineage, "alloc/new", WallTime{2'000}));
        CHECK(note.starts_with("restored copy of generation 1, version 1, taken "));
        REQUIRE(scan_of(files, "alloc/new").tree == offer.scan.tree);
        // It went there and is nobody else's.
        CHECK(!again.restore(kLineage, "alloc/other", WallTime{2'000}).ok());
        CHECK(again.recover().copies.empty());
        if (done) break;
    }
}

TEST_CASE("a restore does not overwrite what is in the new allocation already") {
    Rng rng(3);
    sim::MemoryTree files;
    fill_at_random(files, "x", rng);
    CopyStore store(files, "copies");
    REQUIRE(bring(store, offer_of(files, 1)) == "");
    put_file(files, "alloc/new/alloc/data/mine", Bytes(1, 1));
    const auto restored = store.restore(kLineage, "alloc/new", WallTime{});
    REQUIRE(!restored);
    CHECK(restored.error().detail.find("not empty") != std::string::npos);
    CHECK(must(files.read("alloc/new/alloc/data/mine", 0, 9)) == Bytes(1, 1));
}

TEST_CASE("restoring what is not held says so") {
    sim::MemoryTree files;
    CopyStore store(files, "copies");
    const auto restored = store.restore(kLineage, "alloc/new", WallTime{});
    REQUIRE(!restored);
    CHECK(restored.error().code == Errc::not_found);
}

TEST_CASE("a file that was renamed, copied or grew sends only blocks that are new") {
    sim::MemoryTree source;
    Rng rng(1);
    put_file(source, "x/alloc/data/temp", random_bytes(rng, 4 * kBlockBytes));
    sim::MemoryTree files;
    CopyStore store(files, "copies");
    std::size_t sent = 0;
    REQUIRE(bring(store, offer_of(source, 1), &sent) == "");
    CHECK(sent == 4);

    must(source.rename("x/alloc/data/temp", "x/alloc/data/dump.rdb"));
    put_file(source, "x/web/local/copy", must(source.read("x/alloc/data/dump.rdb", 0, 1U << 20U)));
    must(source.write("x/alloc/data/dump.rdb", 4 * kBlockBytes, Bytes(9, 1)));
    const Offer offer = offer_of(source, 2);
    sent = 0;
    REQUIRE(bring(store, offer, &sent) == "");
    CHECK(sent == 1);
    CHECK(scan_of(files, kFolder + "/tree").tree == offer.scan.tree);
}

TEST_CASE("blocks that were staged for a version serve the next one, also after a crash") {
    sim::MemoryTree source;
    Rng rng(1);
    put_file(source, "x/alloc/data/f", random_bytes(rng, 8 * kBlockBytes));
    const Offer first = offer_of(source, 1);
    sim::MemoryTree files;
    {
        CopyStore store(files, "copies");
        const auto staged = store.carry_out(StageTree{1, first.version, first.scan.encoded});
        REQUIRE(staged.missing.size() == 8);
        StageBlocks blocks{.work = 2, .lineage = kLineage, .root = first.scan.root};
        for (std::size_t at = 0; at < 5; ++at)
            blocks.blocks.push_back(
                {staged.missing[at],
                 first.blocks.at(*block_at(first.scan.tree, staged.missing[at]))});
        REQUIRE(store.carry_out(blocks).error == "");
    }
    must(files.sync_all());
    files.crash(rng);
    must(source.write("x/alloc/data/f", 0, random_bytes(rng, 10)));
    const Offer second = offer_of(source, 2);
    CopyStore store(files, "copies");
    CHECK(store.recover().copies.empty());
    std::size_t sent = 0;
    REQUIRE(bring(store, second, &sent) == "");
    CHECK(sent == 4);
}

TEST_CASE("a block that is not the one asked for is not staged") {
    sim::MemoryTree source;
    Rng rng(1);
    put_file(source, "x/alloc/data/f", random_bytes(rng, 2 * kBlockBytes));
    const Offer offer = offer_of(source, 1);
    sim::MemoryTree files;
    CopyStore store(files, "copies");
    const auto staged = store.carry_out(StageTree{1, offer.version, offer.scan.encoded});
    REQUIRE(staged.missing.size() == 2);
    StageBlocks blocks{.work = 2, .lineage = kLineage, .root = offer.scan.root};
    blocks.blocks.push_back({staged.missing[0], Bytes(kBlockBytes, 9)});
    blocks.blocks.push_back({{77, 77}, Bytes(kBlockBytes, 9)});
    CHECK(store.carry_out(blocks).bad == std::vector<BlockRef>{staged.missing[0], {77, 77}});
    CHECK(store.carry_out(CommitTree{3, offer.version}).missing.size() == 2);
}

TEST_CASE("a full disk leaves the old version as it is, and the next try goes on from there") {
    sim::MemoryTree source;
    Rng rng(1);
    put_file(source, "x/alloc/data/f", random_bytes(rng, 3 * kBlockBytes));
    sim::MemoryTree files;
    CopyStore store(files, "copies");
    const Offer first = offer_of(source, 1);
    REQUIRE(bring(store, first) == "");
    put_file(source, "x/alloc/data/f", random_bytes(rng, 3 * kBlockBytes));
    const Offer second = offer_of(source, 2);
    files.set_full(true);
    CHECK(bring(store, second).find("no space left on device") != std::string::npos);
    CHECK(scan_of(files, kFolder + "/tree").tree == first.scan.tree);
    files.set_full(false);
    CHECK(bring(store, second) == "");
    CHECK(scan_of(files, kFolder + "/tree").tree == second.scan.tree);
}

TEST_CASE("bytes that were damaged on the disk are neither served nor built upon") {
    sim::MemoryTree source;
    Rng rng(1);
    put_file(source, "x/alloc/data/f", random_bytes(rng, 3 * kBlockBytes));
    sim::MemoryTree files;
    CopyStore store(files, "copies");
    const Offer first = offer_of(source, 1);
    REQUIRE(bring(store, first) == "");
    files.damage(kFolder + "/tree/alloc/data/f", kBlockBytes + 5);
    const auto read = store.carry_out(
        ReadBlocks{1, Side::copy, kLineage, first.scan.root, {{1, 0}, {1, 1}, {1, 2}}});
    CHECK(read.changed);
    CHECK(read.blocks.size() == 2);
    // A version that has the damaged block elsewhere takes it from the source again.
    must(source.rename("x/alloc/data/f", "x/alloc/data/g"));
    std::size_t sent = 0;
    REQUIRE(bring(store, offer_of(source, 2), &sent) == "");
    CHECK(sent == 1);
}

TEST_CASE("a damaged manifest is reported at the start and replaced by the next version") {
    sim::MemoryTree source;
    Rng rng(1);
    put_file(source, "x/alloc/data/f", random_bytes(rng, 3 * kBlockBytes));
    sim::MemoryTree files;
    const Offer offer = offer_of(source, 1);
    {
        CopyStore store(files, "copies");
        REQUIRE(bring(store, offer) == "");
    }
    files.damage(kFolder + "/current", 20);
    CopyStore store(files, "copies");
    const auto found = store.recover();
    CHECK(found.copies.empty());
    REQUIRE(found.problems.size() == 1);
    CHECK(found.problems[0].find("damaged") != std::string::npos);
    CHECK(bring(store, offer) == "");
    CHECK(scan_of(files, kFolder + "/tree").tree == offer.scan.tree);
}

TEST_CASE("seen again later, a copy is that fresh, also after a restart") {
    sim::MemoryTree source;
    put_file(source, "x/alloc/data/f", Bytes(5, 1));
    sim::MemoryTree files;
    const Offer offer = offer_of(source, 1);
    CopyStore store(files, "copies");
    REQUIRE(bring(store, offer) == "");
    SignedHeader later = offer.version;
    later.header.taken_at.nanoseconds = 5'000;
    later = sign(keys_of(peer(1)), later.header);
    must(store.carry_out(RefreshCopy{later}));
    CopyStore again(files, "copies");
    CHECK(again.recover().copies == std::vector<SignedHeader>{later});
    CHECK(must(again.restore(kLineage, "y", WallTime{1'000'000'000 + 5'000})) ==
          "restored copy of generation 1, version 1, taken 1.0s ago, 5 B by rename");
}

TEST_CASE("a dropped copy is gone, and nothing else is") {
    sim::MemoryTree source;
    put_file(source, "x/alloc/data/f", Bytes(5, 1));
    sim::MemoryTree files;
    put_file(files, "alloc/a/data", Bytes(1, 1));
    CopyStore store(files, "copies");
    REQUIRE(bring(store, offer_of(source, 1)) == "");
    must(store.carry_out(DropCopy{kLineage}));
    CHECK(must(files.list("copies")).empty());
    CHECK(must(exists(files, "alloc/a/data")));
    must(store.carry_out(DropCopy{kLineage}));
}

}  // namespace gaggle::replica
