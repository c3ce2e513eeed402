// The agent dies between any two pieces of work, and the next one goes on: nothing runs twice at a
// time (the fake world refuses it), nothing is lost, and it all ends where it would have ended.
#include <doctest/doctest.h>

#include <algorithm>
#include <functional>

#include "allocrunner/runner.h"
#include "tests/allocrunner/fake_world.h"

namespace gaggle::allocrunner {

namespace {

using Hook = Lifecycle::Hook;
using Kind = TaskCommand::Kind;

const AllocId kOne = alloc_id(1);

/// No restart by policy, so that one too many shows.
Order strict(Order order) {
    for (Task& task : order.group.tasks) task.restart.attempts = 0;
    return order;
}

AllocNetwork bridge() {
    return {.mode = "bridge",
            .status = {.interface = "eth0", .ip = "172.26.64.2"},
            .tasks = {.netns = "/run/netns/one"}};
}

struct Script {
    std::function<void(FakeWorld&)> before;  ///< with nothing cut
    std::function<void(FakeWorld&)> act;     ///< cut after each piece of work
    std::function<void(FakeWorld&)> after;   ///< what the world says to the next agent
    std::function<void(FakeWorld&)> check;
};

/// With every number of pieces that the agent carries out before it dies, up to all of them.
void cut_everywhere(const Script& script) {
    for (int cut = 0;; ++cut) {
        CAPTURE(cut);
        FakeWorld world;
        script.before(world);
        const int before = world.pieces;
        world.dies_after = before + cut;
        script.act(world);
        const bool survived = !world.agent_down;
        if (!survived) {
            world.restart_agent(false);
            script.after(world);
        }
        world.dies_after.reset();
        world.wait(1h);
        script.check(world);
        if (!survived) continue;
        CHECK(cut > 0);  // there was something to cut
        return;
    }
}

bool begun(const FakeWorld& world, const std::string& what) {
    return std::find(world.story.begin(), world.story.end(), what) != world.story.end();
}

}  // namespace

TEST_CASE("cut while a group with a network of its own starts") {
    const Order order = strict(with_hook(order_of(1), "beside", Hook::poststart));
    const auto say = [&](FakeWorld& world) { world.orders({order}); };
    cut_everywhere({.before = [](FakeWorld& world) { world.network = bridge(); },
                    .act = say,
                    .after = say,
                    .check =
                        [](FakeWorld& world) {
                            for (const char* task : {"main", "beside"}) {
                                REQUIRE(world.process(kOne, task) != nullptr);
                                CHECK(world.process(kOne, task)->run == 1);
                            }
                            REQUIRE(world.runner.network(kOne) != nullptr);
                            CHECK(*world.runner.network(kOne) == bridge());
                            CHECK(world.last_spec.at(kOne).network.netns == "/run/netns/one");
                        }});
}

TEST_CASE("cut while a task is restarted because somebody asked for it") {
    const Order order = strict(order_of(1));
    const auto say = [&](FakeWorld& world) { world.orders({order}); };
    cut_everywhere({.before = say,
                    .act =
                        [](FakeWorld& world) {
                            world.feed({world.wall(), TaskCommand{.alloc = kOne}});
                        },
                    .after = say,
                    .check =
                        [](FakeWorld& world) {
                            CHECK(world.status(kOne).client == ClientStatus::running);
                            CHECK(world.process(kOne, "main") != nullptr);
                            CHECK_FALSE(begun(world, "start 1/main run 3"));
                        }});
}

TEST_CASE("cut while a task is killed over its disk's limit") {
    const Order order = order_of(1);
    const auto say = [&](FakeWorld& world) { world.orders({order}); };
    const auto full = [](FakeWorld& world) {
        world.feed({world.wall(), DiskFound{kOne, 101U << 20U, 100U << 20U}});
    };
    cut_everywhere({.before = say,
                    .act = full,
                    .after =
                        [&](FakeWorld& world) {
                            say(world);
                            if (world.process(kOne, "main") != nullptr) full(world);
                        },
                    .check =
                        [](FakeWorld& world) {
                            CHECK(world.status(kOne).client == ClientStatus::failed);
                            CHECK(world.status(kOne).for_good);
                            CHECK_FALSE(begun(world, "start 1/main run 2"));
                        }});
}

TEST_CASE("cut while all tasks are restarted in the order of their hooks") {
    const Order order = strict(with_hook(order_of(1), "init", Hook::prestart));
    const auto say = [&](FakeWorld& world) { world.orders({order}); };
    cut_everywhere(
        {.before =
             [&](FakeWorld& world) {
                 say(world);
                 world.exit(kOne, "init", 0);
             },
         .act =
             [](FakeWorld& world) {
                 world.feed({world.wall(), TaskCommand{.alloc = kOne, .kind = Kind::restart_all}});
             },
         .after = say,
         .check =
             [](FakeWorld& world) {
                 if (world.process(kOne, "init") != nullptr) {
                     CHECK(world.process(kOne, "main") == nullptr);  // it waits for the migration
                     world.exit(kOne, "init", 0);
                 }
                 CHECK(world.status(kOne).client == ClientStatus::running);
                 CHECK(world.process(kOne, "main") != nullptr);
                 CHECK_FALSE(begun(world, "start 1/init run 3"));  // migrations run once
                 CHECK_FALSE(begun(world, "start 1/main run 3"));
             }});
}

TEST_CASE("cut while an allocation is stopped") {
    const Order order = with_hook(order_of(1), "report", Hook::poststop);
    const auto stop = [](FakeWorld& world) { world.orders({}); };
    cut_everywhere({.before = [&](FakeWorld& world) { world.orders({order}); },
                    .act = stop,
                    .after = stop,
                    .check =
                        [](FakeWorld& world) {
                            if (world.process(kOne, "report") != nullptr)
                                world.exit(kOne, "report", 0);
                            CHECK(world.process(kOne, "main") == nullptr);
                            CHECK(begun(world, "start 1/report run 1"));
                            CHECK_FALSE(begun(world, "start 1/main run 2"));
                            CHECK(world.status(kOne).client == ClientStatus::complete);
                        }});
}

}  // namespace gaggle::allocrunner
