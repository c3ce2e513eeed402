#include <doctest/doctest.h>

#include <atomic>
#include <thread>

#include "gctl/agent/inbox.h"

namespace gaggle::agent {

namespace {

node::Input stored(std::uint64_t token) { return node::Stored{.token = token, .error = {}}; }
node::Input frame(std::size_t bytes) { return node::FrameReceived{{}, Bytes(bytes)}; }
bool is_frame(const node::Input& input) {
    return std::holds_alternative<node::FrameReceived>(input);
}

}  // namespace

TEST_CASE("own answers are read before frames, each kind in its order") {
    Inbox inbox({}, [] {});
    CHECK(inbox.offer(frame(1), 1));
    CHECK(inbox.offer(frame(2), 2));
    inbox.put(stored(1));
    inbox.put(stored(2));
    const auto three = inbox.take(3);
    REQUIRE(three.size() == 3);
    CHECK(std::get<node::Stored>(three[0]).token == 1);
    CHECK(std::get<node::Stored>(three[1]).token == 2);
    CHECK(std::get<node::FrameReceived>(three[2]).bytes.size() == 1);
    CHECK(inbox.take(3).size() == 1);
    CHECK(inbox.take(3).empty());
}

TEST_CASE("a flood of frames is dropped and counted, and own answers still get in") {
    SUBCASE("by number") {
        Inbox inbox({.frames_max = 3, .frame_bytes_max = 1'000}, [] {});
        for (int round = 0; round < 10; ++round) CHECK(inbox.offer(frame(1), 1) == (round < 3));
        CHECK(inbox.dropped() == 7);
        inbox.put(stored(1));
        CHECK_FALSE(is_frame(inbox.take(1).front()));
    }
    SUBCASE("by bytes, and there is room again once they are read") {
        Inbox inbox({.frames_max = 100, .frame_bytes_max = 10}, [] {});
        CHECK(inbox.offer(frame(6), 6));
        CHECK_FALSE(inbox.offer(frame(6), 6));
        CHECK(inbox.offer(frame(4), 4));
        CHECK(inbox.take(1).size() == 1);
        CHECK(inbox.offer(frame(6), 6));
        CHECK(inbox.dropped() == 1);
    }
}

TEST_CASE("the reader is woken once for all that waits, and again after it found nothing") {
    int woken = 0;
    Inbox inbox({}, [&] { ++woken; });
    inbox.put(stored(1));
    CHECK(inbox.offer(frame(1), 1));
    CHECK(woken == 1);
    CHECK(inbox.take(8).size() == 2);
    inbox.put(stored(2));
    CHECK(woken == 1);  // the reader comes again by itself
    CHECK(inbox.take(8).size() == 1);
    CHECK(inbox.take(8).empty());
    inbox.put(stored(3));
    CHECK(woken == 2);
}

TEST_CASE("nothing is lost between threads") {
    std::atomic<int> wakes{0};
    Inbox inbox({}, [&] {
        ++wakes;
        wakes.notify_one();
    });
    constexpr std::uint64_t kEach = 5'000;
    const auto write = [&] {
        for (std::uint64_t token = 0; token < kEach; ++token) inbox.put(stored(token));
    };
    std::thread first(write);
    std::thread second(write);
    std::uint64_t read = 0;
    for (int seen = 0; read < 2 * kEach; ++seen) {
        wakes.wait(seen);
        for (auto some = inbox.take(7); !some.empty(); some = inbox.take(7)) read += some.size();
    }
    first.join();
    second.join();
    CHECK(read == 2 * kEach);
    CHECK(inbox.take(1).empty());
}

}  // namespace gaggle::agent
