#include "allocrunner/task_fetches.h"

#include <doctest/doctest.h>

#include <atomic>
#include <mutex>
#include <set>

#include "tests/allocrunner/fake_world.h"
#include "tests/allocrunner/scratch.h"

namespace gaggle::allocrunner {

namespace {

using Key = TaskFetches::Key;

/// Something that comes when it is let come, and counts how often it was begun and given up.
struct Source {
    std::atomic<bool> come = false;
    std::atomic<int> begun = 0;
    std::atomic<int> given_up = 0;

    Fetching fetching(const std::string& what) {
        return {what, [this](const FetchWatch& watch) -> Result<void> {
                    ++begun;
                    watch.say("half");
                    eventually([&] { return come || watch.cancelled(); });
                    if (come) return {};
                    ++given_up;
                    return {Errc::unavailable, "given up"};
                }};
    }
};

/// Who was told what.
struct Ears {
    std::mutex mutex;
    std::multiset<std::string> heard;

    TaskFetches::Waiter waiter(const std::string& name) {
        const auto note = [this, name](const std::string& what) {
            const std::lock_guard lock(mutex);
            heard.insert(name + " " + what);
        };
        return {.say = note,
                .ended = [note](const Result<void>& end) { note(end ? "has it" : "failed"); }};
    }
    std::size_t count(const std::string& what) {
        const std::lock_guard lock(mutex);
        return heard.count(what);
    }
    std::size_t size() {
        const std::lock_guard lock(mutex);
        return heard.size();
    }
};

}  // namespace

TEST_CASE("what many tasks wait for is fetched once, and all are told") {
    Source source;
    Ears ears;
    TaskFetches fetches;
    fetches.begin({alloc_id(1), "t"}, source.fetching("web:1"), ears.waiter("one"));
    CHECK(eventually([&] { return ears.count("one half") == 1; }));
    fetches.begin({alloc_id(2), "t"}, source.fetching("web:1"), ears.waiter("two"));
    fetches.begin({alloc_id(2), "u"}, source.fetching("web:1"), ears.waiter("three"));
    source.come = true;
    CHECK(eventually([&] {
        return ears.count("one has it") == 1 && ears.count("two has it") == 1 &&
               ears.count("three has it") == 1;
    }));
    CHECK(source.begun == 1);
    CHECK_FALSE(fetches.end({alloc_id(1), "t"}));  // it waits for nothing any more
    fetches.begin({alloc_id(4), "t"}, source.fetching("web:1"), ears.waiter("four"));
    CHECK(eventually([&] { return ears.count("four has it") == 1; }));
    CHECK(source.begun == 2);
}

TEST_CASE("a fetch is given up with the last that waited for it") {
    Source source;
    Ears ears;
    TaskFetches fetches;
    const Key one{alloc_id(1), "t"};
    const Key two{alloc_id(2), "t"};
    fetches.begin(one, source.fetching("web:1"), ears.waiter("one"));
    fetches.begin(two, source.fetching("web:1"), ears.waiter("two"));
    REQUIRE(eventually([&] { return source.begun == 1; }));
    CHECK(fetches.end(one));
    CHECK_FALSE(fetches.end(one));
    CHECK(source.given_up == 0);
    CHECK(fetches.end(two));
    CHECK(eventually([&] { return source.given_up == 1; }));
    // Who needs it now begins anew, and hears nothing of what was given up.
    Source better;
    better.come = true;
    fetches.begin(one, better.fetching("web:1"), ears.waiter("anew"));
    CHECK(eventually([&] { return ears.count("anew has it") == 1; }));
    CHECK(ears.count("one failed") + ears.count("two failed") + ears.count("anew failed") == 0);
}

TEST_CASE("further fetches wait for a thread, and may be ended while they do") {
    Source source;
    Ears ears;
    TaskFetches fetches;
    for (std::size_t at = 0; at < kFetchThreads + 2; ++at) {
        const Key key{alloc_id(static_cast<std::uint8_t>(at)), "t"};
        fetches.begin(key, source.fetching(std::to_string(at)), ears.waiter("all"));
    }
    CHECK(eventually([&] { return source.begun == kFetchThreads; }));
    CHECK(fetches.end({alloc_id(kFetchThreads + 1), "t"}));
    source.come = true;
    CHECK(eventually([&] { return ears.count("all has it") == kFetchThreads + 1; }));
    CHECK(source.begun == kFetchThreads + 1);
}

TEST_CASE("a stop gives up what is under way and tells nobody") {
    Source source;
    Ears ears;
    TaskFetches fetches;
    fetches.begin({alloc_id(1), "t"}, source.fetching("web:1"), ears.waiter("one"));
    REQUIRE(eventually([&] { return ears.count("one half") == 1; }));
    fetches.stop();
    CHECK(source.given_up == 1);
    fetches.begin({alloc_id(2), "t"}, source.fetching("web:1"), ears.waiter("two"));
    CHECK(ears.size() == 1);
}

}  // namespace gaggle::allocrunner
