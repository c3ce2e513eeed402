// Strangers that hang: an engine, a registry behind it, a plugin. Each may hold up the allocation
// that needs it, and nothing else.
#include <doctest/doctest.h>

#include "allocrunner/network/cni_files.h"
#include "allocrunner/network/netns.h"
#include "allocrunner/network/record.h"
#include "tests/allocrunner/drivers/fake_engine.h"
#include "tests/allocrunner/fake_world.h"
#include "tests/allocrunner/needs.h"
#include "tests/allocrunner/network/fake_plugins.h"
#include "tests/allocrunner/real_peer.h"

namespace gaggle::allocrunner {

namespace {

constexpr std::uint8_t kMany = 6;  // more than RealPeer has threads

Order container(std::uint8_t number, const std::string& image) {
    Order order = shell(number, "");
    order.group.tasks[0].driver = "docker";
    order.group.tasks[0].config = {{"image", Value{image}}};
    return order;
}

bool runs(const RealPeer& peer, const AllocId& alloc) {
    return peer.status(alloc).client == ClientStatus::running;
}

std::size_t asked(FakeEngine& engine, const std::string& what) {
    std::size_t count = 0;
    for (const std::string& line : engine.heard()) count += line.starts_with(what) ? 1 : 0;
    return count;
}

std::string events(const RealPeer& peer, const AllocId& alloc) {
    std::string out;
    for (const TaskEvent& event : peer.status(alloc).tasks.at("main").events)
        out += (out.empty() ? "" : ", ") + std::string(to_string(event.type));
    return out;
}

}  // namespace

TEST_CASE("images that do not come hold up nobody, and a stop does not wait for them") {
    FakeEngine engine;
    engine.hang("POST /images/create");
    const ScratchDir scratch;
    RealPeer peer(scratch.path(), {.docker_socket = engine.socket()});
    std::vector<Order> orders;
    for (std::uint8_t number = 1; number <= kMany; ++number)
        orders.push_back(container(number, "far:" + std::to_string(number / 2)));
    peer.orders(orders);
    // Two allocations each need the same image, but for the first and the last.
    REQUIRE(peer.until([&] { return asked(engine, "POST /images/create") == kMany / 2 + 1; }));
    orders.push_back(shell(99, "sleep 1000"));
    peer.orders(orders);
    REQUIRE(peer.until([&] { return runs(peer, alloc_id(99)); }));
    CHECK(asked(engine, "POST /images/create") == kMany / 2 + 1);
    std::vector<Order> rest(orders.begin() + 1, orders.end());
    peer.orders(rest);
    CHECK(peer.until([&] { return is_terminal(peer.status(alloc_id(1)).client); }));
    CHECK(events(peer, alloc_id(1)).ends_with("Driver, Killed"));
    CHECK(peer.status(alloc_id(1)).client == ClientStatus::complete);
    peer.orders({});
    CHECK(peer.until([&] { return peer.runner.live().empty(); }));  // a download may last 2 minutes
}

TEST_CASE("an agent that ends while an image is on its way does not wait for it") {
    FakeEngine engine;
    engine.hang("POST /images/create");
    const ScratchDir scratch;
    {
        RealPeer peer(scratch.path(), {.docker_socket = engine.socket()});
        peer.orders({container(1, "far:1")});
        REQUIRE(peer.until([&] { return asked(engine, "POST /images/create") == 1; }));
    }
    RealPeer peer(scratch.path(), {.docker_socket = engine.socket()});
    peer.orders({container(1, "far:1")});
    CHECK(peer.until([&] { return asked(engine, "POST /images/create") == 2; }));
    peer.orders({});
    CHECK(peer.until([&] { return peer.runner.live().empty(); }));
}

TEST_CASE("an engine that hangs when containers are made holds up no other task") {
    FakeEngine engine;
    engine.answer("GET /images/web:1/json", 200, "{}");
    engine.answer("DELETE /containers/", 204, "");
    engine.hang("POST /containers/create");
    const ScratchDir scratch;
    RealPeer peer(scratch.path(), {.docker_socket = engine.socket()});
    std::vector<Order> orders;
    for (std::uint8_t number = 1; number <= kMany; ++number)
        orders.push_back(container(number, "web:1"));
    orders.push_back(shell(99, "sleep 1000"));
    peer.orders(orders);
    CHECK(peer.until([&] {
        return runs(peer, alloc_id(99)) && asked(engine, "POST /containers/create") == kMany;
    }));
    engine.stop();  // its connections break
    peer.orders({});
    CHECK(peer.until([&] { return peer.runner.live().empty(); }));
}

TEST_CASE("a task is stopped while the start of another one of its allocation hangs") {
    FakeEngine engine;
    engine.answer("GET /images/web:1/json", 200, "{}");
    engine.answer("DELETE /containers/", 204, "");
    engine.hang("POST /containers/create");
    const ScratchDir scratch;
    RealPeer peer(scratch.path(), {.docker_socket = engine.socket()});
    Order order = shell(1, "sleep 1000");
    order.group.tasks.push_back(container(1, "web:1").group.tasks[0]);
    order.group.tasks[1].name = "second";
    peer.orders({order});
    REQUIRE(peer.until([&] {
        return runs(peer, alloc_id(1)) && asked(engine, "POST /containers/create") == 1;
    }));
    const std::int64_t pid = peer.pid(alloc_id(1));
    peer.orders({});
    CHECK(peer.until([&] { return !is_alive(pid); }));
    CHECK_FALSE(is_terminal(peer.status(alloc_id(1)).client));  // it hangs still
    engine.stop();
    CHECK(peer.until([&] { return peer.runner.live().empty(); }));
}

TEST_CASE("what a plugin does not take away keeps the allocation from its end until it does") {
    const auto may = try_netns();
    if (!is_met(may.ok(), may.ok() ? "" : may.error().detail)) return;
    const FakePluginDir plugins;
    const ScratchDir scratch;
    RealPeer peer(scratch.path(), {}, plugins.settings());
    Order order = shell(1, "true", JobType::batch);
    order.group.networks = {{.mode = "cni/lan"}};
    plugins.set_mood("keep");
    peer.orders({order});
    const auto description = [&] { return peer.status(alloc_id(1)).description; };
    REQUIRE(peer.until([&] { return description().find("somebody has the lock") < 1'000; }));
    CHECK_FALSE(is_terminal(peer.status(alloc_id(1)).client));
    CHECK(plugins.containers() == 1);
    plugins.set_mood("");
    CHECK(peer.until([&] { return peer.runner.live().empty(); }));
    CHECK(plugins.containers() == 0);
    CHECK(peer.status(alloc_id(1)).client == ClientStatus::complete);
}

TEST_CASE("a directory stays as long as it says how what is left is undone") {
    const FakePluginDir plugins;
    const ScratchDir scratch;
    const std::string dir = scratch.path() + "/" + to_string(alloc_id(1));
    std::filesystem::create_directories(dir);
    auto list = find_cni_list(plugins.settings(), "lan");
    REQUIRE(list.ok());
    NetworkRecord record{.request = {.alloc = to_string(alloc_id(1)), .mode = "cni/lan"}};
    record.list = std::move(*list);
    REQUIRE(write_network_record(dir, record).ok());
    const auto remove = [&] {
        RealPeer peer(scratch.path(), {}, plugins.settings());
        peer.tasks->carry_out(RemoveDir{alloc_id(1)});
    };  // which finishes what was asked for
    plugins.set_mood("keep");
    remove();
    CHECK(read_network_record(dir).ok());
    CHECK(std::filesystem::exists(dir));
    plugins.set_mood("");
    remove();
    CHECK_FALSE(std::filesystem::exists(dir));
}

TEST_CASE("what an engine refuses to remove may run: the allocation waits for it") {
    FakeEngine engine;
    engine.answer("GET /images/web:1/json", 200, "{}");
    engine.answer("DELETE /containers/", 500, R"({"message":"device or resource busy"})");
    const ScratchDir scratch;
    RealPeer peer(scratch.path(), {.docker_socket = engine.socket()});
    peer.orders({container(1, "web:1")});
    const auto description = [&] { return peer.status(alloc_id(1)).description; };
    REQUIRE(peer.until([&] { return description().find("device or resource busy") < 1'000; }));
    CHECK_FALSE(is_terminal(peer.status(alloc_id(1)).client));
    engine.answer("DELETE /containers/", 204, "");
    CHECK(peer.until([&] { return peer.runner.live().empty(); }));
}

TEST_CASE("nobody waits for an engine that is not there, but people are told") {
    FakeEngine engine;
    engine.answer("GET /images/web:1/json", 200, "{}");
    engine.answer("DELETE /containers/", 500, "{}");
    const ScratchDir scratch;
    RealPeer peer(scratch.path(), {.docker_socket = engine.socket()});
    peer.orders({container(1, "web:1")});
    REQUIRE(peer.until([&] { return engine.was_asked("DELETE /containers/"); }));
    engine.stop();
    REQUIRE(peer.until([&] { return peer.runner.live().empty(); }));
    const std::string& said = peer.status(alloc_id(1)).tasks.at("main").events.back().message;
    CHECK(said.starts_with("Tearing down: clear up after task main: "));
    // Its collection removes what belongs to no task on the disk.
    CHECK_FALSE(std::filesystem::exists(peer.tasks->alloc_dir(alloc_id(1)) + "/driver/main"));
}

TEST_CASE("plugins that hang hold up no other allocation") {
    const auto may = try_netns();
    if (!is_met(may.ok(), may.ok() ? "" : may.error().detail)) return;
    const FakePluginDir plugins;
    plugins.set_mood("wait");
    const ScratchDir scratch;
    NetworkSettings patient = plugins.settings();
    patient.plugin_timeout = 5min;  // the test ends the wait
    RealPeer peer(scratch.path(), {}, patient);
    std::vector<Order> orders;
    for (std::uint8_t number = 1; number <= kMany; ++number) {
        orders.push_back(shell(number, "sleep 1000"));
        orders.back().group.networks = {{.mode = "cni/lan"}};
    }
    orders.push_back(shell(99, "sleep 1000"));
    peer.orders(orders);
    CHECK(peer.until([&] { return runs(peer, alloc_id(99)); }));
    CHECK(plugins.containers() == 0);
    plugins.set_mood("");
    for (std::uint8_t number = 1; number <= kMany; ++number) {
        const bool started = peer.until([&] { return runs(peer, alloc_id(number)); });
        INFO(peer.status(alloc_id(number)).tasks.at("main").events.back().message);
        CHECK(started);
    }
    peer.orders({});
    CHECK(peer.until([&] { return peer.runner.live().empty(); }));
    CHECK(plugins.containers() == 0);
}

}  // namespace gaggle::allocrunner
