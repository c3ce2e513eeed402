// DiskWatcher on the real file system.
#include "allocrunner/disk_watcher.h"

#include <doctest/doctest.h>

#include <atomic>
#include <mutex>

#include "tests/allocrunner/fake_world.h"
#include "tests/allocrunner/scratch.h"

namespace gaggle::allocrunner {
namespace {

constexpr std::uint64_t kMega = 1U << 20U;

struct Watching {
    explicit Watching(const std::string& root, DiskWatchConfig config = {}) {
        const auto hear = [this](Input input) {
            const std::lock_guard lock(mutex);
            if (const auto* found = std::get_if<DiskFound>(&input.what)) all.push_back(*found);
            if (std::holds_alternative<HostDisk>(input.what)) ++pressures;
        };
        auto opened = DiskWatcher::open(root, hear, config);
        REQUIRE(opened.ok());
        watcher = std::move(*opened);
    }
    ~Watching() { watcher->stop(); }

    std::size_t found() {
        const std::lock_guard lock(mutex);
        return all.size();
    }

    std::mutex mutex;
    std::vector<DiskFound> all;
    std::atomic<int> pressures = 0;
    std::unique_ptr<DiskWatcher> watcher;
};

std::string make_dir(const ScratchDir& root, std::uint8_t number) {
    std::string dir = root.path() + "/" + to_string(alloc_id(number));
    std::filesystem::create_directories(dir + "/alloc/data");
    return dir;
}

void write_file(const std::string& path, std::uint64_t bytes) {
    std::ofstream(path, std::ios::binary) << std::string(bytes, 'x');
}

TEST_CASE("a real writer is warned of, then found over its limit; its neighbour is not") {
    const ScratchDir root;
    const std::string dir = make_dir(root, 1);
    write_file(make_dir(root, 2) + "/alloc/data/quiet", kMega);
    Watching peer(root.path());
    for (std::uint8_t number : {1, 2}) {
        peer.watcher->set_limit(alloc_id(number), 10 * kMega);
        peer.watcher->watch(alloc_id(number));
    }
    CHECK(eventually([&] { return peer.watcher->use(alloc_id(2)).has_value(); }));
    CHECK(peer.watcher->use(alloc_id(2))->bytes >= kMega);
    write_file(dir + "/alloc/data/one", 9 * kMega);
    REQUIRE(eventually([&] { return peer.found() == 1; }));
    write_file(dir + "/alloc/data/two", 3 * kMega);
    REQUIRE(eventually([&] { return peer.found() == 2; }));
    CHECK(peer.all[0].used <= peer.all[0].limit);
    CHECK(peer.all[1].used > peer.all[1].limit);
    CHECK(peer.all[1].alloc == alloc_id(1));
    CHECK(peer.all[1].limit == 10 * kMega);
    CHECK(peer.pressures > 0);
}

TEST_CASE("what rests or has no limit is not measured") {
    const ScratchDir root;
    write_file(make_dir(root, 1) + "/alloc/data/large", 20 * kMega);
    write_file(make_dir(root, 2) + "/alloc/data/large", 20 * kMega);
    write_file(make_dir(root, 3) + "/alloc/data/large", 20 * kMega);
    Watching peer(root.path());
    peer.watcher->set_limit(alloc_id(1), 0);
    peer.watcher->watch(alloc_id(1));
    peer.watcher->set_limit(alloc_id(2), kMega);
    peer.watcher->watch(alloc_id(2));
    peer.watcher->rest(alloc_id(2));
    peer.watcher->set_limit(alloc_id(3), 100 * kMega);
    peer.watcher->watch(alloc_id(3));
    CHECK(eventually([&] { return peer.watcher->use(alloc_id(3)).has_value(); }));
    CHECK(!peer.watcher->use(alloc_id(1)));
    CHECK(!peer.watcher->use(alloc_id(2)));
    peer.watcher->watch(alloc_id(2));
    CHECK(eventually([&] { return peer.found() == 1; }));
}

TEST_CASE("a limit that comes late, for the order was damaged, is enforced from then on") {
    const ScratchDir root;
    write_file(make_dir(root, 1) + "/alloc/data/large", 20 * kMega);
    Watching peer(root.path());
    peer.watcher->watch(alloc_id(1));
    CHECK(!peer.watcher->use(alloc_id(1)));
    peer.watcher->set_limit(alloc_id(1), kMega);
    CHECK(eventually([&] { return peer.found() == 1; }));
}

TEST_CASE("a task that removes its own directory takes nothing any more") {
    const ScratchDir root;
    const std::string dir = make_dir(root, 1);
    write_file(dir + "/alloc/data/one", 5 * kMega);
    Watching peer(root.path(), {.renew_all = 100ms});  // nothing is left to tell of the removal
    peer.watcher->set_limit(alloc_id(1), 10 * kMega);
    peer.watcher->watch(alloc_id(1));
    const auto bytes = [&] {
        const auto use = peer.watcher->use(alloc_id(1));
        return use ? use->bytes : kMega;
    };
    CHECK(eventually([&] { return bytes() >= 5 * kMega; }));
    std::filesystem::remove_all(dir);
    CHECK(eventually([&] { return bytes() == 0; }));
}

}  // namespace
}  // namespace gaggle::allocrunner
