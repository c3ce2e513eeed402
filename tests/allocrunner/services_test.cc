#include "allocrunner/services.h"

#include <doctest/doctest.h>

#include "tests/allocrunner/fake_world.h"

namespace gaggle::allocrunner {

namespace {

Host host() {
    Host host;
    host.name = "shop-7";
    host.datacenter = "berlin";
    host.ip = "10.0.0.7";
    host.alloc_root = "/var/lib/gaggle/alloc";
    host.meta = {{"rack", "r2"}};
    return host;
}

/// A service of the group with a check, and one of the task.
Order with_services() {
    Order order = order_of(1);
    order.ports = {{"http", 23456, 80}, {"admin", 23457, 0}};
    order.group.services = {{.name = "web", .port = "http", .tags = {"rack-${meta.rack}"}}};
    order.group.services[0].checks = {{.name = "up"}};
    order.group.tasks[0].services = {{.name = "${NOMAD_JOB_NAME}-admin", .port = "admin"}};
    return order;
}

bool always(const std::string&) { return true; }

std::string told(const std::vector<ServiceInstance>& offered) {
    std::string out;
    for (const ServiceInstance& one : offered)
        out += (out.empty() ? "" : ", ") + one.name + " " + one.address + ":" +
               std::to_string(one.port) + " " + to_string(one.health);
    return out;
}

std::string offered(const FakeWorld& world) { return told(*world.runner.services(alloc_id(1))); }

}  // namespace

TEST_CASE("an instance has its names filled in by its peer") {
    const auto all = Services(host(), with_services(), {}).offered(always, {});
    REQUIRE(all.size() == 2);
    CHECK(all[0].name == "web");
    CHECK(all[0].tags == std::vector<std::string>{"rack-r2"});
    CHECK(all[0].task.empty());
    CHECK(all[1].task == "main");
    CHECK(all[1].name == with_services().job.name + "-admin");
    CHECK(registration_id(alloc_id(1), "db", all[0]) ==
          "_nomad-task-" + to_string(alloc_id(1)) + "-group-db-web-http");
    CHECK(registration_id(alloc_id(1), "db", all[1]) ==
          "_nomad-task-" + to_string(alloc_id(1)) + "-main-" + all[1].name + "-admin");
}

TEST_CASE("an address follows the mode, the label and the network") {
    struct Row {
        const char* mode;
        const char* label;
        const char* inside;
        const char* host;
        int port;
    };
    for (const Row& row : {
             Row{"auto", "http", "", "10.0.0.7", 23456},
             Row{"host", "http", "172.26.64.5", "10.0.0.7", 23456},
             Row{"auto", "http", "172.26.64.5", "10.0.0.7", 23456},
             Row{"alloc", "http", "172.26.64.5", "172.26.64.5", 80},
             Row{"alloc", "admin", "172.26.64.5", "172.26.64.5", 23457},
             Row{"alloc", "http", "", "10.0.0.7", 23456},
             Row{"alloc", "8080", "172.26.64.5", "172.26.64.5", 8080},
             Row{"host", "8080", "", "10.0.0.7", 8080},
             Row{"host", "none", "", "10.0.0.7", 0},
             Row{"host", "70000", "", "10.0.0.7", 0},
         }) {
        CAPTURE(row.mode);
        CAPTURE(row.label);
        const ServiceAddress at =
            service_address(host(), with_services(), row.inside, row.mode, row.label);
        CHECK(at.host == row.host);
        CHECK(at.port == row.port);
    }
}

TEST_CASE("a service whose port is nowhere is not offered, one without a port is") {
    Order order = with_services();
    order.group.services[0].port = "nowhere";
    order.group.tasks[0].services[0].port = "";
    const auto all = Services(host(), order, {}).offered(always, {});
    REQUIRE(all.size() == 1);
    CHECK(all[0].task == "main");
    CHECK(all[0].port == 0);
}

TEST_CASE("what would not fit in the books is not offered") {
    Order order = with_services();
    order.group.services.assign(40, order.group.services[0]);
    for (Service& service : order.group.services) service.tags = {std::string(1000, 't')};
    const auto all = Services(host(), order, {}).offered(always, {});
    CHECK(all.size() > 20);
    CHECK(all.size() < 31);
}

TEST_CASE("services are offered while their tasks run, with the health of their checks") {
    FakeWorld world;
    world.port_open = false;
    Order order = with_services();
    order.group.services[0].checks[0].interval = 10s;
    const std::string ip = "127.0.0.1";
    const std::string admin = order.job.name + "-admin " + ip + ":23457 success";
    world.orders({order});
    CHECK(offered(world) == "web " + ip + ":23456 failure, " + admin);
    world.port_open = true;
    world.wait(10s);
    CHECK(offered(world) == "web " + ip + ":23456 success, " + admin);
    world.exit(alloc_id(1), "main", 1);  // it rests before its next start
    CHECK(offered(world).empty());
    world.wait(20s);
    CHECK(offered(world) == "web " + ip + ":23456 success, " + admin);
}

TEST_CASE("from the word to stop on, a service is not offered, also before the kill signal") {
    FakeWorld world;
    Order order = with_services();
    order.group.shutdown_delay = 5s;
    world.orders({order});
    CHECK_FALSE(offered(world).empty());
    world.story.clear();
    order.desired = Desired::stop;
    world.orders({order});
    CHECK(world.story.empty());  // nothing was signalled yet
    CHECK(offered(world).empty());
}

TEST_CASE("an agent that starts again offers at once what still runs") {
    FakeWorld world;
    world.orders({with_services()});
    const std::string before = offered(world);
    world.restart_agent(false);
    CHECK_FALSE(offered(world).empty());
    CHECK(before.size() == offered(world).size());
}

}  // namespace gaggle::allocrunner
