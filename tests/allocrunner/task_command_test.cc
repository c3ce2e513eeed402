// What people, templates and the disk's watcher do to running tasks, and tasks that are set up.
#include <doctest/doctest.h>

#include "tests/allocrunner/fake_world.h"

namespace gaggle::allocrunner {

namespace {

using Kind = TaskCommand::Kind;

const AllocId kOne = alloc_id(1);
constexpr std::uint64_t kMegaByte = 1U << 20U;

Order with_template(Order order) {
    Template text;
    text.data = "x";
    text.destination = "local/x";
    order.group.tasks[0].templates = {text};
    return order;
}

void command(FakeWorld& world, TaskCommand what) {
    what.alloc = kOne;
    REQUIRE_FALSE(world.runner.objection(what).has_value());
    world.feed({world.wall(), what});
}

void disk(FakeWorld& world, std::uint64_t used_mb) {
    world.feed({world.wall(), DiskFound{kOne, used_mb * kMegaByte, 100 * kMegaByte}});
}

}  // namespace

TEST_CASE("a restart that was asked for is polite, at once, and does not count") {
    FakeWorld world;
    Order order = order_of(1);
    order.group.tasks[0].restart.attempts = 0;
    world.orders({order});
    world.story.clear();
    for (std::uint64_t run = 2; run < 6; ++run) {
        command(world, {.task = "main"});
        CHECK(world.process(kOne, "main")->run == run);
    }
    CHECK(Story(world.story.begin(), world.story.begin() + 2) ==
          Story{"signal 1/main 2", "start 1/main run 2"});
    CHECK(world.status(kOne).tasks.at("main").restarts == 4);
    const auto& events = world.status(kOne).tasks.at("main").events;
    CHECK(events[6].message == "User requested task to restart");
    CHECK(events[8].message == "Task restarting in 0s");
    CHECK(world.events(kOne, "main").ends_with(
        "Restart Signaled, Terminated, Restarting, Started"));
}

TEST_CASE("a task that ignores the signal of its restart is killed after its kill timeout") {
    FakeWorld world;
    world.ignore_signals = true;
    world.orders({order_of(1)});
    command(world, {.task = "main"});
    world.wait(4s);
    CHECK(world.process(kOne, "main")->run == 1);
    world.wait(2s);
    CHECK(world.process(kOne, "main")->run == 2);
}

TEST_CASE("no task may take longer to end than its peer allows") {
    FakeWorld world;
    world.ignore_signals = true;
    Order order = order_of(1);
    order.group.tasks[0].kill_timeout = 10h;
    world.orders({order});
    world.orders({});
    CHECK(world.status(kOne).tasks.at("main").events.back().details.at("kill_timeout") == "30.0s");
    world.wait(31s);
    CHECK(world.process(kOne, "main") == nullptr);
}

TEST_CASE("a stop during a restart is a stop") {
    FakeWorld world;
    world.ignore_signals = true;
    world.orders({order_of(1)});
    command(world, {});
    world.orders({});
    world.wait(10s);
    CHECK(world.process(kOne, "main") == nullptr);
    CHECK(world.status(kOne).client == ClientStatus::complete);
    CHECK(world.events(kOne, "main") ==
          "Received, Task Setup, Started, Restart Signaled, Killing, Terminated, Killed");
}

TEST_CASE("a restart that was asked for goes on over a start of the agent") {
    FakeWorld world;
    world.ignore_signals = true;
    Order order = order_of(1);
    order.group.tasks[0].restart.attempts = 0;
    world.orders({order});
    command(world, {});
    world.agent_down = true;
    world.exit(kOne, "main", 1);
    world.restart_agent(false);
    world.orders({order});
    REQUIRE(world.process(kOne, "main") != nullptr);
    CHECK(world.process(kOne, "main")->run == 2);
}

TEST_CASE("a restart of all runs the hooks again, in their order") {
    FakeWorld world;
    Order order = with_task(order_of(1), "init");
    order.group.tasks[1].lifecycle = Lifecycle{.hook = Lifecycle::Hook::prestart};
    world.orders({order});
    world.exit(kOne, "init", 0);
    world.story.clear();
    command(world, {.kind = Kind::restart_all});
    CHECK(world.story == Story{"signal 1/main 2", "start 1/init run 2"});
    CHECK(world.process(kOne, "main") == nullptr);
    world.exit(kOne, "init", 0);
    CHECK(world.story.back() == "start 1/main run 2");
    CHECK(world.status(kOne).client == ClientStatus::running);
}

TEST_CASE("a signal goes to the task that is named, or to all") {
    FakeWorld world;
    world.ignore_signals = true;
    world.orders({with_task(order_of(1), "other")});
    world.story.clear();
    command(world, {.task = "other", .kind = Kind::signal, .signal = 1});
    CHECK(world.story == Story{"signal 1/other 1"});
    CHECK(world.status(kOne).tasks.at("other").events.back().message ==
          "Task being sent signal SIGHUP");
    command(world, {.kind = Kind::signal, .signal = 10});
    CHECK(world.story == Story{"signal 1/other 1", "signal 1/main 10", "signal 1/other 10"});
}

TEST_CASE("what a command cannot do is said before it is given") {
    FakeWorld world;
    world.orders({order_of(1, JobType::batch)});
    const auto objection = [&](TaskCommand what) { return world.runner.objection(what); };
    CHECK(objection({.alloc = alloc_id(9)}) == "it is not (or no longer) on this peer");
    CHECK(objection({.alloc = kOne, .task = "nobody"}) == "it has no task \"nobody\"");
    CHECK_FALSE(objection({.alloc = kOne}).has_value());
    world.exit(kOne, "main", 0);
    CHECK(objection({.alloc = kOne}) == "the allocation has ended");
}

TEST_CASE("the disk's limit is warned of once, and enforced for good") {
    FakeWorld world;
    const Order order = with_task(order_of(1), "other");
    world.orders({order});
    disk(world, 79);
    CHECK(world.events(kOne, "main") == "Received, Task Setup, Started");
    disk(world, 81);
    disk(world, 90);
    CHECK(world.events(kOne, "main") == "Received, Task Setup, Started, Disk Resources High");
    world.story.clear();
    disk(world, 101);
    CHECK(world.story == Story{"kill 1/main", "kill 1/other"});
    CHECK(world.status(kOne).client == ClientStatus::failed);
    CHECK(world.status(kOne).for_good);
    CHECK(world.events(kOne, "other") ==
          "Received, Task Setup, Started, Disk Resources High, Disk Resources Exceeded, "
          "Terminated, Killed");
    world.wait(1h);
    world.restart_agent(false);
    world.orders({order});
    CHECK(world.process(kOne, "main") == nullptr);
    CHECK(world.status(kOne).for_good);
}

TEST_CASE("nothing more runs of what is over its disk's limit, not even what comes last") {
    FakeWorld world;
    Order order = with_task(order_of(1), "cleanup");
    order.group.tasks[1].lifecycle = Lifecycle{.hook = Lifecycle::Hook::poststop};
    world.orders({order});
    world.story.clear();
    disk(world, 101);
    CHECK(world.story == Story{"kill 1/main"});
    CHECK(world.status(kOne).client == ClientStatus::failed);
    CHECK(world.status(kOne).tasks.at("cleanup").phase == TaskPhase::dead);
}

TEST_CASE("a task is set up before each of its runs, and what it brings is in the environment") {
    FakeWorld world;
    world.set_up_env = {{"DB", "10.0.0.1"}};
    world.orders({with_template(order_of(1))});
    CHECK(world.story == Story{"dir 1", "set up 1/main run 1 first", "start 1/main run 1"});
    CHECK(world.last_spec.at(kOne).env.at("DB") == "10.0.0.1");
    world.story.clear();
    command(world, {});
    CHECK(world.story ==
          Story{"signal 1/main 2", "set up 1/main run 2 again", "start 1/main run 2"});
    world.orders({});
    CHECK(world.story.back() == "end set-up 1/main");
}

TEST_CASE("a set-up that fails is tried again when that may help, by the restart policy") {
    FakeWorld world;
    world.set_up_failure = SetUpFailure{
        {.kind = SetUpEvent::Kind::download_failed, .text = "get http://x/y: timed out"}, true};
    world.orders({with_template(order_of(1))});
    CHECK(world.events(kOne, "main") ==
          "Received, Task Setup, Failed Artifact Download, Restarting");
    world.set_up_failure.reset();
    world.wait(20s);
    REQUIRE(world.process(kOne, "main") != nullptr);
    CHECK(world.story == Story{"dir 1", "set up 1/main run 1 first", "set up 1/main run 1 first",
                               "start 1/main run 1"});

    FakeWorld other;
    other.set_up_failure =
        SetUpFailure{{.kind = SetUpEvent::Kind::failed, .text = "template x: no such file"}, false};
    other.orders({with_template(order_of(1))});
    CHECK(other.status(kOne).client == ClientStatus::failed);
    CHECK(other.events(kOne, "main") ==
          "Received, Task Setup, Setup Failure, Not Restarting");
}

TEST_CASE("templates of an adopted task are watched again, without a new start") {
    FakeWorld world;
    const Order order = with_template(order_of(1));
    world.orders({order});
    world.story.clear();
    world.restart_agent(false);
    world.orders({order});
    CHECK(world.story == Story{"set up 1/main run 1 adopted"});
}

TEST_CASE("a template that changed restarts, signals or fails its task") {
    FakeWorld world;
    world.ignore_signals = true;
    world.orders({with_template(order_of(1))});
    world.story.clear();
    world.feed({world.wall(), TemplatesChanged{kOne, "main", false, {1}, {}}});
    CHECK(world.story == Story{"signal 1/main 1"});
    world.feed({world.wall(), TemplatesChanged{kOne, "main", true, {}, {}}});
    world.wait(6s);
    CHECK(world.process(kOne, "main")->run == 2);
    world.feed({world.wall(), TemplatesChanged{kOne, "main", false, {}, "script: exit code 1"}});
    CHECK(world.status(kOne).client == ClientStatus::failed);
}

TEST_CASE("a template that changes while its task is being started is not lost") {
    struct Row {
        const char* what;
        TemplatesChanged changed;
        Story story;
    };
    const Row rows[] = {
        {"restart", {kOne, "main", true, {}, {}},
         {"signal 1/main 2", "set up 1/main run 2 again", "start 1/main run 2"}},
        {"signal", {kOne, "main", false, {1}, {}}, {"signal 1/main 1"}},
    };
    for (const Row& row : rows) {
        for (const bool agent_dies : {false, true}) {
            if (agent_dies && !row.changed.restart) continue;
            CAPTURE(row.what);
            CAPTURE(agent_dies);
            FakeWorld world;
            world.ignore_signals = !row.changed.restart;
            Order order = with_template(order_of(1));
            order.group.tasks[0].restart.attempts = 0;
            world.hold_starts = true;  // its image takes a while
            world.orders({order});
            world.feed({world.wall(), row.changed});
            world.story.clear();
            world.hold_starts = false;
            world.agent_down = agent_dies;
            world.begin(kOne, "main", 1);
            if (agent_dies) world.restart_agent(false);
            if (agent_dies) world.orders({order});
            std::erase(world.story, "set up 1/main run 1 adopted");
            CHECK(world.story == row.story);
            CHECK(world.status(kOne).client == ClientStatus::running);
        }
    }
}

TEST_CASE("a restart of all takes along what is only being started") {
    FakeWorld world;
    world.hold_starts = true;
    world.orders({with_task(order_of(1), "slow")});
    world.begin(kOne, "main", 1);
    world.hold_starts = false;
    world.story.clear();
    command(world, {.kind = Kind::restart_all});
    CHECK(world.story == Story{"signal 1/main 2"});
    world.begin(kOne, "slow", 1);
    CHECK(world.story == Story{"signal 1/main 2", "signal 1/slow 2", "start 1/main run 2",
                               "start 1/slow run 2"});
}

TEST_CASE("a network of its own is in the environment, also after a start of the agent") {
    FakeWorld world;
    world.network = AllocNetwork{.mode = "bridge",
                                 .status = {.interface = "eth0", .ip = "172.26.64.2"},
                                 .tasks = {.netns = "/run/netns/one"}};
    Order order = order_of(1);
    order.ports = {{"http", 20001, 80}};
    world.orders({order});
    CHECK(world.last_spec.at(kOne).network.netns == "/run/netns/one");
    world.restart_agent(false);
    world.orders({order});
    command(world, {});
    const auto& env = world.last_spec.at(kOne).env;
    CHECK(env.at("NOMAD_ALLOC_ADDR_http") == "172.26.64.2:80");
    CHECK(env.at("NOMAD_ALLOC_INTERFACE_http") == "eth0");
    CHECK(env.at("NOMAD_ADDR_http") == "127.0.0.1:20001");
    CHECK(world.runner.network(kOne)->mode == "bridge");
}

}  // namespace gaggle::allocrunner
