// Hooks, leaders, sidecars: in which order the tasks of an allocation start and end.
#include <doctest/doctest.h>

#include "tests/allocrunner/fake_world.h"

namespace gaggle::allocrunner {

namespace {

using Hook = Lifecycle::Hook;

const AllocId kOne = alloc_id(1);

ClientStatus client(const FakeWorld& world) { return world.status(kOne).client; }

}  // namespace

TEST_CASE("what a task is for follows from its hook before its job's type") {
    struct Row {
        JobType type;
        std::optional<Lifecycle> lifecycle;
        Aim aim;
    };
    for (const auto& row : {Row{JobType::service, {}, Aim::to_run},
                            Row{JobType::batch, {}, Aim::to_end},
                            Row{JobType::service, Lifecycle{Hook::prestart, false}, Aim::to_end},
                            Row{JobType::batch, Lifecycle{Hook::prestart, true}, Aim::to_run},
                            Row{JobType::batch, Lifecycle{Hook::poststart, true}, Aim::to_run},
                            Row{JobType::service, Lifecycle{Hook::poststart, false}, Aim::to_end},
                            Row{JobType::service, Lifecycle{Hook::poststop, false}, Aim::to_end}}) {
        Task task;
        task.lifecycle = row.lifecycle;
        CHECK(aim_of(row.type, role_of(task)) == row.aim);
    }
}

TEST_CASE("main tasks wait until the prestart task has ended well") {
    FakeWorld world;
    world.orders({with_hook(order_of(1), "init", Hook::prestart)});
    CHECK(world.story == Story{"dir 1", "start 1/init run 1"});
    world.exit(kOne, "init", 0);
    CHECK(world.story.back() == "start 1/main run 1");
    CHECK(client(world) == ClientStatus::running);
    CHECK(world.status(kOne).tasks.at("init").phase == TaskPhase::dead);
    CHECK_FALSE(world.status(kOne).tasks.at("init").failed);
}

TEST_CASE("a prestart task that fails is restarted by its policy, then takes the main ones along") {
    FakeWorld world;
    Order order = with_hook(order_of(1), "init", Hook::prestart);
    order.group.tasks[1].restart.attempts = 1;
    world.orders({order});
    world.exit(kOne, "init", 2);
    CHECK(world.process(kOne, "main") == nullptr);
    world.wait(20s);
    CHECK(world.story.back() == "start 1/init run 2");
    world.exit(kOne, "init", 2);
    CHECK(client(world) == ClientStatus::failed);
    CHECK(world.events(kOne, "main") == "Received, Task Setup, Sibling Task Failed, Killed");
    CHECK(world.process(kOne, "main") == nullptr);
}

TEST_CASE("a prestart sidecar must run, and is restarted also when it ends with 0") {
    FakeWorld world;
    Order order = with_hook(order_of(1, JobType::batch), "proxy", Hook::prestart, true);
    order.group.tasks[1].restart.delay = 5s;
    world.orders({order});
    CHECK(world.story == Story{"dir 1", "start 1/proxy run 1", "start 1/main run 1"});
    world.exit(kOne, "proxy", 0);
    CHECK(world.process(kOne, "main") != nullptr);
    world.wait(10s);
    CHECK(world.story.back() == "start 1/proxy run 2");
}

TEST_CASE("a batch with sidecars is complete once its main tasks are") {
    FakeWorld world;
    Order order = with_hook(order_of(1, JobType::batch), "proxy", Hook::prestart, true);
    world.orders({with_hook(order, "metrics", Hook::poststart, true)});
    REQUIRE(world.process(kOne, "metrics") != nullptr);
    world.exit(kOne, "main", 0);
    CHECK(client(world) == ClientStatus::complete);
    CHECK(world.events(kOne, "proxy") ==
          "Received, Task Setup, Started, Main Tasks Dead, Killing, Terminated, Killed");
    CHECK(world.status(kOne).tasks.at("proxy").events[3].message ==
          "Main tasks in the group died");
}

TEST_CASE("a poststart task follows once every main task has started") {
    FakeWorld world;
    Order order = with_task(order_of(1), "second");
    order = with_hook(order, "init", Hook::prestart);
    world.orders({with_hook(order, "announce", Hook::poststart)});
    world.exit(kOne, "init", 0);
    CHECK(world.story == Story{"dir 1", "start 1/init run 1", "start 1/main run 1",
                               "start 1/second run 1", "start 1/announce run 1"});
    world.exit(kOne, "announce", 0);
    world.wait(1h);
    CHECK(world.process(kOne, "announce") == nullptr);  // it is there to end
    CHECK(client(world) == ClientStatus::running);
}

TEST_CASE("a poststop task runs when all others are dead, and the allocation ends after it") {
    FakeWorld world;
    const Order order = with_hook(order_of(1), "cleanup", Hook::poststop);
    world.orders({order});
    CHECK(world.process(kOne, "cleanup") == nullptr);
    world.orders({stopped(order)});
    CHECK(world.story == Story{"dir 1", "start 1/main run 1", "signal 1/main 2",
                               "start 1/cleanup run 1"});
    CHECK_FALSE(is_terminal(client(world)));
    world.exit(kOne, "cleanup", 0);
    CHECK(client(world) == ClientStatus::complete);
}

TEST_CASE("a poststop task runs also after a failure, and never when nothing ran") {
    FakeWorld world;
    Order order = with_hook(order_of(1), "cleanup", Hook::poststop);
    order.group.tasks[0].restart.attempts = 0;
    world.orders({order});
    world.exit(kOne, "main", 1);
    REQUIRE(world.process(kOne, "cleanup") != nullptr);
    world.exit(kOne, "cleanup", 0);
    CHECK(client(world) == ClientStatus::failed);

    FakeWorld other;
    other.start_error = "no such executable";
    other.orders({order});
    CHECK(other.status(kOne).client == ClientStatus::failed);
    CHECK(other.story == Story{"dir 1", "start 1/main run 1"});
    CHECK_FALSE(other.status(kOne).tasks.at("cleanup").failed);
}

TEST_CASE("a stop asks the leader, then the other tasks, then the sidecars, then runs poststop") {
    FakeWorld world;
    Order order = with_task(order_of(1), "worker");
    order.group.tasks[0].leader = true;
    order.group.tasks[1].leader = false;
    order = with_hook(order, "proxy", Hook::prestart, true);
    order = with_hook(order, "cleanup", Hook::poststop);
    world.ignore_signals = true;
    world.orders({order});
    world.story.clear();
    world.orders({stopped(order)});
    CHECK(world.story == Story{"signal 1/main 2"});
    world.exit(kOne, "main", 0);
    CHECK(world.story.back() == "signal 1/worker 2");
    CHECK(world.process(kOne, "proxy") != nullptr);
    world.exit(kOne, "worker", 0);
    CHECK(world.story.back() == "signal 1/proxy 2");
    world.exit(kOne, "proxy", 0);
    CHECK(world.story.back() == "start 1/cleanup run 1");
    world.exit(kOne, "cleanup", 0);
    CHECK(client(world) == ClientStatus::complete);
}

TEST_CASE("over a start of the agent a prestart task that has ended is not run again") {
    for (const bool reboot : {false, true}) {
        CAPTURE(reboot);
        FakeWorld world;
        const Order order = with_hook(order_of(1), "init", Hook::prestart);
        world.orders({order});
        world.exit(kOne, "init", 0);
        world.story.clear();
        world.restart_agent(reboot);
        world.orders({order});
        CHECK(world.story == (reboot ? Story{"start 1/main run 2"} : Story{}));
        CHECK(world.dirs_made_again == (reboot ? 1 : 0));  // mounts and network went with the boot
        CHECK(client(world) == ClientStatus::running);
    }
}

TEST_CASE("a poststop task still runs when its turn comes while no agent is there") {
    for (const bool reboot : {false, true}) {
        CAPTURE(reboot);
        FakeWorld world;
        const Order order = with_hook(order_of(1), "cleanup", Hook::poststop);
        world.ignore_signals = true;
        world.orders({order});
        world.orders({stopped(order)});
        world.agent_down = true;
        world.exit(kOne, "main", 0);
        world.story.clear();
        world.restart_agent(reboot);
        world.orders({});  // the ledger has forgotten it meanwhile
        CHECK(world.story == Story{"start 1/cleanup run 1"});
        world.exit(kOne, "cleanup", 0);
        CHECK(client(world) == ClientStatus::complete);
    }
}

TEST_CASE("what has ended is never told to be anything else, over any start of the agent") {
    FakeWorld world;
    const Order order = order_of(1, JobType::batch);
    world.orders({order});
    world.exit(kOne, "main", 0);
    world.hold_tear_down = true;
    world.reported.clear();
    world.restart_agent(true);
    CHECK(world.reported.at(kOne).client == ClientStatus::complete);
    world.orders({order});
    CHECK(world.reported.at(kOne).client == ClientStatus::complete);
}

TEST_CASE("an allocation is over only when what was set up around it is torn down") {
    FakeWorld world;
    world.hold_tear_down = true;
    world.orders({order_of(1, JobType::batch)});
    world.exit(kOne, "main", 0);
    CHECK(world.torn_down == 1);
    CHECK(world.reported.at(kOne).client == ClientStatus::running);
    world.feed({world.wall(), TornDown{kOne, {}}});
    CHECK(world.reported.at(kOne).client == ClientStatus::complete);
}

TEST_CASE("what could not be torn down is torn down again, less and less often, until it is") {
    FakeWorld world;
    world.tear_down_error = "unmount /x: busy";
    world.orders({order_of(1, JobType::batch)});
    world.exit(kOne, "main", 0);
    CHECK(world.torn_down == 1);
    world.orders({});  // nobody names it any more, and its directory must stay all the same
    std::vector<int> tries;
    for (const Duration span : {1s, 1s, 3s, 1s, 7s, 1s, 495s, 1s, 89s}) {
        world.wait(span);
        tries.push_back(world.torn_down);
    }
    CHECK(tries == std::vector<int>{1, 2, 2, 3, 3, 4, 8, 9, 9});
    const AllocStatus& stuck = world.reported.at(kOne);
    CHECK(stuck.client == ClientStatus::running);
    CHECK(stuck.description.ends_with("is tried again: unmount /x: busy"));
    CHECK(std::count(world.story.begin(), world.story.end(), "remove 1") == 0);
    CHECK(world.events(kOne, "main").ends_with("Terminated, Task Setup"));  // said once
    CHECK(world.status(kOne).tasks.at("main").events.back().message ==
          "Tearing down: unmount /x: busy");

    SUBCASE("it goes at last") {
        world.tear_down_error.reset();
        world.wait(1s);
        CHECK(world.events(kOne, "main").ends_with("Terminated, Task Setup"));
    }
    SUBCASE("it does not go in ten minutes: the allocation is to go on elsewhere") {
        world.wait(1s);
        CHECK(world.status(kOne).tasks.at("main").events.back().message ==
              "Tearing down: unmount /x: busy; given up, and tried again with its directory");
    }
    CHECK(world.torn_down == 10);
    CHECK(world.reported.at(kOne).client == ClientStatus::complete);
    CHECK(world.reported.at(kOne).description == "All tasks have completed");
    world.wait(3600s);
    CHECK(world.torn_down == 10);
}

TEST_CASE("a new start of the agent tears down at once what the last one could not") {
    FakeWorld world;
    world.tear_down_error = "unmount /x: busy";
    world.orders({order_of(1, JobType::batch)});
    world.exit(kOne, "main", 0);
    CHECK(world.reported.at(kOne).client == ClientStatus::running);
    world.tear_down_error.reset();
    world.restart_agent(false);
    world.orders({order_of(1, JobType::batch)});
    CHECK(world.torn_down == 2);
    CHECK(world.reported.at(kOne).client == ClientStatus::complete);
}

TEST_CASE("a task that is stopped while it is being started is given up, or killed once it runs") {
    struct Row {
        bool aborted;
        const char* events;
    };
    for (const auto& row : {Row{true, "Killed"}, Row{false, "Driver Failure"}}) {
        CAPTURE(row.aborted);
        FakeWorld world;
        world.hold_starts = true;
        world.orders({order_of(1)});
        world.orders({});
        world.orders({});  // once is enough
        CHECK(std::count(world.story.begin(), world.story.end(), "abort 1/main run 1") == 1);
        CHECK_FALSE(is_terminal(world.status(kOne).client));
        world.feed({world.wall(), TaskNotStarted{kOne, "main", 1, "late", true, row.aborted}});
        CHECK(world.events(kOne, "main").ends_with(row.events));
        CHECK(world.status(kOne).client == ClientStatus::complete);
    }
}

TEST_CASE("a shutdown delay that has begun ends early when the order says so, and only then") {
    FakeWorld world;
    Order order = order_of(1);
    order.group.shutdown_delay = 1h;
    order.group.tasks[0].shutdown_delay = 1h;
    world.orders({order});
    world.orders({stopped(order)});
    world.wait(30min);
    world.story.clear();
    Order again = stopped(order);
    again.group.meta["note"] = "the same delay";
    world.orders({again});
    world.wait(30min);
    CHECK(world.story.empty());
    again.group.shutdown_delay = again.group.tasks[0].shutdown_delay = 0s;
    world.orders({again});
    CHECK(world.story == Story{"signal 1/main 2"});
    CHECK(world.events(kOne, "main")
              .ends_with("Waiting for shutdown delay, Killing, Terminated, Killed"));
}

}  // namespace gaggle::allocrunner
