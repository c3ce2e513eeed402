#include <doctest/doctest.h>

#include <algorithm>

#include "allocrunner/runner.h"
#include "base/wire.h"
#include "tests/allocrunner/fake_world.h"

namespace gaggle::allocrunner {

namespace {

const AllocId kOne = alloc_id(1);

}  // namespace

TEST_CASE("an agent that starts again adopts its running task as it is") {
    FakeWorld world;
    world.orders({order_of(1)});
    const AllocStatus before = world.status(kOne);
    world.story.clear();
    world.restart_agent(false);
    world.wait(1min);
    world.orders({order_of(1)});
    CHECK(world.story.empty());
    CHECK(world.status(kOne).client == ClientStatus::running);
    CHECK(world.status(kOne).tasks == before.tasks);
}

TEST_CASE("a task that ended while no agent was there starts again once its order is confirmed") {
    FakeWorld world;
    world.orders({order_of(1)});
    world.agent_down = true;
    world.exit(kOne, "main", 1);
    world.story.clear();
    world.restart_agent(false);
    world.wait(1min);
    CHECK(world.story.empty());
    world.orders({order_of(1)});
    CHECK(world.story == Story{"start 1/main run 2"});
    CHECK(world.events(kOne, "main") ==
          "Received, Task Setup, Started, Terminated, Restarting, Started");
}

TEST_CASE("a task whose supervisor is silent runs on, and is heard of later") {
    FakeWorld world;
    world.orders({order_of(1)});
    for (const std::uint64_t known_run : {1U, 0U}) {  // 0: its record cannot be read either
        CAPTURE(known_run);
        world.runner = Runner(Host{}, Config{}, Rng(1));
        world.story.clear();
        const FoundTask found{"main", known_run, 0, {}, {}, false};
        world.feed({world.wall(), Recovered{{{kOne, order_of(1), {}, {found}}}}});
        world.orders({order_of(1)});
        world.wait(1h);
        CHECK(world.story.empty());
        CHECK(world.status(kOne).client == ClientStatus::running);
        SUBCASE("it answers") {
            world.feed({world.wall(), TaskStarted{kOne, "main", 7, 123}});
            CHECK(world.status(kOne).tasks.at("main").pid == 123);
            world.feed({world.wall(), TaskExited{kOne, "main", 6, {}}});
            CHECK(world.status(kOne).client == ClientStatus::running);
            world.feed({world.wall(), TaskExited{kOne, "main", 7, {}}});
        }
        SUBCASE("it goes without a word") {
            world.feed({world.wall(), TaskExited{kOne, "main", known_run, {}}});
        }
        CHECK(world.status(kOne).client == ClientStatus::pending);
        CHECK(world.status(kOne).tasks.at("main").restarts == 1);
    }
}

TEST_CASE("an exit that was dealt with before the agent fell is not dealt with twice") {
    FakeWorld world;
    world.orders({order_of(1)});
    world.exit(kOne, "main", 1);
    world.restart_agent(false);
    world.orders({order_of(1)});
    CHECK(world.status(kOne).tasks.at("main").restarts == 1);
}

TEST_CASE("after a reboot tasks start when confirmed, or when nobody can be reached") {
    for (const bool alone : {false, true}) {
        CAPTURE(alone);
        FakeWorld world;
        world.orders({order_of(1)});
        world.story.clear();
        world.restart_agent(true);
        world.wait(1min);
        CHECK(world.story.empty());
        if (alone)
            world.start_unconfirmed();
        else
            world.orders({order_of(1)});
        CHECK(world.story == Story{"start 1/main run 2"});
    }
}

TEST_CASE("a fenced task never starts without the group") {
    FakeWorld world;
    Order order = order_of(1);
    order.group.disconnect = DisconnectStrategy{.stop_on_client_after = 1min};
    world.orders({order});
    world.story.clear();
    world.restart_agent(true);
    world.start_unconfirmed();
    world.wait(1h);
    CHECK(world.story.empty());
    world.orders({order});
    CHECK(world.story == Story{"start 1/main run 2"});
}

TEST_CASE("an allocation replaced while its peer was away is stopped, never started again") {
    for (const bool reboot : {false, true}) {
        CAPTURE(reboot);
        FakeWorld world;
        world.orders({order_of(1)});
        world.restart_agent(reboot);
        world.story.clear();
        world.orders({});
        CHECK(world.story == (reboot ? Story{} : Story{"signal 1/main 2"}));
        CHECK(world.status(kOne).client == ClientStatus::complete);
    }
}

TEST_CASE("restarts used up stay used up when the agent starts again") {
    FakeWorld world;
    world.orders({order_of(1)});
    for (int round = 0; round < 2; ++round) {
        world.exit(kOne, "main", 1);
        world.wait(20s);
    }
    world.restart_agent(false);
    world.orders({order_of(1)});
    world.exit(kOne, "main", 1);
    CHECK(world.status(kOne).client == ClientStatus::failed);
}

TEST_CASE("the delay before a restart is waited out, also when the agent starts again meanwhile") {
    struct Row {
        const char* what;
        bool reboot;
        Duration away;   ///< between the agents
        Duration clock;  ///< the wall clock is set by that much meanwhile
        Duration least, most;
    };
    for (const auto& row :
         {Row{"at once", false, 0s, 0s, 12s, 17s}, Row{"after a reboot", true, 0s, 0s, 12s, 17s},
          Row{"part of it has passed", false, 7s, 0s, 5s, 10s},
          Row{"all of it has passed", false, 1min, 0s, 0s, 0s},
          Row{"a clock set back", false, 0s, -24h, 15s, 19s},
          Row{"a clock set forward", false, 0s, 24h, 0s, 0s}}) {
        CAPTURE(row.what);
        FakeWorld world;  // its restart delay is 15 s and up to a quarter more
        world.orders({order_of(1)});
        world.exit(kOne, "main", 1);
        world.wait(3s);
        world.story.clear();
        world.now += row.away;
        world.clock_set += row.clock;
        world.restart_agent(row.reboot);
        world.orders({order_of(1)});
        if (row.least > 0s) {
            world.wait(row.least - 1us);
            CHECK(world.story.empty());
            CHECK(world.status(kOne).client == ClientStatus::pending);
            world.wait(row.most - row.least + 1us);
        }
        CHECK(world.story == Story{"start 1/main run 2"});
        CHECK(world.status(kOne).tasks.at("main").restarts == 1);
    }
}

TEST_CASE("a stop under way when the agent fell goes on when it is back") {
    FakeWorld world;
    world.ignore_signals = true;
    world.orders({order_of(1)});
    world.orders({stopped(order_of(1))});
    world.restart_agent(false);
    world.wait(5s);
    CHECK(world.status(kOne).client == ClientStatus::complete);
    CHECK(world.process(kOne, "main") == nullptr);
}

TEST_CASE("a damaged order file does not cost the running task") {
    FakeWorld world;
    world.orders({order_of(1)});
    const auto process = *world.process(kOne, "main");
    const Recovered recovered{{{.alloc = kOne,
                                .order = std::nullopt,
                                .state = {},
                                .tasks = {{"main", process.run, process.pid, world.wall(), {}}}}}};
    for (const bool named : {true, false}) {
        CAPTURE(named);
        world.runner = Runner(Host{}, Config{}, Rng(1));
        world.story.clear();
        world.feed({world.wall(), recovered});
        if (named) world.orders({order_of(1)});
        if (named) CHECK(world.status(kOne).tasks.at("main").pid == process.pid);
        if (!named) world.orders({});
        CHECK(world.story == (named ? Story{} : Story{"kill 1/main"}));
    }
}

TEST_CASE("a directory with a damaged order that nobody names is kept for a day, then removed") {
    FakeWorld world;
    const FoundTask alive{"main", 1, 100, {}, {}};
    world.feed({world.wall(), Recovered{{{kOne, {}, {}, {alive}}}}});
    world.wait(1min);
    CHECK(world.story.empty());
    Order heir = order_of(2);
    heir.restore = {Restore::Kind::from_alloc, kOne};
    world.orders({heir});
    CHECK(world.story == Story{"kill 1/main"});  // the heir waits: it may still write
    SUBCASE("it dies") {
        world.feed({world.wall(), TaskExited{kOne, "main", 1, {.signal = 9}}});
        CHECK(world.story == Story{"kill 1/main", "dir 2", "start 2/main run 1"});
        CHECK(world.torn_down == 1);  // a day is long for its network and its secrets
        world.orders({heir});
        CHECK(world.torn_down == 1);
        world.wait(23h);
        CHECK(world.story.size() == 3);
        world.wait(1h);
        CHECK(world.story.back() == "remove 1");
        world.wait(48h);
        CHECK(world.story.size() == 4);
    }
    SUBCASE("it dies, and what was set up around it does not go at once") {
        world.tear_down_error = "unmount /x: busy";
        world.feed({world.wall(), TaskExited{kOne, "main", 1, {.signal = 9}}});
        CHECK(world.torn_down == 1);
        world.wait(6s);
        CHECK(world.torn_down == 3);
        world.tear_down_error.reset();
        world.wait(1h);
        CHECK(world.torn_down == 4);
    }
    SUBCASE("while it lives its directory stays, and it is killed again and again") {
        world.wait(1min);
        CHECK(world.story == Story(7, "kill 1/main"));
        world.wait(48h);
        CHECK(world.story.back() == "kill 1/main");
        CHECK(world.torn_down == 0);
    }
    SUBCASE("somebody names it after all") {
        world.feed({world.wall(), TaskExited{kOne, "main", 1, {.signal = 9}}});
        world.orders({order_of(1)});
        world.wait(48h);
        CHECK(world.process(kOne, "main")->run == 2);
        CHECK(std::count(world.story.begin(), world.story.end(), "remove 1") == 0);
    }
}

TEST_CASE("a damaged state file is survived, whatever its bytes") {
    FakeWorld world;
    world.orders({order_of(1)});
    AllocRecord record;
    record.tasks["main"] = {.run = 1};
    const Bytes good = encode(record);
    Rng rng(3);
    for (int round = 0; round < 20'000; ++round) {
        Bytes bytes = good;
        for (int flips = 0; flips < 3; ++flips)
            bytes[rng.below(bytes.size())] = static_cast<std::uint8_t>(rng.next());
        Runner runner(Host{}, Config{}, Rng(1));
        const Recovered recovered{
            {{.alloc = kOne, .order = order_of(1), .state = bytes, .tasks = {}}}};
        (void)runner.step(TimePoint(1h), {world.wall(), recovered});
        (void)runner.step(TimePoint(2h), {world.wall(), Orders{{order_of(1)}}});
        CHECK(runner.status(kOne) != nullptr);
    }
}

TEST_CASE("a damaged state file costs the history of restarts, not the task and its network") {
    FakeWorld world;
    world.network = AllocNetwork{.mode = "bridge",
                                 .status = {.interface = "eth0", .ip = "172.26.64.2"},
                                 .tasks = {.netns = "/run/netns/one"}};
    Order order = order_of(1);
    order.ports = {{"http", 20001, 80}};
    order.group.services = {{.name = "web", .port = "http", .address_mode = "alloc"}};
    world.orders({order});
    world.exit(kOne, "main", 1);
    world.wait(20s);
    world.state_damaged = true;
    world.story.clear();
    world.restart_agent(false);
    world.orders({order});
    CHECK(world.story.empty());
    CHECK(world.status(kOne).client == ClientStatus::running);
    CHECK(world.status(kOne).tasks.at("main").restarts == 0);
    CHECK(world.status(kOne).tasks.at("main").events[2].message.starts_with(
        "History of restarts is lost: decode state of an allocation"));
    REQUIRE(world.runner.services(kOne)->size() == 1);
    CHECK(world.runner.services(kOne)->front().address == "172.26.64.2");
    world.exit(kOne, "main", 1);
    world.wait(20s);
    CHECK(world.last_spec.at(kOne).network.netns == "/run/netns/one");
}

TEST_CASE("main tasks wait for the migration that was begun again, also over a reboot") {
    FakeWorld world;
    Order order = order_of(1);
    Task init = order.group.tasks.front();
    init.name = "init";
    init.lifecycle = Lifecycle{.hook = Lifecycle::Hook::prestart};
    order.group.tasks.push_back(init);
    world.orders({order});
    world.exit(kOne, "init", 0);
    world.feed({world.wall(),
                TaskCommand{.alloc = kOne, .kind = TaskCommand::Kind::restart_all}});
    REQUIRE(world.process(kOne, "init") != nullptr);
    for (const bool reboot : {false, true}) {
        world.restart_agent(reboot);
        world.orders({order});
        CHECK(world.process(kOne, "init") != nullptr);
        CHECK(world.process(kOne, "main") == nullptr);
    }
    world.exit(kOne, "init", 0);
    CHECK(world.process(kOne, "main") != nullptr);
}

}  // namespace gaggle::allocrunner
