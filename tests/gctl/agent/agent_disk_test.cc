#include <doctest/doctest.h>
#include <sys/mount.h>
#include <unistd.h>

#include "gctl/agent/disk_thread.h"
#include "tests/allocrunner/scratch.h"
#include "tests/gctl/agent/answers.h"

namespace gaggle::agent {

namespace {

using allocrunner::ScratchDir;

constexpr RegionId kRegion{{1}};

std::unique_ptr<store::Store> opened(const std::string& path) {
    auto store = store::Store::open(path);
    if (!store.ok()) FAIL(store.error().detail);
    return std::move(*store);
}

node::StoreWrite write_key(std::uint64_t token, std::string name, Bytes value) {
    return {.token = token, .keys = {{std::move(name), std::move(value)}}};
}

}  // namespace

TEST_CASE("what the disk thread has answered is there at the next start") {
    const ScratchDir scratch;
    Answers<node::Stored> answers;
    {
        DiskThread disk(opened(scratch.path() + "/d"), kRegion, Epoch{2}, answers.take());
        disk.write({.token = 7, .begin_replica = raft::ReplicaId{9}});
        CHECK(answers.next().token == 7);
        for (std::uint64_t token = 8; token < 20; ++token) {
            disk.write(write_key(token, "k" + std::to_string(token), Bytes(3, 1)));
            const node::Stored stored = answers.next();
            CHECK(stored.token == token);
            CHECK_FALSE(stored.error);
        }
        disk.write(write_key(20, "last", Bytes(1, 2)));
        disk.stop();  // finishes the write under way
        CHECK(answers.next().token == 20);
    }
    const store::Loaded loaded = opened(scratch.path() + "/d")->take_loaded();
    CHECK(loaded.membership == store::Membership{kRegion, Epoch{2}, raft::ReplicaId{9}});
    CHECK(loaded.keys.size() == 13);
    CHECK(loaded.keys.at("last") == Bytes(1, 2));
    CHECK_FALSE(loaded.amnesia);
}

TEST_CASE("a full disk is an answer, and so is every write after it") {
    const ScratchDir scratch;
    const std::string path = scratch.path() + "/small";
    REQUIRE(mkdir(path.c_str(), 0700) == 0);
    if (mount("none", path.c_str(), "tmpfs", 0, "size=4m") != 0) {
        MESSAGE("skipped: mounting a small tmpfs needs root");
        return;
    }
    Answers<node::Stored> answers;
    {
        DiskThread disk(opened(path + "/d"), kRegion, Epoch{1}, answers.take());
        std::uint64_t token = 1;
        std::optional<std::string> error;
        for (; token < 20 && !error; ++token) {
            disk.write(write_key(token, "k" + std::to_string(token), Bytes(1U << 20U, 1)));
            error = answers.next().error;
        }
        REQUIRE(error);
        CHECK(error->find(path) != std::string::npos);
        disk.write(write_key(token, "small", Bytes(1, 1)));
        CHECK(answers.next().error);
    }
    CHECK(umount(path.c_str()) == 0);
}

}  // namespace gaggle::agent
