#include "allocrunner/replica/manifest.h"

#include <functional>

#include "tests/allocrunner/replica/trees.h"

namespace gaggle::replica {

using namespace test;

namespace {

Tree sample() {
    Tree tree;
    tree.entries = {
        {.path = "alloc/data", .kind = Kind::dir, .attributes = {.mode = 0755}},
        {.path = "alloc/data/empty"},
        {.path = "alloc/data/file",
         .attributes = {.mode = 0640, .uid = 7, .mtime = -5, .xattrs = {{"user.a", {1, 2}}}},
         .size = kBlockBytes + 1,
         .blocks = {Hash{{1}}, Hash{}}},
        {.path = "alloc/data/hard", .kind = Kind::hardlink, .target = "alloc/data/file"},
        {.path = "web/local", .kind = Kind::dir},
        {.path = "web/local/soft", .kind = Kind::symlink, .target = "/etc/passwd"},
    };
    return tree;
}

}  // namespace

TEST_CASE("a manifest comes back as it was") {
    const Bytes bytes = encode_tree(sample());
    CHECK(must(decode_tree(bytes, hash_of(bytes))) == sample());
}

TEST_CASE("a manifest with another root is refused") {
    const auto decoded = decode_tree(encode_tree(sample()), Hash{{9}});
    REQUIRE(!decoded);
    CHECK(decoded.error().code == Errc::corrupt);
}

TEST_CASE("a manifest that could be written outside its folder or lies about itself is refused") {
    struct Row {
        const char* what;
        std::function<void(Tree&)> change;
    };
    const auto at = [](Tree& t, const char* path) -> Entry& {
        return const_cast<Entry&>(*t.find(path));
    };
    for (const Row& row : {
             Row{"..", [](Tree& t) { t.entries[1].path = "alloc/data/../../x"; }},
             Row{"absolute", [](Tree& t) { t.entries[0].path = "/alloc/data"; }},
             Row{"dot", [](Tree& t) { t.entries[1].path = "alloc/data/."; }},
             Row{"empty name", [](Tree& t) { t.entries[1].path = "alloc/data//x"; }},
             Row{"zero byte",
                 [](Tree& t) { t.entries[1].path = std::string("alloc/data/a\0b", 14); }},
             Row{"long name",
                 [](Tree& t) { t.entries[1].path = "alloc/data/" + std::string(256, 'e'); }},
             Row{"long path",
                 [](Tree& t) {
                     std::string path = "alloc/data/e";
                     while (path.size() <= kPathBytesMax) path += "/e";
                     t.entries[1].path = path;
                 }},
             Row{"outside the roots",
                 [](Tree& t) { t.entries.push_back({.path = "web/secrets"}); }},
             Row{"root that is a file", [](Tree& t) { t.entries.push_back({.path = "z/local"}); }},
             Row{"root that is a link",
                 [](Tree& t) {
                     t.entries.push_back({.path = "z/local", .kind = Kind::symlink, .target = "/"});
                 }},
             Row{"below a symlink",
                 [](Tree& t) { t.entries.push_back({.path = "web/local/soft/passwd"}); }},
             Row{"below nothing", [](Tree& t) { t.entries.push_back({.path = "web/local/t/x"}); }},
             Row{"out of order", [](Tree& t) { std::swap(t.entries[1], t.entries[2]); }},
             Row{"twice", [](Tree& t) { t.entries[1] = t.entries[0]; }},
             Row{"setuid", [](Tree& t) { t.entries[1].attributes.mode = 04755; }},
             Row{"setgid", [](Tree& t) { t.entries[1].attributes.mode = 02755; }},
             Row{"trusted xattr",
                 [](Tree& t) { t.entries[1].attributes.xattrs["trusted.x"] = {}; }},
             Row{"security xattr",
                 [](Tree& t) { t.entries[1].attributes.xattrs["security.capability"] = {1}; }},
             Row{"huge xattr",
                 [](Tree& t) { t.entries[1].attributes.xattrs["user.x"].resize(kXattrBytesMax); }},
             Row{"too few blocks", [at](Tree& t) { at(t, "alloc/data/file").blocks.pop_back(); }},
             Row{"too many blocks", [](Tree& t) { t.entries[1].blocks.emplace_back(); }},
             Row{"endless file", [](Tree& t) { t.entries[1].size = ~std::uint64_t{0}; }},
             Row{"folder with content", [](Tree& t) { t.entries[0].size = 1; }},
             Row{"hard link to a folder",
                 [at](Tree& t) { at(t, "alloc/data/hard").target = "alloc/data"; }},
             Row{"hard link to nothing",
                 [at](Tree& t) { at(t, "alloc/data/hard").target = "/etc/passwd"; }},
             Row{"hard link to itself",
                 [at](Tree& t) { at(t, "alloc/data/hard").target = "alloc/data/hard"; }},
             Row{"symlink to nothing", [at](Tree& t) { at(t, "web/local/soft").target = ""; }},
         }) {
        CAPTURE(row.what);
        Tree tree = sample();
        row.change(tree);
        CHECK(!check_tree(tree));
        const Bytes bytes = encode_tree(tree);
        CHECK(!decode_tree(bytes, hash_of(bytes)));
    }
}

TEST_CASE("whatever the bytes are, decoding a manifest ends with a good tree or an error") {
    Rng rng(11);
    const Bytes good = encode_tree(sample());
    std::size_t refused = 0;
    for (int round = 0; round < 20'000; ++round) {
        Bytes bytes = good;
        for (std::uint64_t changes = 1 + rng.below(4); changes > 0; --changes)
            bytes[rng.below(bytes.size())] = static_cast<std::uint8_t>(rng.next());
        if (rng.chance(0.2)) bytes.resize(rng.below(bytes.size() + 1));
        const auto tree = decode_tree(bytes, hash_of(bytes));
        if (tree)
            CHECK(check_tree(*tree).ok());
        else
            ++refused;
    }
    CHECK(refused > 10'000);
}

TEST_CASE("a header is genuine only as its source signed it") {
    const Keys keys = keys_of(peer(1));
    const SignedHeader good = sign(
        keys, {.lineage = kLineage, .version = {Generation{3}, 1}, .source = peer(1), .bytes = 5});
    CHECK(is_genuine(keys, good));
    CHECK(is_genuine(keys_of(peer(2)), good));
    for (auto change : std::vector<std::function<void(Header&)>>{
             [](Header& h) { h.lineage.index = 1; },
             [](Header& h) { h.version.generation.value = 4; },
             [](Header& h) { h.version.n = 2; },
             [](Header& h) { h.source = peer(2); },
             [](Header& h) { h.root = Hash{{1}}; },
             [](Header& h) { h.bytes = 6; },
             [](Header& h) { h.taken_at.nanoseconds = 1; },
             [](Header& h) { h.steady = true; },
         }) {
        SignedHeader other = good;
        change(other.header);
        CHECK(!is_genuine(keys, other));
    }
    Header none = good.header;
    none.version.n = 0;
    CHECK(!is_genuine(keys, sign(keys, none)));
    Header endless = good.header;
    endless.tree_bytes = kTreeBytesMax + 1;
    CHECK(!is_genuine(keys, sign(keys, endless)));
}

TEST_CASE("an all-zero block is a hole and the last block of a file is short") {
    CHECK(block_hash(Bytes(100)).empty());
    CHECK(!block_hash(Bytes(100, 1)).empty());
    CHECK(block_count(0) == 0);
    CHECK(block_count(1) == 1);
    CHECK(block_count(kBlockBytes) == 1);
    CHECK(block_count(kBlockBytes + 1) == 2);
    CHECK(block_length(kBlockBytes + 1, 0) == kBlockBytes);
    CHECK(block_length(kBlockBytes + 1, 1) == 1);
    CHECK(block_length(kBlockBytes + 1, 2) == 0);
}

}  // namespace gaggle::replica
