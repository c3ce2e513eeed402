#include "allocrunner/replica/redo.h"

#include "tests/allocrunner/replica/trees.h"

namespace gaggle::replica {

using namespace test;

namespace {

/// All blocks of the directory at `top`, by hash.
std::map<Hash, Bytes> blocks_of(FileTree& files, const std::string& top, const Tree& tree) {
    std::map<Hash, Bytes> out;
    for (const Entry& entry : tree.entries)
        for (std::size_t at = 0; at < entry.blocks.size(); ++at)
            if (!entry.blocks[at].empty())
                out[entry.blocks[at]] = must(files.read(top + '/' + entry.path, at * kBlockBytes,
                                                        block_length(entry.size, at)));
    return out;
}

ReadBlock reader(std::map<Hash, Bytes> blocks) {
    return [blocks = std::move(blocks)](const Hash& hash) -> Result<Bytes> {
        const auto found = blocks.find(hash);
        if (found == blocks.end()) return Error{Errc::not_found, "no such block"};
        return found->second;
    };
}

}  // namespace

TEST_CASE("from any tree to any other, and again, ends in exactly the other") {
    for (std::uint64_t seed = 1; seed <= 120; ++seed) {
        CAPTURE(seed);
        Rng rng(seed);
        sim::MemoryTree files;
        fill_at_random(files, "x", rng);
        const Tree old = scan_of(files, "x").tree;
        const auto old_blocks = blocks_of(files, "x", old);
        must(carry_out(plan_redo(nullptr, old), nullptr, old, files, "copy/tree",
                       reader(old_blocks)));
        REQUIRE(scan_of(files, "copy/tree").tree == old);

        fill_at_random(files, "x", rng);
        const Tree next = scan_of(files, "x").tree;
        const auto blocks = blocks_of(files, "x", next);
        const Redo redo = plan_redo(&old, next);
        must(carry_out(redo, &old, next, files, "copy/tree", reader(blocks)));
        REQUIRE(scan_of(files, "copy/tree").tree == next);
        must(carry_out(redo, &old, next, files, "copy/tree", reader(blocks)));
        REQUIRE(scan_of(files, "copy/tree").tree == next);
    }
}

TEST_CASE("only what differs is written") {
    sim::MemoryTree files;
    Rng rng(1);
    put_file(files, "x/alloc/data/big", random_bytes(rng, 10 * kBlockBytes));
    put_file(files, "x/alloc/data/same", random_bytes(rng, 3 * kBlockBytes));
    const Tree old = scan_of(files, "x").tree;
    must(files.write("x/alloc/data/big", 4 * kBlockBytes + 5, Bytes(1, 0)));
    must(files.write("x/alloc/data/big", 7 * kBlockBytes, Bytes(kBlockBytes)));
    const Tree next = scan_of(files, "x").tree;
    const Redo redo = plan_redo(&old, next);
    CHECK(redo.removals.empty());
    REQUIRE(redo.writes.size() == 1);
    CHECK(next.entries[redo.writes[0].entry].path == "alloc/data/big");
    CHECK(redo.writes[0].block == 4);
    REQUIRE(redo.punches.size() == 1);
    CHECK(redo.punches[0].block == 7);
}

TEST_CASE("of two names of a file that become two files, neither changes the other") {
    sim::MemoryTree files;
    put_file(files, "x/alloc/data/a", Bytes(10, 1));
    must(files.make_hardlink("x/alloc/data/b", "x/alloc/data/a"));
    const Tree old = scan_of(files, "x").tree;
    must(carry_out(plan_redo(nullptr, old), nullptr, old, files, "copy/tree",
                   reader(blocks_of(files, "x", old))));
    must(files.write("x/alloc/data/a", 0, Bytes(10, 3)));
    must(files.remove("x/alloc/data/b"));
    put_file(files, "x/alloc/data/b", Bytes(10, 2));
    const Tree next = scan_of(files, "x").tree;
    const Redo redo = plan_redo(&old, next);
    CHECK(redo.writes.size() == 2);
    CHECK(redo.removals == std::vector<std::string>{"alloc/data/b"});
    must(carry_out(redo, &old, next, files, "copy/tree", reader(blocks_of(files, "x", next))));
    CHECK(scan_of(files, "copy/tree").tree == next);
}

}  // namespace gaggle::replica
