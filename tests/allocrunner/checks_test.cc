// What checks do to an allocation: its health, and restarts of its tasks.
#include <doctest/doctest.h>

#include "tests/allocrunner/fake_world.h"

namespace gaggle::allocrunner {

namespace {

const AllocId kOne = alloc_id(1);

ServiceCheck every_ten_seconds() {
    ServiceCheck check;
    check.name = "up";
    check.interval = 10s;
    return check;
}

Order with_check(ServiceCheck check) {
    Order order = order_of(1);
    order.ports = {{"http", 8080, 0}};
    order.group.tasks[0].services = {{.name = "web", .port = "http", .checks = {check}}};
    return order;
}

CheckStatus status_of(const FakeWorld& world) { return world.status(kOne).checks.at(0).status; }

}  // namespace

TEST_CASE("a check's status turns after as many results in a row as the job says") {
    ServiceCheck check;
    check.success_before_passing = 3;
    check.failures_before_critical = 2;
    CheckVerdict verdict(check);
    CHECK_FALSE(verdict.heard(true).has_value());
    CHECK_FALSE(verdict.heard(true).has_value());
    CHECK(verdict.heard(true) == CheckStatus::success);
    CHECK_FALSE(verdict.heard(false).has_value());
    CHECK_FALSE(verdict.heard(true).has_value());  // not in a row
    CHECK_FALSE(verdict.heard(false).has_value());
    CHECK(verdict.heard(false) == CheckStatus::failure);
}

TEST_CASE("a check that keeps failing restarts its task, after the grace, by the restart policy") {
    FakeWorld world;
    ServiceCheck check = every_ten_seconds();
    check.check_restart = CheckRestart{.limit = 3, .grace = 60s};
    world.orders({with_check(check)});
    world.port_open = false;
    world.wait(79s);  // the grace of 60 s, then failures at 60, 70 and 80 s
    CHECK(world.process(kOne, "main")->run == 1);
    world.wait(2s);
    CHECK(world.process(kOne, "main") == nullptr);  // by the policy, so after its delay
    CHECK(world.events(kOne, "main") ==
          "Received, Task Setup, Started, Restart Signaled, Terminated, Restarting");
    CHECK(world.status(kOne).tasks.at("main").events[3].message ==
          "healthcheck: check \"up\" unhealthy");
    world.port_open = true;
    world.wait(1h);
    CHECK(world.process(kOne, "main")->run == 2);
}

TEST_CASE("a check's result is kept with its output's beginning, its code and its time") {
    FakeWorld world;
    world.orders({with_check(every_ten_seconds())});
    const CheckHealth& check = world.status(kOne).checks.at(0);
    CHECK(check.status == CheckStatus::success);
    CHECK(check.heard == check.since);
    world.port_open = false;
    world.check_says = std::string(5000, 'x');
    world.check_code = 503;
    world.wait(25s);
    const CheckHealth& failed = world.runner.status(kOne)->checks.at(0);
    CHECK(failed.status == CheckStatus::failure);
    CHECK(failed.output == std::string(512, 'x'));
    CHECK(failed.code == 503);
    CHECK(failed.heard > failed.since);  // it failed twice
}

TEST_CASE("what a check said last holds over a restart of the agent, not over one of the machine") {
    FakeWorld world;
    ServiceCheck check = every_ten_seconds();
    check.success_before_passing = 3;
    world.orders({with_check(check)});
    CHECK(status_of(world) == CheckStatus::pending);
    world.wait(25s);
    CHECK(status_of(world) == CheckStatus::success);
    world.restart_agent(false);
    CHECK(status_of(world) == CheckStatus::success);
    CHECK(world.runner.services(kOne)->at(0).health == CheckStatus::success);
    world.port_open = false;
    world.wait(15s);
    CHECK(status_of(world) == CheckStatus::failure);
    world.port_open = true;
    world.wait(35s);
    CHECK(status_of(world) == CheckStatus::success);
    world.restart_agent(true);
    world.orders({with_check(check)});
    CHECK(status_of(world) == CheckStatus::pending);
}

TEST_CASE("a check asks on while another task of the group rests") {
    FakeWorld world;
    Order order = with_check(every_ten_seconds());
    order.group.services = order.group.tasks[0].services;
    order.group.services[0].name = "all";
    Task shipper = order_of(1).group.tasks[0];
    shipper.name = "shipper";
    order.group.tasks.push_back(shipper);
    world.orders({order});
    const auto status = [&](std::size_t at) { return world.status(kOne).checks.at(at).status; };
    CHECK(status(0) == CheckStatus::success);
    CHECK(status(1) == CheckStatus::success);
    world.exit(kOne, "shipper", 1);  // it rests for 15 s and more
    CHECK(status(0) == CheckStatus::pending);  // the group's is about all of them
    CHECK(status(1) == CheckStatus::success);
    world.port_open = false;
    world.wait(12s);
    CHECK(status(1) == CheckStatus::failure);
    world.wait(20s);
    CHECK(status(0) == CheckStatus::failure);
}

TEST_CASE("an update in place begins neither the grace nor the failures of a check anew") {
    for (const bool updated : {false, true}) {
        CAPTURE(updated);
        FakeWorld world;
        ServiceCheck check = every_ten_seconds();
        check.check_restart = CheckRestart{.limit = 1, .grace = 90s};
        Order order = with_check(check);
        world.port_open = false;
        world.wait(1h);
        world.orders({order});
        world.wait(15s);
        order.group.tasks[0].services[0].tags = {"new"};
        if (updated) world.orders({order});
        world.wait(70s);
        CHECK(world.process(kOne, "main") != nullptr);  // at 85 s
        world.wait(6s);
        CHECK(world.process(kOne, "main") == nullptr);
    }
}

TEST_CASE("a check that an update in place brings has its grace, too") {
    FakeWorld world;
    world.orders({with_check(every_ten_seconds())});
    world.wait(15s);
    ServiceCheck check = every_ten_seconds();
    check.type = "http";
    check.check_restart = CheckRestart{.limit = 1, .grace = 30s};
    world.port_open = false;
    world.orders({with_check(check)});
    world.wait(25s);
    CHECK(world.process(kOne, "main") != nullptr);
    world.wait(10s);
    CHECK(world.process(kOne, "main") == nullptr);
}

TEST_CASE("warnings restart a task unless they are ignored") {
    for (const bool ignored : {false, true}) {
        CAPTURE(ignored);
        FakeWorld world;
        ServiceCheck check = every_ten_seconds();
        check.check_restart = CheckRestart{.limit = 1, .grace = 0s, .ignore_warnings = ignored};
        world.check_warns = true;
        world.orders({with_check(check)});
        world.wait(15s);
        CHECK((world.process(kOne, "main") != nullptr) == ignored);
    }
}

TEST_CASE("a check begins as the job says it does") {
    struct Row {
        const char* says;
        CheckStatus status;
    };
    for (const auto& row :
         {Row{"", CheckStatus::pending}, Row{"passing", CheckStatus::success},
          Row{"warning", CheckStatus::success}, Row{"critical", CheckStatus::failure}}) {
        CAPTURE(row.says);
        ServiceCheck check;
        check.initial_status = row.says;
        CHECK(status_at_first(check) == row.status);
    }
}

TEST_CASE("a script is run in the task that it names") {
    FakeWorld world;
    ServiceCheck check = every_ten_seconds();
    check.type = "script";
    check.command = "/bin/probe";
    check.args = {"${NOMAD_TASK_NAME}"};
    check.task = "main";
    world.orders({with_check(check)});
    REQUIRE(world.last_check);
    REQUIRE(world.last_check->script);
    CHECK(world.last_check->script->task == "main");
    CHECK(world.last_check->script->argv == std::vector<std::string>{"/bin/probe", "main"});
    CHECK(status_of(world) == CheckStatus::success);
}

TEST_CASE("what cannot be asked fails from the start, in words") {
    ServiceCheck elsewhere = every_ten_seconds();
    elsewhere.port = "admin";
    ServiceCheck nowhere = every_ten_seconds();
    nowhere.type = "script";
    nowhere.task = "nobody";
    for (const ServiceCheck& check : {elsewhere, nowhere}) {
        FakeWorld world;
        world.orders({with_check(check)});
        CHECK(status_of(world) == CheckStatus::failure);
        CHECK_FALSE(world.last_check.has_value());
        CHECK_FALSE(world.status(kOne).checks[0].output.empty());
    }
}

TEST_CASE("a check over https says whose certificate it wants") {
    ServiceCheck check = every_ten_seconds();
    check.type = "http";
    check.protocol = "https";
    check.path = "/health";
    check.tls_server_name = "${NOMAD_TASK_NAME}.internal";
    FakeWorld world;
    world.orders({with_check(check)});
    REQUIRE(world.last_check.has_value());
    CHECK(world.last_check->type == "http");
    CHECK(world.last_check->tls == CheckTls{.server_name = "main.internal"});
    check.tls_skip_verify = true;
    FakeWorld careless;
    careless.orders({with_check(check)});
    CHECK(careless.last_check->tls->skip_verify);
}

TEST_CASE("health is by checks, by the tasks' states, or by hand") {
    struct Row {
        const char* health_check;
        bool port_open;
        std::optional<bool> healthy;  ///< after the deadline
    };
    for (const auto& row : {Row{"checks", true, true}, Row{"checks", false, false},
                            Row{"task_states", false, true}, Row{"manual", true, std::nullopt}}) {
        CAPTURE(row.health_check);
        CAPTURE(row.port_open);
        FakeWorld world;
        Order order = with_check(every_ten_seconds());
        order.group.update = UpdateStrategy{};
        order.group.update->health_check = row.health_check;
        world.port_open = row.port_open;
        world.orders({order});
        world.wait(6min);
        CHECK(world.status(kOne).healthy == row.healthy);
        const bool said = world.events(kOne, "main").ends_with("Alloc Unhealthy");
        CHECK(said == (row.healthy == false));
        if (said)
            CHECK(world.status(kOne).tasks.at("main").events.back().message ==
                  "Services not healthy by deadline: up (connection refused)");
    }
}

}  // namespace gaggle::allocrunner
