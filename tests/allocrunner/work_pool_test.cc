#include "allocrunner/work_pool.h"

#include <doctest/doctest.h>

#include <atomic>
#include <mutex>
#include <string>
#include <thread>

#include "tests/allocrunner/fake_world.h"
#include "tests/allocrunner/scratch.h"

namespace gaggle::allocrunner {

namespace {

/// Threads of this process that call themselves "tasks".
int task_threads() {
    int count = 0;
    std::error_code ignored;
    for (const auto& thread : std::filesystem::directory_iterator("/proc/self/task", ignored))
        count += text_of(thread.path() / "comm") == "tasks\n" ? 1 : 0;
    return count;
}

/// Pieces that hang until they are let go.
struct Gate {
    std::atomic<bool> open = false;
    std::atomic<int> inside = 0;
    void pass() {
        ++inside;
        eventually([this] { return open.load(); });
    }
};

}  // namespace

TEST_CASE("pieces of one allocation run in order, one at a time") {
    std::mutex mutex;
    std::string order;
    std::atomic<int> at_once = 0;
    std::atomic<int> at_once_max = 0;
    {
        WorkPool pool({.threads = 4});
        for (int piece = 0; piece < 10; ++piece)
            for (std::uint8_t alloc = 1; alloc <= 3; ++alloc)
                pool.push(alloc_id(alloc), [&, piece, alloc] {
                    if (alloc != 1) return;
                    at_once_max = std::max(at_once_max.load(), ++at_once);
                    const std::lock_guard lock(mutex);
                    order += std::to_string(piece);
                    --at_once;
                });
    }  // what was pushed is finished
    CHECK(order == "0123456789");
    CHECK(at_once_max == 1);
}

TEST_CASE("what hangs holds up its own allocation and no other, and its threads go again") {
    Gate gate;
    std::atomic<bool> others = false;
    std::atomic<bool> next_of_one = false;
    WorkPool pool({.threads = 2, .stuck_after = 10ms});
    for (std::uint8_t alloc = 1; alloc <= 6; ++alloc)
        pool.push(alloc_id(alloc), [&] { gate.pass(); });
    pool.push(alloc_id(1), [&] { next_of_one = true; });
    CHECK(eventually([&] { return gate.inside == 6; }));
    pool.push(alloc_id(9), [&] { others = true; });
    CHECK(eventually([&] { return others.load(); }));
    CHECK_FALSE(next_of_one);
    gate.open = true;
    CHECK(eventually([&] { return next_of_one.load(); }));
    CHECK(eventually([&] { return task_threads() == 3; }));
}

TEST_CASE("there is a limit to what may hang at a time") {
    Gate gate;
    WorkPool pool({.threads = 1, .threads_max = 3, .stuck_after = 1ms});
    std::atomic<int> done = 0;
    for (std::uint8_t alloc = 1; alloc <= 8; ++alloc)
        pool.push(alloc_id(alloc), [&] {
            gate.pass();
            ++done;
        });
    CHECK(eventually([&] { return gate.inside == 3; }));
    CHECK(task_threads() == 3);
    gate.open = true;
    pool.stop();
    CHECK(done == 8);
}

TEST_CASE("who brings work waits while too much is there") {
    Gate gate;
    WorkPool pool({.threads = 1, .threads_max = 1, .pieces_max = 2});
    pool.push(alloc_id(1), [&] { gate.pass(); });
    REQUIRE(eventually([&] { return gate.inside == 1; }));
    pool.wait_for_room();
    pool.push(alloc_id(2), [] {});
    pool.push(alloc_id(3), [] {});
    std::atomic<bool> had_room = false;
    std::thread bringer([&] {
        pool.wait_for_room();
        had_room = true;
    });
    CHECK_FALSE(had_room);
    gate.open = true;
    bringer.join();
    CHECK(had_room);
}

TEST_CASE("a stop finishes what was pushed, and takes nothing more") {
    std::atomic<int> ran = 0;
    WorkPool pool({});
    pool.push(alloc_id(1), [&] { pool.push(alloc_id(1), [&] { ++ran; }); });
    CHECK(eventually([&] { return ran == 1; }));
    pool.stop();
    pool.push(alloc_id(1), [&] { ++ran; });
    pool.wait_for_room();
    pool.stop();
    CHECK(ran == 1);
}

}  // namespace gaggle::allocrunner
