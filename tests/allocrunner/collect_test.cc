// Which finished allocations a Runner lets go before their time.
#include <doctest/doctest.h>

#include <algorithm>

#include "tests/allocrunner/fake_world.h"

namespace gaggle::allocrunner {
namespace {

TEST_CASE("when the disk fills, a tenth of what is finished goes at a time, the oldest first") {
    FakeWorld world;
    for (std::uint8_t number = 1; number <= 20; ++number) {
        world.orders({order_of(number)});
        world.wait(1s);
    }
    world.orders({});
    world.wait(1min);
    world.story.clear();
    world.feed({world.wall(), HostDisk{.used_percent = 80, .inodes_percent = 70}});
    world.wait(1min);
    CHECK(world.story.empty());
    world.feed({world.wall(), HostDisk{.used_percent = 81, .inodes_percent = 10}});
    CHECK(world.story == std::vector<std::string>{"remove 1", "remove 2", "remove 3"});
    CHECK(world.removed_for == "the disk is 81 % full, over 80 %");
    world.wait(6s);
    CHECK(world.story.size() == 5);
    world.feed({world.wall(), HostDisk{.used_percent = 50, .inodes_percent = 71}});
    world.wait(5s);
    CHECK(world.story.size() == 7);
    CHECK(world.removed_for == "the disk's inodes are 71 % full, over 70 %");
    world.feed({world.wall(), HostDisk{.used_percent = 50, .inodes_percent = 10}});
    world.wait(1min);
    CHECK(world.story.size() == 7);
}

TEST_CASE("all that is finished goes when somebody asks for it, and what runs stays") {
    FakeWorld world;
    world.orders({order_of(1), order_of(2)});
    world.orders({order_of(2)});
    world.story.clear();
    world.feed({world.wall(), CollectFinished{}});
    CHECK(world.story == std::vector<std::string>{"remove 1"});
    CHECK(world.runner.status(alloc_id(1)) == nullptr);
    REQUIRE(world.runner.status(alloc_id(2)) != nullptr);
    world.feed({world.wall(), CollectFinished{alloc_id(2)}});
    CHECK(world.story.size() == 1);
}

TEST_CASE("a directory that does not go is removed again, less and less often, until it goes") {
    FakeWorld world;
    world.remove_error = "remove /x: operation not permitted";
    world.orders({order_of(1)});
    world.orders({});
    world.feed({world.wall(), CollectFinished{}});
    const auto tries = [&] {
        return std::count(world.story.begin(), world.story.end(), "remove 1");
    };
    CHECK(tries() == 1);
    world.wait(14s);
    CHECK(tries() == 4);
    CHECK(world.removed_for == "somebody asked for it; it did not go before");
    CHECK_FALSE(world.runner.objection(CollectFinished{alloc_id(1)}).has_value());
    world.feed({world.wall(), CollectFinished{alloc_id(1)}});  // somebody has mended it
    CHECK(tries() == 5);
    SUBCASE("it goes") {
        world.remove_error.reset();
        world.wait(1h);
        CHECK(tries() == 6);
        CHECK(world.runner.objection(CollectFinished{alloc_id(1)}).value_or("") ==
              "it is not (or no longer) on this peer");
    }
    SUBCASE("it is ordered anew: that one needs it") {
        world.orders({order_of(1)});
        world.wait(1h);
        CHECK(tries() == 5);
        CHECK(world.process(alloc_id(1), "main") != nullptr);
    }
}

TEST_CASE("why one allocation cannot be collected now is said beforehand") {
    FakeWorld world;
    const auto objection = [&](std::uint8_t number) {
        return world.runner.objection(CollectFinished{alloc_id(number)}).value_or("");
    };
    CHECK(objection(1) == "it is not (or no longer) on this peer");
    CHECK_FALSE(world.runner.objection(CollectFinished{}).has_value());
    Order batch = order_of(1, JobType::batch);
    batch.group.disk.sticky = true;
    world.orders({batch});
    CHECK(objection(1) == "it has not ended; stop it, or wait for its end");
    world.exit(alloc_id(1), "main", 0);
    CHECK(objection(1).starts_with("the region has not taken note of its end yet"));
    world.orders({});
    CHECK(objection(1).empty());
    Order next = order_of(2);
    next.restore = {.kind = Restore::Kind::from_alloc, .previous = alloc_id(1)};
    world.hold_dirs = true;
    world.orders({next});
    CHECK(objection(1) == "another allocation is about to take over its data");
    world.release_dirs();
    world.feed({world.wall(), CollectFinished{alloc_id(1)}});
    CHECK(objection(1) == "it is not (or no longer) on this peer");
}

TEST_CASE("sticky data waits for its successor, unless that very allocation is asked for") {
    FakeWorld world;
    Order sticky = order_of(1);
    sticky.group.disk.sticky = true;
    world.orders({sticky});
    world.orders({});
    world.story.clear();
    world.feed({world.wall(), HostDisk{.used_percent = 99}});
    world.feed({world.wall(), CollectFinished{}});
    world.wait(10min);
    CHECK(world.story.empty());
    SUBCASE("it is asked for") {
        world.feed({world.wall(), CollectFinished{alloc_id(1)}});
        CHECK(world.story == std::vector<std::string>{"remove 1"});
    }
    SUBCASE("an hour has passed") {
        world.wait(1h);
        world.feed({world.wall(), CollectFinished{}});
        CHECK(world.story == std::vector<std::string>{"remove 1"});
    }
    SUBCASE("its successor takes it over first") {
        Order next = order_of(2);
        next.restore = {.kind = Restore::Kind::from_alloc, .previous = alloc_id(1)};
        world.hold_dirs = true;
        world.orders({next});
        world.feed({world.wall(), CollectFinished{alloc_id(1)}});
        CHECK(world.runner.status(alloc_id(1)) != nullptr);
        world.release_dirs();
        world.feed({world.wall(), CollectFinished{alloc_id(1)}});
        CHECK(world.runner.status(alloc_id(1)) == nullptr);
    }
}

TEST_CASE("what has ended is as old after a start of the agent as it was before") {
    FakeWorld world;
    for (const std::uint8_t number : {3, 2, 1}) {  // not in the order of their ids
        world.orders({order_of(number)});
        world.orders({});
        world.wait(1h);
    }
    for (int day = 0; day < 3; ++day) {
        world.restart_agent(day == 1);
        world.orders({});
        world.wait(6h);
    }
    CHECK(world.runner.allocs().size() == 3);
    world.story.clear();
    world.feed({world.wall(), HostDisk{.used_percent = 99}});
    CHECK(world.story == std::vector<std::string>{"remove 3"});
    world.feed({world.wall(), HostDisk{.used_percent = 10}});
    world.wait(4h + 30min);
    CHECK(world.story == std::vector<std::string>{"remove 3", "remove 2"});
}

}  // namespace
}  // namespace gaggle::allocrunner
