// A port that a stranger holds is noticed before anything of an allocation is made.
#include <arpa/inet.h>
#include <doctest/doctest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include "allocrunner/port_probe.h"
#include "base/unique_fd.h"
#include "tests/allocrunner/fake_world.h"

namespace gaggle::allocrunner {
namespace {

const AllocId kOne = alloc_id(1);

Order with_port(std::uint16_t value, std::int64_t fixed = 0) {
    Order order = order_of(1);
    order.group.networks.push_back({.ports = {{.label = "http", .fixed = fixed}}});
    order.ports = {{"http", value, 0}};
    return order;
}

TEST_CASE("free ports hold nothing up") {
    FakeWorld world;
    world.orders({with_port(20001)});
    CHECK(world.story == Story{"dir 1", "start 1/main run 1"});
    CHECK(world.ports_taken.empty());
}

TEST_CASE("a port that stays taken for three tries is said; another one is tried and used") {
    FakeWorld world;
    world.strangers[20001] = "python3 (pid 77)";
    world.orders({with_port(20001)});
    CHECK(world.runner.knows(kOne));
    CHECK(world.runner.status(kOne) == nullptr);
    world.wait(900ms);
    CHECK(world.ports_taken.empty());
    world.wait(100ms);
    REQUIRE(world.ports_taken.size() == 1);
    CHECK(world.ports_taken[0].alloc == kOne);
    CHECK(world.ports_taken[0].port == 20001);
    CHECK(world.ports_taken[0].holder == "python3 (pid 77)");
    CHECK_FALSE(world.ports_taken[0].fixed);
    CHECK(world.story.empty());
    world.orders({with_port(20002)});
    CHECK(world.story == Story{"dir 1", "start 1/main run 1"});
    CHECK(world.last_spec[kOne].env.at("NOMAD_PORT_http") == "20002");
    const TaskEvent& told = world.status(kOne).tasks.at("main").events.at(1);
    CHECK(told.message == "Port 20001 of this peer was held by python3 (pid 77)");
}

TEST_CASE("the user before who is slow to go is waited for") {
    FakeWorld world;
    world.strangers[20001] = "old (pid 7)";
    world.orders({with_port(20001)});
    world.strangers.clear();
    world.wait(500ms);
    CHECK(world.ports_taken.empty());
    CHECK(world.story == Story{"dir 1", "start 1/main run 1"});
}

TEST_CASE("while nobody gives another port it is said again, and tried again") {
    FakeWorld world;
    world.strangers[8080] = "nginx (pid 5)";
    world.orders({with_port(8080, 8080)});
    world.wait(25s);
    CHECK(world.ports_taken.size() == 3);
    world.strangers.clear();
    world.wait(10s);
    CHECK(world.story.size() == 2);
}

TEST_CASE("an allocation that waits for its port is given up like any other") {
    FakeWorld world;
    world.strangers[8080] = "nginx (pid 5)";
    world.orders({with_port(8080, 8080)});
    SUBCASE("it is to be stopped") {
        Order order = with_port(8080, 8080);
        order.desired = Desired::stop;
        world.orders({order});
        CHECK(world.status(kOne).client == ClientStatus::complete);
        CHECK(world.status(kOne).description == "All tasks have completed");  // none looked yet
    }
    SUBCASE("it is to be stopped because of its port") {
        world.wait(2s);
        REQUIRE(!world.ports_taken.empty());
        CHECK(world.ports_taken[0].fixed);
        Order order = with_port(8080, 8080);
        order.desired = Desired::stop;
        world.orders({order});
        const AllocStatus& status = world.status(kOne);
        CHECK(status.client == ClientStatus::complete);
        CHECK(status.description ==
              "Port 8080 of this peer is held by nginx (pid 5); no task was started");
        CHECK(world.events(kOne, "main") == "Received, Setup Failure");  // nobody was killed
        CHECK(status.tasks.at("main").events.back().message ==
              "Port 8080 of this peer is held by nginx (pid 5); the task was never started");
        CHECK_FALSE(status.tasks.at("main").failed);
    }
    SUBCASE("no order names it any more") {
        world.orders({});
        CHECK(!world.runner.knows(kOne));
    }
    world.wait(1min);
    CHECK(world.story.empty());
}

TEST_CASE("what has begun is never tried again: its ports are its own") {
    FakeWorld world;
    world.orders({with_port(20001)});
    world.strangers[20001] = "its own task";
    world.restart_agent(false);
    world.orders({with_port(20001)});
    world.exit(kOne, "main", 1);
    world.wait(1min);
    CHECK(world.ports_taken.empty());
    CHECK(world.status(kOne).client == ClientStatus::running);
}

struct Stranger {
    explicit Stranger(int type, const char* ip) : fd(socket(AF_INET, type | SOCK_CLOEXEC, 0)) {
        sockaddr_in address{};
        address.sin_family = AF_INET;
        REQUIRE(inet_pton(AF_INET, ip, &address.sin_addr) == 1);
        socklen_t size = sizeof address;
        auto* any = reinterpret_cast<sockaddr*>(&address);
        REQUIRE(bind(fd.get(), any, size) == 0);
        if (type == SOCK_STREAM) REQUIRE(listen(fd.get(), 1) == 0);
        REQUIRE(getsockname(fd.get(), any, &size) == 0);
        port = ntohs(address.sin_port);
    }
    UniqueFd fd;
    std::uint16_t port = 0;
};

TEST_CASE("a real listener is found, with its name, wherever it listens") {
    const std::string self = std::to_string(getpid());
    for (const char* ip : {"0.0.0.0", "127.0.0.1"}) {
        CAPTURE(ip);
        const Stranger stranger(SOCK_STREAM, ip);
        for (const char* host : {"127.0.0.1", "192.0.2.1"}) {  // the second is no address of ours
            CAPTURE(host);
            const auto taken = taken_ports(host, {{"http", stranger.port, true}});
            REQUIRE(taken.size() == 1);
            CHECK(taken[0].port == stranger.port);
            CHECK(taken[0].holder.find("(pid " + self + "), this peer's own agent") !=
                  std::string::npos);
        }
    }
    const Stranger gone(SOCK_STREAM, "127.0.0.1");
    close(const_cast<UniqueFd&>(gone.fd).release());
    CHECK(taken_ports("127.0.0.1", {{"http", gone.port, true}}).empty());
}

TEST_CASE("a peer on a loopback address looks only there: others on this machine have the rest") {
    const Stranger stranger(SOCK_STREAM, "127.0.0.1");
    CHECK(taken_ports("127.0.0.2", {{"http", stranger.port, false}}).empty());
}

TEST_CASE("datagrams count for dynamic ports alone") {
    const Stranger stranger(SOCK_DGRAM, "127.0.0.1");
    CHECK(taken_ports("127.0.0.1", {{"http", stranger.port, false}}).size() == 1);
    CHECK(taken_ports("127.0.0.1", {{"http", stranger.port, true}}).empty());
}

}  // namespace
}  // namespace gaggle::allocrunner
