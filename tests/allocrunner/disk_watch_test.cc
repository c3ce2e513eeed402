// DiskWatch in virtual time, with a disk that is a table of numbers.
#include "allocrunner/disk_watch.h"

#include <doctest/doctest.h>

#include "tests/allocrunner/fake_world.h"

namespace gaggle::allocrunner {
namespace {

constexpr std::uint64_t kMega = 1U << 20U;

struct Dir {
    std::uint64_t bytes = 0;
    std::uint64_t nameless = 0;
    std::uint64_t open = 0;
    std::uint64_t entries = 10;
    std::uint64_t looked_at = 0;  ///< by the walk under way
    bool touched = false;
};

/// Directories with a size and a number of entries; answers what a DiskWatch asks, and counts it.
struct FakeDisk {
    explicit FakeDisk(DiskWatchConfig config = {}) : watch(config) {}

    void add(std::uint8_t number, std::uint64_t limit, Dir dir = {}) {
        dirs[alloc_id(number)] = dir;
        used += dir.bytes;
        feed(DiskWatch::Watch{alloc_id(number), limit});
    }

    /// As a task that writes to a file with a name.
    void write(std::uint8_t number, std::uint64_t bytes) {
        Dir& dir = dirs.at(alloc_id(number));
        dir.bytes += bytes;
        dir.touched = true;
        used += bytes;
    }

    void feed(const DiskWatch::Input& input) {
        DiskWatch::Effects effects = watch.step(now, input);
        for (;;) {
            for (const DiskFound& one : effects.found) found.push_back(one);
            std::optional<DiskWatch::Input> reply;
            if (effects.look) reply = look();
            if (effects.open_files) reply = open_files();
            if (effects.measure) reply = measure(*effects.measure);
            if (!reply) return;
            effects = watch.step(now, *reply);
        }
    }

    /// Time passes; every due tick happens on the way, and each slice of a walk takes its time.
    void wait(Duration span) {
        const TimePoint end = now + span;
        for (;;) {
            const auto due = watch.next_wakeup();
            REQUIRE(due.has_value());
            if (*due > end) break;
            now = std::max(now, *due);
            feed(DiskWatch::Tick{});
        }
        now = std::max(now, end);
    }

    DiskWatch::Looked look() {
        ++looks;
        DiskWatch::Looked out{.used = used, .all_touched = overflow, .notified = notified};
        for (auto& [id, dir] : dirs)
            if (std::exchange(dir.touched, false) && notified) out.touched.insert(id);
        return out;
    }

    DiskWatch::OpenFiles open_files() {
        ++open_looks;
        DiskWatch::OpenFiles out{.looked_at = 100};
        for (const auto& [id, dir] : dirs)
            if (dir.open + dir.nameless > 0)
                out.found[id] = {dir.open + dir.nameless, dir.nameless};
        return out;
    }

    DiskWatch::Measured measure(const DiskWatch::Measure& wanted) {
        CHECK(wanted.entries_max > 0);
        Dir& dir = dirs.at(wanted.alloc);
        if (wanted.anew) dir.looked_at = 0;
        const std::uint64_t slice = std::min(wanted.entries_max, dir.entries - dir.looked_at);
        dir.looked_at += slice;
        entries += slice;
        now += Duration(slice);  // a microsecond each
        order.push_back(wanted.alloc.bytes[0]);
        return {.alloc = wanted.alloc,
                .entries = slice,
                .done = dir.looked_at == dir.entries,
                .exact = exact,
                .use = {.bytes = dir.bytes + (exact ? dir.nameless : 0)}};
    }

