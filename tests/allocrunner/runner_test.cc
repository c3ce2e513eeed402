#include "allocrunner/runner.h"

#include <doctest/doctest.h>

#include "base/wire.h"
#include "tests/allocrunner/fake_world.h"

namespace gaggle::allocrunner {

namespace {

Order with_sibling(Order order, const std::string& name, bool leader = false) {
    Task sibling = order.group.tasks.front();
    sibling.name = name;
    sibling.leader = leader;
    order.group.tasks.push_back(sibling);
    return order;
}

Order with_check(Order order) {
    order.ports = {{"http", 8080, 0}};
    order.group.services = {{.name = "web", .port = "http", .checks = {{.name = "up"}}}};
    order.group.services[0].checks[0].interval = 10s;
    return order;
}

const AllocId kOne = alloc_id(1);

}  // namespace

TEST_CASE("an order becomes a directory, then a process, and is reported as running") {
    FakeWorld world;
    world.orders({order_of(1)});
    CHECK(world.story == Story{"dir 1", "start 1/main run 1"});
    const AllocStatus& status = world.reported.at(kOne);
    CHECK(status.client == ClientStatus::running);
    CHECK(status.description == "Tasks are running");
    CHECK(status.tasks.at("main").pid == 101);
    CHECK(status.tasks.at("main").started == world.wall());
    CHECK(world.events(kOne, "main") == "Received, Task Setup, Started");
}

TEST_CASE("the same orders again change nothing and report nothing") {
    FakeWorld world;
    world.orders({order_of(1)});
    world.story.clear();
    world.reported.clear();
    world.orders({order_of(1)});
    CHECK(world.story.empty());
    CHECK(world.reported.empty());
}

TEST_CASE("a task is given its command, interpolated, and its environment") {
    FakeWorld world;
    Order order = order_of(1);
    order.ports = {{"http", 8080, 0}};
    order.group.tasks[0].config["args"] =
        Value{Value::List{Value{std::string("--listen=${NOMAD_ADDR_http}")}}};
    order.group.tasks[0].logs = {.files_max = 3, .file_size = MegaBytes{2}};
    world.orders({order});
    const TaskSpec& spec = world.last_spec.at(kOne);
    CHECK(spec.argv == std::vector<std::string>{"/bin/server", "--listen=127.0.0.1:8080"});
    CHECK(spec.env.at("NOMAD_ALLOC_NAME") == "web.front[0]");
    CHECK(spec.work_dir == "/alloc/" + to_string(kOne) + "/main");
    CHECK(spec.logs == LogSpec{.files_max = 3, .file_bytes = 2 << 20});
}

TEST_CASE("a service that ends starts again after its delay, until its attempts are used up") {
    FakeWorld world;
    world.orders({order_of(1)});
    for (std::uint64_t restart = 1; restart <= 2; ++restart) {
        world.exit(kOne, "main", 0);  // a service that ends well has ended all the same
        CHECK(world.status(kOne).client == ClientStatus::pending);
        world.wait(14s);
        CHECK(world.process(kOne, "main") == nullptr);
        world.wait(5s);
        REQUIRE(world.process(kOne, "main") != nullptr);
        CHECK(world.status(kOne).tasks.at("main").restarts == restart);
    }
    world.exit(kOne, "main", 3);
    CHECK(world.status(kOne).client == ClientStatus::failed);
    CHECK(world.status(kOne).tasks.at("main").failed);
    CHECK(world.events(kOne, "main") ==
          "Task Setup, Started, Terminated, Restarting, Started, Terminated, Restarting, "
          "Started, Terminated, Not Restarting");  // the last ten
}

TEST_CASE("a batch task that ends with 0 is complete and stays so") {
    FakeWorld world;
    world.orders({order_of(1, JobType::batch)});
    world.exit(kOne, "main", 0);
    CHECK(world.status(kOne).client == ClientStatus::complete);
    CHECK(world.status(kOne).description == "All tasks have completed");
    world.story.clear();
    world.orders({order_of(1, JobType::batch)});
    world.wait(1h);
    CHECK(world.story.empty());
}

TEST_CASE("a stop is a signal first, then time, then force") {
    FakeWorld world;
    Order order = order_of(1);
    order.group.tasks[0].kill_signal = "SIGTERM";
    order.group.tasks[0].kill_timeout = 7s;
    world.ignore_signals = true;
    world.orders({order});
    world.story.clear();
    world.orders({stopped(order)});
    CHECK(world.story == Story{"signal 1/main 15"});
    CHECK(world.status(kOne).client == ClientStatus::running);  // resources are still in use
    world.wait(6s);
    CHECK(world.process(kOne, "main") != nullptr);
    world.wait(1s);
    CHECK(world.story == Story{"signal 1/main 15", "kill 1/main"});
    CHECK(world.status(kOne).client == ClientStatus::complete);
    CHECK_FALSE(world.status(kOne).tasks.at("main").failed);
    CHECK(world.events(kOne, "main") ==
          "Received, Task Setup, Started, Killing, Terminated, Killed");
}

TEST_CASE("shutdown delays of group and task are waited before the signal") {
    FakeWorld world;
    Order order = order_of(1);
    order.group.shutdown_delay = 3s;
    order.group.tasks[0].shutdown_delay = 2s;
    world.orders({order});
    world.story.clear();
    world.orders({stopped(order)});
    world.wait(4s);
    CHECK(world.story.empty());
    world.wait(1s);
    CHECK(world.story == Story{"signal 1/main 2"});
}

TEST_CASE("an order that is no longer in the set stops its allocation; its directory is kept") {
    FakeWorld world;
    world.orders({order_of(1), order_of(2)});
    world.story.clear();
    world.orders({order_of(2)});
    CHECK(world.story == Story{"signal 1/main 2"});
    CHECK(world.status(kOne).client == ClientStatus::complete);
    world.wait(23h);
    CHECK(world.story.size() == 1);
    world.wait(1h);
    CHECK(world.story == Story{"signal 1/main 2", "remove 1"});
    CHECK(world.runner.status(kOne) == nullptr);
    CHECK(world.process(alloc_id(2), "main") != nullptr);
}

TEST_CASE("of finished allocations that nobody names, the newest fifty keep their directories") {
    FakeWorld world;
    std::vector<Order> orders;
    for (std::uint8_t number = 1; number <= 60; ++number) orders.push_back(order_of(number));
    world.orders(orders);
    while (!orders.empty()) {
        orders.erase(orders.begin());
        world.wait(1s);
        world.orders(orders);
    }
    CHECK(world.runner.allocs().size() == 50);
    CHECK(world.runner.status(alloc_id(10)) == nullptr);
    CHECK(world.runner.status(alloc_id(11)) != nullptr);
}

TEST_CASE("a stop for an allocation that never was here is complete at once") {
    FakeWorld world;
    world.orders({stopped(order_of(1))});
    CHECK(world.story.empty());
    CHECK(world.reported.at(kOne).client == ClientStatus::complete);
}

TEST_CASE("a stop that comes while the directory is made starts nothing") {
    FakeWorld world;
    world.hold_dirs = true;
    world.orders({order_of(1)});
    world.orders({stopped(order_of(1))});
    CHECK_FALSE(is_terminal(world.status(kOne).client));
    world.release_dirs();
    CHECK(world.story == Story{"dir 1"});
    CHECK(world.status(kOne).client == ClientStatus::complete);
}

TEST_CASE("a stop that comes while the task is resting ends it at once") {
    FakeWorld world;
    world.orders({order_of(1)});
    world.exit(kOne, "main", 1);
    world.orders({stopped(order_of(1))});
    CHECK(world.status(kOne).client == ClientStatus::complete);
    world.wait(1h);
    CHECK(world.process(kOne, "main") == nullptr);
}

TEST_CASE("a task that failed for good takes its siblings with it") {
    FakeWorld world;
    Order order = with_sibling(order_of(1), "side");
    order.group.tasks[0].restart.attempts = 0;
    world.orders({order});
    world.exit(kOne, "main", 1);
    CHECK(world.process(kOne, "side") == nullptr);
    CHECK(world.status(kOne).client == ClientStatus::failed);
    CHECK(world.events(kOne, "side") ==
          "Received, Task Setup, Started, Sibling Task Failed, Killing, Terminated, Killed");
}

TEST_CASE("resources count as used until the last sibling is dead") {
    FakeWorld world;
    Order order = with_sibling(order_of(1), "side");
    order.group.tasks[0].restart.attempts = 0;
    world.ignore_signals = true;
    world.orders({order});
    world.exit(kOne, "main", 1);
    CHECK(world.status(kOne).client == ClientStatus::running);
    world.wait(5s);
    CHECK(world.status(kOne).client == ClientStatus::failed);
}

TEST_CASE("when the leader is done the others are stopped and the allocation is complete") {
    FakeWorld world;
    world.orders({with_sibling(order_of(1, JobType::batch), "boss", true)});
    world.exit(kOne, "boss", 0);
    CHECK(world.process(kOne, "main") == nullptr);
    CHECK(world.status(kOne).client == ClientStatus::complete);
    CHECK(world.events(kOne, "main") ==
          "Received, Task Setup, Started, Leader Task Dead, Killing, Terminated, Killed");
}

TEST_CASE("a stop asks the leader first, and the others once it is dead") {
    FakeWorld world;
    Order order = with_sibling(with_sibling(order_of(1), "boss", true), "zeta");
    order.group.tasks[1].kill_timeout = 7s;
    world.ignore_signals = true;
    world.orders({order});
    world.story.clear();
    SUBCASE("by order, with delays") {
        order.group.shutdown_delay = 3s;
        order.group.tasks[2].shutdown_delay = 1s;
        world.orders({order});
        world.orders({stopped(order)});
        CHECK(world.story.empty());
        world.wait(3s);
        CHECK(world.story == Story{"signal 1/boss 2"});
        world.wait(7s);  // the group's delay is waited once
        CHECK(world.story == Story{"signal 1/boss 2", "kill 1/boss", "signal 1/main 2"});
        world.wait(1s);
        CHECK(world.story.back() == "signal 1/zeta 2");
    }
    SUBCASE("when a sibling failed") {
        order.group.tasks[0].restart.attempts = 0;
        world.orders({order});
        world.exit(kOne, "main", 1);
        CHECK(world.story == Story{"signal 1/boss 2"});
        world.wait(7s);
        CHECK(world.story == Story{"signal 1/boss 2", "kill 1/boss", "signal 1/zeta 2"});
    }
    SUBCASE("also when the agent starts again meanwhile") {
        world.orders({stopped(order)});
        CHECK(world.story == Story{"signal 1/boss 2"});
        world.restart_agent(false);
        CHECK(world.story == Story{"signal 1/boss 2", "signal 1/boss 2"});
        world.wait(7s);
        CHECK(world.story.back() == "signal 1/zeta 2");
    }
    world.wait(5s);
    CHECK(is_terminal(world.status(kOne).client));
    CHECK(world.process(kOne, "main") == nullptr);
    CHECK(world.process(kOne, "zeta") == nullptr);
}

TEST_CASE("a leader that does not run holds nobody up") {
    FakeWorld world;
    const Order order = with_sibling(order_of(1), "boss", true);
    world.orders({order});
    world.exit(kOne, "boss", 1);
    world.story.clear();
    world.orders({stopped(order)});
    CHECK(world.story == Story{"signal 1/main 2"});
    CHECK(world.status(kOne).client == ClientStatus::complete);
}

TEST_CASE("a missing executable fails at once, with the driver's words") {
    FakeWorld world;
    world.start_error = "find \"/bin/server\": no such file";
    world.orders({order_of(1)});
    CHECK(world.status(kOne).client == ClientStatus::failed);
    CHECK(world.events(kOne, "main") == "Received, Task Setup, Driver Failure, Not Restarting");
    CHECK(world.status(kOne).tasks.at("main").events[2].message == *world.start_error);
}

TEST_CASE("a start that may work next time is tried again by the restart policy") {
    FakeWorld world;
    world.start_error = "fork: no memory";
    world.start_error_may_pass = true;
    world.orders({order_of(1)});
    CHECK(world.status(kOne).client == ClientStatus::pending);
    world.start_error.reset();
    world.wait(20s);
    CHECK(world.status(kOne).client == ClientStatus::running);
}

TEST_CASE("an order that cannot be carried out fails with a reason a person can use") {
    struct Row {
        const char* what;
        void (*spoil)(Task&);
        const char* event;
        const char* says;
    };
    for (const auto& row : {
             Row{"name", [](Task& task) { task.name = "alloc"; }, "Failed Validation",
                 "task name \"alloc\" is taken by the allocation's own files; rename the task"},
             Row{"path", [](Task& task) { task.name = "../x"; }, "Failed Validation",
                 "task name \"../x\" is not a plain file name of 1 to 128 bytes; rename the task"},
             Row{"signal", [](Task& task) { task.kill_signal = "SIGNOPE"; }, "Failed Validation",
                 "kill_signal \"SIGNOPE\" is no signal; write for instance \"SIGTERM\""},
             Row{"driver", [](Task& task) { task.driver = "dokcer"; }, "Failed Validation",
                 "driver \"dokcer\" is not known; this version has docker, exec, raw_exec"},
             Row{"config", [](Task& task) { task.config["cmd"] = Value{true}; },
                 "Failed Validation",
                 "config of driver raw_exec: unknown option cmd; it knows command, args, "
                 "work_dir, oom_score_adj, denied_envvars"},
         }) {
        CAPTURE(row.what);
        FakeWorld world;
        Order order = order_of(1);
        row.spoil(order.group.tasks[0]);
        world.orders({order});
        CHECK(world.status(kOne).client == ClientStatus::failed);
        const auto& events = world.status(kOne).tasks.begin()->second.events;
        REQUIRE(events.size() >= 2);
        const TaskEvent& event = events[events.size() - 2];
        CHECK(std::string(to_string(event.type)) == row.event);
        CHECK(event.message == row.says);
    }
}

TEST_CASE("a directory that cannot be made fails the allocation and starts nothing") {
    FakeWorld world;
    world.dir_error = "make /alloc/x: no space left on device";
    world.orders({order_of(1)});
    CHECK(world.story == Story{"dir 1"});
    CHECK(world.events(kOne, "main") == "Received, Task Setup, Setup Failure, Not Restarting");
    CHECK(world.status(kOne).client == ClientStatus::failed);
}

TEST_CASE("state that is taken over waits until the one who has it is at rest") {
    FakeWorld world;
    world.ignore_signals = true;
    world.orders({order_of(1)});
    world.ignore_signals = false;
    Order heir = order_of(2);
    heir.restore = {Restore::Kind::from_alloc, kOne};
    world.story.clear();
    world.orders({heir});
    CHECK(world.story == Story{"signal 1/main 2"});
    world.wait(5s);
    CHECK(world.story == Story{"signal 1/main 2", "kill 1/main", "dir 2", "start 2/main run 1"});
}

TEST_CASE("only the last ten events are kept") {
    FakeWorld world;
    Order order = order_of(1);
    order.group.tasks[0].restart.attempts = 10;
    world.orders({order});
    for (int round = 0; round < 5; ++round) {
        world.exit(kOne, "main", 1);
        world.wait(20s);
    }
    CHECK(world.status(kOne).tasks.at("main").events.size() == kEventsKept);
    CHECK(world.status(kOne).tasks.at("main").events.back().type == EventType::started);
}

TEST_CASE("checks decide about health; a broken check heals when the port opens") {
    FakeWorld world;
    world.port_open = false;
    world.orders({with_check(order_of(1))});
    REQUIRE(world.status(kOne).checks.size() == 1);
    CHECK(world.status(kOne).checks[0].status == CheckStatus::failure);
    CHECK(world.status(kOne).checks[0].output == "connection refused");
    world.port_open = true;
    world.wait(10s);
    CHECK(world.status(kOne).checks[0].status == CheckStatus::success);
    CHECK_FALSE(world.status(kOne).healthy.has_value());
    world.wait(10s);  // min_healthy_time
    CHECK(world.status(kOne).healthy == true);
}

TEST_CASE("what is not well by its deadline is unhealthy") {
    FakeWorld world;
    world.port_open = false;
    world.orders({with_check(order_of(1))});
    world.wait(5min);
    CHECK(world.status(kOne).healthy == false);
}

TEST_CASE("a check of a port that nobody assigned says so") {
    FakeWorld world;
    Order order = with_check(order_of(1));
    order.ports.clear();
    world.orders({order});
    CHECK(world.status(kOne).checks[0].output ==
          "port \"http\" is neither a label of this group's network nor a number");
}

TEST_CASE("an order changed in place keeps the process") {
    FakeWorld world;
    world.orders({order_of(1)});
    const std::int64_t pid = world.process(kOne, "main")->pid;
    world.orders({with_check(order_of(1))});
    CHECK(world.process(kOne, "main")->pid == pid);
    world.wait(1s);
    REQUIRE(world.status(kOne).checks.size() == 1);
    CHECK(world.status(kOne).checks[0].status == CheckStatus::success);
}

TEST_CASE("a changed order keeps the results of checks that ask the same") {
    FakeWorld world;
    Order order = with_check(order_of(1));
    world.orders({order});
    const auto status_of = [&](std::size_t at) { return world.status(kOne).checks.at(at).status; };
    REQUIRE(status_of(0) == CheckStatus::success);
    const WallTime since = world.status(kOne).checks[0].since;
    world.wait(3s);
    world.port_open = false;  // who is asked anew fails
    SUBCASE("something else changed") { order.job.meta["colour"] = "green"; }
    SUBCASE("a service came before it") {
        Service other = order.group.services[0];
        other.name = "other";
        order.group.services.insert(order.group.services.begin(), other);
    }
    world.orders({order});
    CHECK(world.status(kOne).checks.back().status == CheckStatus::success);
    CHECK(world.status(kOne).checks.back().since == since);
    if (order.group.services.size() == 2) CHECK(status_of(0) == CheckStatus::failure);
    world.wait(6s);
    CHECK(world.status(kOne).checks.back().status == CheckStatus::success);
    world.wait(1s);  // its turn is where it was
    CHECK(world.status(kOne).checks.back().status == CheckStatus::failure);
}

TEST_CASE("a check of another port begins anew") {
    FakeWorld world;
    Order order = with_check(order_of(1));
    world.orders({order});
    world.port_open = false;
    order.ports[0].value = 9090;
    world.orders({order});
    CHECK(world.status(kOne).checks.at(0).status == CheckStatus::failure);
}

TEST_CASE("state that cannot be saved is said, and saved later") {
    FakeWorld world;
    world.orders({order_of(1)});
    world.feed({world.wall(), SaveFailed{kOne, "write state: no space left on device"}});
    CHECK(world.status(kOne).description ==
          "Tasks are running; its state is not saved: write state: no space left on device");
    world.wait(10s);
    CHECK(world.status(kOne).description == "Tasks are running");
}

TEST_CASE("late answers to work that is no longer waited for change nothing") {
    FakeWorld world;
    world.orders({order_of(1)});
    const AllocStatus before = world.status(kOne);
    world.feed({world.wall(), TaskExited{kOne, "main", 99, {}}});
    world.feed({world.wall(), TaskStarted{kOne, "main", 1, 5}});
    world.feed({world.wall(), TaskNotStarted{kOne, "main", 1, "late", false}});
    world.feed({world.wall(), CheckDone{kOne, 77, false, "late"}});
    world.feed({world.wall(), DirReady{kOne, "late", {}}});
    world.feed({world.wall(), TaskExited{alloc_id(9), "main", 1, {}}});
    world.feed({world.wall(), TaskExited{kOne, "nobody", 1, {}}});
    CHECK(world.status(kOne) == before);
}

TEST_CASE("the status survives the wire") {
    FakeWorld world;
    world.orders({with_check(order_of(1))});
    world.exit(kOne, "main", 4);
    world.wait(1min);
    const AllocStatus& status = world.status(kOne);
    const auto again = decode<AllocStatus>(encode(status), "status");
    REQUIRE(again.ok());
    CHECK(*again == status);
}

}  // namespace gaggle::allocrunner
