#include "allocrunner/replica/scan.h"

#include "allocrunner/replica/scans.h"
#include "tests/allocrunner/replica/trees.h"

namespace gaggle::replica {

using namespace test;

namespace {

constexpr std::int64_t kSecond = 1'000'000'000;

/// A scanner, a tree and a count of the reads of content.
struct Desk {
    sim::MemoryTree files;
    Scanner scanner;
    int reads = 0;
    std::function<void()> meanwhile;

    Desk() {
        files.on_read([this](const std::string&) {
            ++reads;
            if (meanwhile) meanwhile();
        });
    }
    void put(std::int64_t at, const std::string& path, const Bytes& content) {
        files.set_wall(WallTime{at});
        put_file(files, path, content);
    }
    Scan scan(std::int64_t at) {
        reads = 0;
        return must(scanner.scan(files, "x", WallTime{at}, nullptr));
    }
};

}  // namespace

TEST_CASE("what has not changed is read again once, a minute later, and then no more") {
    Desk desk;
    desk.put(10 * kSecond, "x/alloc/data/f", Bytes(100, 1));
    const Hash root = desk.scan(20 * kSecond).root;
    CHECK(desk.reads == 1);
    for (const std::int64_t at : {21, 30, 69}) {
        CAPTURE(at);
        CHECK(desk.scan(at * kSecond).root == root);
        CHECK(desk.reads == 0);
    }
    desk.scan(71 * kSecond);  // writes through a memory map may have left no stamp
    CHECK(desk.reads == 1);
    desk.scan(200 * kSecond);
    CHECK(desk.reads == 0);
}

TEST_CASE("a file that changed in the same tick of the clock is read again") {
    Desk desk;
    desk.put(10 * kSecond, "x/alloc/data/f", Bytes(100, 1));
    const Hash before = desk.scan(10 * kSecond + 5'000).root;
    desk.put(10 * kSecond, "x/alloc/data/f", Bytes(100, 2));  // the same stamps and size
    CHECK(desk.scan(11 * kSecond).root != before);
}

TEST_CASE("a scan of a still directory is steady, one that races with a writer is not") {
    Desk desk;
    desk.put(10 * kSecond, "x/alloc/data/a", Bytes(100, 1));
    desk.put(10 * kSecond, "x/alloc/data/b", Bytes(100, 1));
    CHECK(desk.scan(20 * kSecond).steady);
    desk.put(25 * kSecond, "x/alloc/data/b", Bytes(100, 3));
    int writes = 1;
    // While b is read, a changes: each file alone is whole, the two together never existed.
    desk.meanwhile = [&] {
        if (writes-- > 0) desk.put(26 * kSecond, "x/alloc/data/a", Bytes(100, 4));
    };
    CHECK(!desk.scan(30 * kSecond).steady);
    CHECK(desk.scan(40 * kSecond).steady);
}

TEST_CASE("a file that changes while it is read is read again until it is whole") {
    Desk desk;
    desk.put(10 * kSecond, "x/alloc/data/f", Bytes(3 * kBlockBytes, 1));
    int writes = 2;
    desk.meanwhile = [&] {
        if (writes-- > 0)
            desk.put(26 * kSecond, "x/alloc/data/f",
                     Bytes(3 * kBlockBytes, static_cast<std::uint8_t>(7 + writes)));
    };
    const Scan scan = desk.scan(30 * kSecond);
    CHECK(!scan.steady);
    const Entry& entry = *scan.tree.find("alloc/data/f");
    CHECK(entry.blocks == std::vector<Hash>(3, block_hash(Bytes(kBlockBytes, 7))));
}

TEST_CASE("a file or folder that vanishes while it is scanned is left out") {
    Desk desk;
    desk.put(10 * kSecond, "x/alloc/data/a", Bytes(100, 1));
    desk.put(10 * kSecond, "x/alloc/data/b", Bytes(100, 1));
    desk.put(10 * kSecond, "x/alloc/data/c/d", Bytes(100, 1));
    desk.meanwhile = [&] {
        must(remove_all(desk.files, "x/alloc/data/b"));
        must(remove_all(desk.files, "x/alloc/data/c"));
    };
    const Scan scan = desk.scan(30 * kSecond);
    CHECK(!scan.steady);
    CHECK(scan.tree.entries.size() == 2);
    CHECK(check_tree(scan.tree).ok());
}

TEST_CASE("a file with several names is one file and its other names, whichever comes first") {
    Desk desk;
    desk.put(10 * kSecond, "x/alloc/data/a/z", Bytes(100, 1));
    must(desk.files.make_hardlink("x/alloc/data/a-b", "x/alloc/data/a/z"));
    must(desk.files.make_hardlink("x/alloc/data/c", "x/alloc/data/a/z"));
    const Tree tree = desk.scan(30 * kSecond).tree;
    CHECK(tree.find("alloc/data/a-b")->kind == Kind::file);
    for (const char* path : {"alloc/data/a/z", "alloc/data/c"}) {
        CHECK(tree.find(path)->kind == Kind::hardlink);
        CHECK(tree.find(path)->target == "alloc/data/a-b");
    }
}

TEST_CASE("only blocks that are still those of the last scan are served") {
    sim::MemoryTree files;
    Rng rng(1);
    const std::string path = "alloc/" + to_string(kAlloc) + "/alloc/data/f";
    put_file(files, path, random_bytes(rng, 4 * kBlockBytes));
    Scans scans(files, "alloc", kBlockBytes);  // remembers the last block that it read, no more
    const Hash root = scans.carry_out(ScanTree{1, kLineage, kAlloc}, WallTime{kSecond}).root;
    must(files.write(path, 2 * kBlockBytes, Bytes(1, 0)));
    must(files.write(path, 3 * kBlockBytes, Bytes(1, 0)));
    const ReadBlocks all{2, Side::source, kLineage, root, {{1, 0}, {1, 1}, {1, 2}, {1, 3}}};
    const BlocksRead read = scans.carry_out(all);
    CHECK(read.changed);
    REQUIRE(read.blocks.size() == 3);
    CHECK(read.blocks[2].at == BlockRef{1, 3});
    CHECK(read.blocks[2].bytes[0] != 0);
    CHECK(scans.carry_out(ReadBlocks{3, Side::source, kLineage, Hash{{9}}, {{1, 0}}}).changed);
    CHECK(scans.carry_out(ReadBlocks{3, Side::source, kLineage, root, {{9, 9}}}).changed);
    scans.carry_out(ForgetScan{kLineage});
    CHECK(scans.carry_out(all).blocks.empty());
}

TEST_CASE("more than a copy holds is an error that names the place") {
    Desk desk;
    must(make_dirs(desk.files, "x/alloc/data"));
    for (std::size_t at = 0; at <= kEntriesMax; ++at)
        must(desk.files.make_symlink("x/alloc/data/" + std::to_string(at), "y"));
    const auto scan = desk.scanner.scan(desk.files, "x", WallTime{}, nullptr);
    REQUIRE(!scan);
    CHECK(scan.error().detail.find("more files than a copy holds, at alloc/data/") !=
          std::string::npos);
}

}  // namespace gaggle::replica