    DiskWatch watch;
    TimePoint now{};
    std::map<AllocId, Dir> dirs;
    std::uint64_t used = 1'000 * kMega;
    bool notified = true;
    bool exact = false;
    bool overflow = false;
    std::vector<DiskFound> found;
    std::vector<int> order;
    std::uint64_t entries = 0;
    int looks = 0;
    int open_looks = 0;
};

/// 100 allocations of 10,000 files and 300 MB each, all measured.
FakeDisk hundred() {
    FakeDisk disk;
    for (std::uint8_t number = 1; number <= 100; ++number)
        disk.add(number, 300 * kMega, {.bytes = 40 * kMega, .entries = 10'000});
    disk.wait(10min);
    disk.entries = 0;
    disk.looks = disk.open_looks = 0;
    return disk;
}

TEST_CASE("nothing watched: a look now and then, for how full the disk is") {
    FakeDisk disk;
    disk.wait(1min);
    CHECK(disk.looks <= 7);
    CHECK(disk.entries == 0);
}

TEST_CASE("what an allocation takes is known once it was measured") {
    FakeDisk disk;
    disk.add(1, 300 * kMega, {.bytes = 5 * kMega});
    CHECK(disk.watch.use(alloc_id(2)) == std::nullopt);
    disk.wait(1s);
    REQUIRE(disk.watch.use(alloc_id(1)).has_value());
    CHECK(disk.watch.use(alloc_id(1))->bytes == 5 * kMega);
    disk.feed(DiskWatch::Forget{alloc_id(1)});
    CHECK(disk.watch.use(alloc_id(1)) == std::nullopt);
}

TEST_CASE("eighty percent is told once, and again only after it was below seventy") {
    FakeDisk disk;
    disk.add(1, 100 * kMega);
    disk.write(1, 81 * kMega);
    disk.wait(3s);
    REQUIRE(disk.found.size() == 1);
    CHECK(disk.found[0].used == 81 * kMega);
    CHECK(disk.found[0].limit == 100 * kMega);
    const auto becomes = [&](std::uint64_t bytes) {
        disk.dirs.at(alloc_id(1)).bytes = bytes;
        disk.write(1, 0);
        disk.wait(5s);
    };
    becomes(75 * kMega);
    becomes(85 * kMega);
    CHECK(disk.found.size() == 1);
    becomes(60 * kMega);
    REQUIRE(disk.found.size() == 2);  // it may be warned of again
    CHECK(disk.found[1].used == 60 * kMega);
    becomes(85 * kMega);
    CHECK(disk.found.size() == 3);
}

TEST_CASE("over the limit is told once, and then costs nothing but renewals") {
    FakeDisk disk;
    disk.add(1, 100 * kMega);
    disk.write(1, 200 * kMega);
    disk.wait(3s);
    REQUIRE(disk.found.size() == 1);
    CHECK(disk.found[0].used == 200 * kMega);
    disk.write(1, 100 * kMega);
    disk.wait(10s);
    CHECK(disk.found.size() == 1);
    disk.feed(DiskWatch::Watch{alloc_id(1), 1'000 * kMega});  // its job was given more
    CHECK(disk.found.size() == 1);
    disk.write(1, 800 * kMega);
    disk.wait(3s);
    CHECK(disk.found.size() == 2);
}

TEST_CASE("a hundred idle allocations of 10,000 files: two looks a second and a slow round") {
    FakeDisk disk = hundred();
    disk.wait(10min);
    CHECK(disk.looks <= 2 * 600 + 2);
    CHECK(disk.entries <= 600 * DiskWatchConfig{}.entries_per_second);
    CHECK(disk.open_looks == 0);
}

TEST_CASE("a stranger who fills the disk beside a hundred idle allocations has none walked") {
    FakeDisk disk = hundred();
    for (int second = 0; second < 60; ++second) {
        disk.used += 100 * kMega;
        disk.wait(1s);
    }
    CHECK(disk.found.empty());
    CHECK(disk.entries <= 60 * DiskWatchConfig{}.entries_per_second);
    CHECK(disk.open_looks <= 60);
}

TEST_CASE("a writer of 200 MB/s among a hundred is noticed within 2 s of crossing") {
    FakeDisk disk = hundred();
    std::optional<TimePoint> crossed;
    for (int tenth = 0; tenth < 100; ++tenth) {
        disk.write(7, 20 * kMega);
        if (!crossed && disk.dirs.at(alloc_id(7)).bytes > 300 * kMega) crossed = disk.now;
        disk.wait(100ms);
        if (!disk.found.empty() && disk.found.back().used > disk.found.back().limit) break;
    }
    REQUIRE(!disk.found.empty());
    CHECK(disk.found.back().alloc == alloc_id(7));
    REQUIRE(disk.found.back().used > disk.found.back().limit);
    CHECK(disk.now - *crossed <= 2s);
    CHECK(disk.found.size() == 2);  // the warning came first
}

TEST_CASE("a deleted file that stays open counts, when the disk shrinks and no name explains it") {
    FakeDisk disk = hundred();
    auto& dir = disk.dirs.at(alloc_id(9));
    for (int tenth = 0; tenth < 40 && disk.found.size() < 2; ++tenth) {
        dir.nameless += 20 * kMega;
        dir.touched = true;  // it writes, but a walk finds nothing of it
        disk.used += 20 * kMega;
        disk.wait(100ms);
    }
    REQUIRE(disk.found.size() == 2);
    CHECK(disk.found.back().alloc == alloc_id(9));
    CHECK(disk.found.back().used > 300 * kMega);
    CHECK(disk.open_looks > 0);
    CHECK(disk.watch.use(alloc_id(9))->bytes >= 300 * kMega);
}

TEST_CASE("walks that explain nothing do not keep the open files from being looked at") {
    FakeDisk disk;
    disk.add(1, 300 * kMega, {.bytes = kMega, .entries = 400'000});  // a walk takes 0.4 s
    disk.wait(1min);
    auto& dir = disk.dirs.at(alloc_id(1));
    for (int tenth = 0; tenth < 50 && disk.found.empty(); ++tenth) {
        dir.nameless += 300 * kMega;
        dir.touched = true;
        disk.used += 300 * kMega;
        disk.wait(100ms);
    }
    REQUIRE(!disk.found.empty());
    CHECK(disk.found.back().used > 300 * kMega);
    CHECK(disk.now <= TimePoint(1min + 3s));
}

TEST_CASE("without notification the open files show who writes") {
    FakeDisk disk;
    disk.notified = false;
    for (std::uint8_t number = 1; number <= 100; ++number)
        disk.add(number, 300 * kMega, {.bytes = 40 * kMega, .entries = 10'000});
    disk.wait(10min);
    disk.entries = 0;
    std::optional<TimePoint> crossed;
    for (int tenth = 0; tenth < 60 && disk.found.size() < 2; ++tenth) {
        disk.write(7, 20 * kMega);
        disk.dirs.at(alloc_id(7)).open += 20 * kMega;
        if (!crossed && disk.dirs.at(alloc_id(7)).bytes > 300 * kMega) crossed = disk.now;
        disk.wait(100ms);
    }
    REQUIRE(disk.found.size() == 2);
    CHECK(disk.now - *crossed <= 2s);
    CHECK(disk.entries < 300'000);  // not the million of all
}

TEST_CASE("a neighbour with a million files delays nobody") {
    FakeDisk disk;
    disk.add(1, 3'000 * kMega, {.bytes = 2'000 * kMega, .entries = 1'000'000});
    disk.add(2, 100 * kMega, {.bytes = 10 * kMega, .entries = 100});
    disk.wait(10min);
    REQUIRE(disk.watch.use(alloc_id(1)).has_value());
    disk.order.clear();
    disk.write(1, 500 * kMega);
    disk.write(2, 500 * kMega);
    disk.wait(2s);
    REQUIRE(!disk.order.empty());
    const auto small = std::find(disk.order.begin(), disk.order.end(), 2);
    CHECK(small - disk.order.begin() <= 1);
    REQUIRE(!disk.found.empty());
    CHECK(disk.found.front().alloc == alloc_id(2));
}

TEST_CASE("when more happened than was kept, everybody is suspected") {
    FakeDisk disk = hundred();
    disk.dirs.at(alloc_id(3)).bytes += 290 * kMega;
    disk.used += 290 * kMega;
    disk.overflow = true;
    disk.wait(5s);
    REQUIRE(!disk.found.empty());
    CHECK(disk.found.back().alloc == alloc_id(3));
}

TEST_CASE("with the file system's own books nothing can be hidden, and no open file is looked at") {
    FakeDisk disk;
    disk.exact = true;
    disk.notified = false;
    disk.add(1, 100 * kMega, {.entries = 1});
    disk.wait(1s);
    disk.dirs.at(alloc_id(1)).nameless += 150 * kMega;
    disk.used += 150 * kMega;
    disk.wait(1s);
    REQUIRE(!disk.found.empty());
    CHECK(disk.found.back().used == 150 * kMega);
    CHECK(disk.open_looks == 0);
}

TEST_CASE("urgent walks without end stay within a share of the time") {
    FakeDisk disk = hundred();
    disk.overflow = true;
    for (int second = 0; second < 300; ++second) {
        disk.used += 400 * kMega;  // a stranger; every look suspects everybody
        disk.wait(1s);
    }
    // What was saved up, what came meanwhile, and a twentieth of the time beyond that.
    CHECK(disk.entries <= 1'000'000 + 300 * 5'000 + 300 * 50'000 + 20'000);
}

}  // namespace
}  // namespace gaggle::allocrunner
