#include "allocrunner/alloc_dir.h"

#include <doctest/doctest.h>

#include "base/rng.h"
#include "base/wire.h"
#include "tests/allocrunner/fake_world.h"
#include "tests/allocrunner/scratch.h"

namespace gaggle::allocrunner {

namespace {

namespace fs = std::filesystem;

unsigned mode_of(const std::string& path) {
    struct stat about {};
    REQUIRE(lstat(path.c_str(), &about) == 0);
    return about.st_mode & 07777U;
}

void put(const std::string& path, const std::string& text) { std::ofstream(path) << text; }

}  // namespace

TEST_CASE("the directory is laid out as Nomad's, and making it twice does no harm") {
    const ScratchDir scratch;
    const Order order = order_of(1);
    const std::string dir = scratch.path() + "/" + to_string(order.alloc);
    REQUIRE(make_alloc_dir(scratch.path(), order).ok());
    put(dir + "/alloc/data/kept", "x");
    const auto again = make_alloc_dir(scratch.path(), order);
    REQUIRE(again.ok());
    CHECK(again->empty());
    CHECK(text_of(dir + "/alloc/data/kept") == "x");
    struct Row {
        const char* path;
        unsigned mode;
    };
    for (const auto& row : {Row{"", 0755}, Row{"/alloc/data", 0777}, Row{"/alloc/logs", 0777},
                            Row{"/alloc/tmp", 0777}, Row{"/main/local", 0777},
                            Row{"/main/tmp", 01777}, Row{"/main/secrets", 0700}, Row{"/exit", 0700},
                            Row{"/shim", 0700}, Row{"/order", 0600}}) {
        CAPTURE(row.path);
        CHECK(mode_of(dir + row.path) == row.mode);
    }
    const auto bytes = load_sealed(dir, SealedFile::order);
    REQUIRE(bytes.ok());
    CHECK(*decode<Order>(*bytes, "order") == order);
}

TEST_CASE("state is taken over by rename: data and each task's local, nothing else") {
    const ScratchDir scratch;
    const Order old = order_of(1);
    const std::string from = scratch.path() + "/" + to_string(old.alloc);
    REQUIRE(make_alloc_dir(scratch.path(), old).ok());
    put(from + "/alloc/data/dump.rdb", "rows");
    put(from + "/main/local/note", "mine");
    put(from + "/main/secrets/key", "secret");
    put(from + "/alloc/logs/main.stdout.0", "said");

    Order heir = order_of(2);
    heir.restore = {Restore::Kind::from_alloc, old.alloc};
    const std::string to = scratch.path() + "/" + to_string(heir.alloc);
    for (int round = 0; round < 2; ++round) {  // the second time it is there already
        const auto note = make_alloc_dir(scratch.path(), heir);
        REQUIRE(note.ok());
        CHECK(*note == "Took over state of allocation 01000000: alloc/data, main/local");
    }
    CHECK(text_of(to + "/alloc/data/dump.rdb") == "rows");
    CHECK(text_of(to + "/main/local/note") == "mine");
    CHECK_FALSE(fs::exists(to + "/main/secrets/key"));
    CHECK(text_of(from + "/alloc/logs/main.stdout.0") == "said");
}

TEST_CASE("what has been used since is not taken over again") {
    const ScratchDir scratch;
    const Order old = order_of(1);
    REQUIRE(make_alloc_dir(scratch.path(), old).ok());
    put(scratch.path() + "/" + to_string(old.alloc) + "/alloc/data/dump.rdb", "rows");
    Order heir = order_of(2);
    heir.restore = {Restore::Kind::from_alloc, old.alloc};
    const auto note = make_alloc_dir(scratch.path(), heir, Restoring::settled);
    REQUIRE(note.ok());
    CHECK(note->empty());
    CHECK_FALSE(fs::exists(scratch.path() + "/" + to_string(heir.alloc) + "/alloc/data/dump.rdb"));
}

TEST_CASE("where there is no earlier state the allocation starts empty and says so") {
    const ScratchDir scratch;
    Order heir = order_of(2);
    heir.restore = {Restore::Kind::from_alloc, alloc_id(1)};
    const auto note = make_alloc_dir(scratch.path(), heir);
    REQUIRE(note.ok());
    CHECK(*note == "No state of allocation 01000000 is on this peer; starts empty");
}

TEST_CASE("a directory that cannot be made names the path and the reason") {
    const ScratchDir scratch;
    const Order order = order_of(1);
    put(scratch.path() + "/" + to_string(order.alloc), "a file in its place");
    const auto made = make_alloc_dir(scratch.path(), order);
    REQUIRE(!made.ok());
    CHECK(made.error().detail == "make directory " + scratch.path() + "/" + to_string(order.alloc) +
                                     ": something else is in its place");
}

TEST_CASE("a sealed file comes back whole or not at all") {
    const ScratchDir scratch;
    const Bytes bytes = to_bytes("state of things");
    REQUIRE(save_sealed(scratch.path(), SealedFile::state, bytes).ok());
    CHECK(*load_sealed(scratch.path(), SealedFile::state) == bytes);
    CHECK(load_sealed(scratch.path(), SealedFile::order).error().code == Errc::not_found);

    const std::string path = scratch.path() + "/state";
    const std::string whole = text_of(path);
    Rng rng(4);
    for (int round = 0; round < 2'000; ++round) {
        std::string damaged = whole;
        damaged[rng.below(damaged.size())] ^= static_cast<char>(1 + rng.below(255));
        if (rng.chance(0.3)) damaged.resize(rng.below(whole.size()));
        put(path, damaged);
        const auto loaded = load_sealed(scratch.path(), SealedFile::state);
        REQUIRE(!loaded.ok());
        CHECK(loaded.error().code == Errc::corrupt);
    }
}

TEST_CASE("a full disk is an error that says what to do, and the old file stays") {
    const ScratchDir scratch;
    REQUIRE(save_sealed(scratch.path(), SealedFile::state, to_bytes("old")).ok());
    fs::create_symlink("/dev/full", scratch.path() + "/state.new");
    const auto saved = save_sealed(scratch.path(), SealedFile::state, to_bytes("new"));
    REQUIRE(!saved.ok());
    CHECK(saved.error().detail == "write " + scratch.path() +
                                      "/state.new: No space left on device; free some space on "
                                      "the data directory's disk");
    CHECK(*load_sealed(scratch.path(), SealedFile::state) == to_bytes("old"));
}

TEST_CASE("what is removed is the directory, never what its links point to") {
    const ScratchDir scratch;
    const ScratchDir elsewhere;
    put(elsewhere.path() + "/precious", "x");
    const Order order = order_of(1);
    REQUIRE(make_alloc_dir(scratch.path(), order).ok());
    const std::string dir = scratch.path() + "/" + to_string(order.alloc);
    fs::create_symlink(elsewhere.path(), dir + "/alloc/data/link");
    CHECK(remove_alloc_dir(dir).ok());
    CHECK_FALSE(fs::exists(dir));
    CHECK(text_of(elsewhere.path() + "/precious") == "x");
    CHECK(remove_alloc_dir(dir).ok());
}

TEST_CASE("only directories named like allocations are allocations") {
    const ScratchDir scratch;
    REQUIRE(make_alloc_dir(scratch.path(), order_of(2)).ok());
    REQUIRE(make_alloc_dir(scratch.path(), order_of(1)).ok());
    fs::create_directory(scratch.path() + "/lost+found");
    CHECK(*list_alloc_dirs(scratch.path()) == std::vector<AllocId>{alloc_id(1), alloc_id(2)});
}

}  // namespace gaggle::allocrunner
