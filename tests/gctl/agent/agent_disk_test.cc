#include <doctest/doctest.h>
#include <sys/mount.h>
#include <unistd.h>

#include <condition_variable>
#include <deque>
#include <fstream>
#include <mutex>

#include "gctl/agent/disk_thread.h"
#include "gctl/agent/log_reader.h"
#include "tests/allocrunner/scratch.h"

namespace gaggle::agent {

namespace {

using allocrunner::ScratchDir;

/// What the other thread said, one at a time.
template <class Said>
class Answers {
  public:
    std::function<void(Said)> take() {
        return [this](Said said) {
            const std::lock_guard lock(mutex_);
            said_.push_back(std::move(said));
            changed_.notify_all();
        };
    }
    Said next() {
        std::unique_lock lock(mutex_);
        REQUIRE(changed_.wait_for(lock, 20s, [this] { return !said_.empty(); }));
        Said out = std::move(said_.front());
        said_.pop_front();
        return out;
    }

  private:
    std::mutex mutex_;
    std::condition_variable changed_;
    std::deque<Said> said_;
};

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

TEST_CASE("logs are read on their own thread, and an error says of which allocation") {
    const ScratchDir scratch;
    REQUIRE(mkdir((scratch.path() + "/alloc").c_str(), 0755) == 0);
    REQUIRE(mkdir((scratch.path() + "/alloc/logs").c_str(), 0755) == 0);
    std::ofstream(scratch.path() + "/alloc/logs/web.stdout.0") << "one\ntwo\n";
    Answers<node::LogsRead> answers;
    LogReader reader(
        [&](const AllocId& alloc) {
            return alloc.empty() ? scratch.path() : scratch.path() + "/none";
        },
        answers.take());

    reader.read({1, {.alloc = {}, .task = "web"}});
    node::LogsRead all = answers.next();
    CHECK(all.read == 1);
    CHECK(all.error.empty());
    CHECK(to_text(all.chunk.data) == "one\ntwo\n");
    CHECK(all.chunk.file_name == "alloc/logs/web.stdout.0");

    reader.read({2, {.alloc = {}, .task = "web", .from_end = true, .offset = 4}});
    CHECK(to_text(answers.next().chunk.data) == "two\n");
    reader.read({3, {.alloc = {}, .task = "web", .from = all.chunk.next}});
    CHECK(answers.next().chunk.data.empty());

    reader.read({4, {.alloc = AllocId{{9}}, .task = "web"}});
    const node::LogsRead missing = answers.next();
    CHECK(missing.read == 4);
    CHECK(missing.error.find("09000000-0000-0000-0000-000000000000") != std::string::npos);
}

}  // namespace gaggle::agent
