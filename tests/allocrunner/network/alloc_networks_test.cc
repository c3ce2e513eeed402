#include "allocrunner/network/alloc_networks.h"

#include <doctest/doctest.h>

#include "allocrunner/network/netns.h"
#include "allocrunner/network/record.h"
#include "tests/allocrunner/needs.h"
#include "tests/allocrunner/network/fake_plugins.h"

namespace gaggle::allocrunner {

namespace {

/// An allocation's directory and a machine with the fake plugins; nothing is left when it ends.
struct Machine {
    FakePluginDir fake;
    std::string alloc = "3f1c7a52-0000-4000-8000-000000000001";
    std::string dir = fake.at(alloc);
    std::string netns = fake.at("netns/" + alloc);

    Machine() { std::filesystem::create_directory(dir); }
    ~Machine() { CHECK(remove_netns(netns).ok()); }

    AllocNetworks networks() const { return AllocNetworks(fake.settings()); }
    Result<std::optional<AllocNetwork>> set_up(NetworkRequest request) const {
        request.alloc = alloc;
        return networks().set_up(dir, request);
    }
    bool clean() const {
        return fake.containers() == 0 && !std::filesystem::exists(netns) &&
               !std::filesystem::exists(network_folder(dir));
    }
};

/// Only root can make namespaces; others are told so, and have nothing to test.
bool may_make_namespaces() {
    const auto may = try_netns();
    if (!may.ok()) CHECK(may.error().code == Errc::denied);
    return is_met(may.ok(), may.ok() ? "" : may.error().detail);
}

}  // namespace

TEST_CASE("a namespace is held by a mount, has loopback, and goes away") {
    if (!may_make_namespaces()) return;
    const ScratchDir scratch;
    const std::string path = scratch.path() + "/netns/one";
    CHECK_FALSE(is_netns(path));
    REQUIRE(make_netns(path).ok());
    CHECK(is_netns(path));
    const std::string enter = "nsenter --net=" + path;
    const std::string which = " readlink /proc/self/ns/net";
    CHECK(std::system(("test \"$(" + enter + which + ")\" != \"$(" + which + ")\"").c_str()) == 0);
    CHECK(std::system((enter + " ip -o link show up | grep -q ' lo: '").c_str()) == 0);
    REQUIRE(make_netns(path).ok());  // in place of the old one
    REQUIRE(remove_netns(path).ok());
    CHECK_FALSE(std::filesystem::exists(path));
    CHECK(remove_netns(path).ok());
}

TEST_CASE("the machine's own network needs nothing; its own names do") {
    const Machine machine;
    const auto plain = machine.set_up({});
    REQUIRE(plain.ok());
    CHECK_FALSE(plain->has_value());
    CHECK(machine.clean());
    const auto named = machine.set_up({.hostname = "web", .dns = {.servers = {"10.0.0.53"}}});
    REQUIRE(named.ok());
    REQUIRE(named->has_value());
    CHECK((*named)->tasks.netns.empty());
    CHECK((*named)->tasks.hostname == "web");
    CHECK(text_of((*named)->tasks.resolv_file).find("nameserver 10.0.0.53\n") != std::string::npos);
    CHECK(text_of((*named)->tasks.hosts_file).ends_with("127.0.1.1 web\n"));
    CHECK(machine.networks().tear_down(machine.dir).ok());
    CHECK(machine.clean());
}

TEST_CASE("none is a namespace with loopback and no plugin") {
    if (!may_make_namespaces()) return;
    const Machine machine;
    const auto none = machine.set_up({.mode = "none"});
    REQUIRE(none.ok());
    CHECK((*none)->status == NetworkStatus{});
    CHECK((*none)->tasks.netns == machine.netns);
    CHECK((*none)->tasks.resolv_file.empty());
    CHECK(is_netns(machine.netns));
    CHECK(machine.fake.calls().empty());
    CHECK(machine.networks().tear_down(machine.dir).ok());
    CHECK(machine.clean());
}

TEST_CASE("an operator's network is set up once, kept while it is in order, and taken away") {
    if (!may_make_namespaces()) return;
    const Machine machine;
    const NetworkRequest request{.mode = "cni/lan", .hostname = "web"};
    const auto made = machine.set_up(request);
    REQUIRE(made.ok());
    const AllocNetwork network = **made;
    CHECK(network.mode == "cni/lan");
    CHECK(network.status.interface == "eth0");
    CHECK(network.status.ip == "10.44.0.7");
    CHECK(text_of(network.tasks.resolv_file).find("nameserver 10.44.0.53\n") != std::string::npos);
    CHECK(text_of(network.tasks.hosts_file).ends_with("10.44.0.7 web\n"));
    CHECK(text_of(network.tasks.hostname_file) == "web\n");
    const auto again = machine.set_up(request);  // as another agent would
    REQUIRE(again.ok());
    CHECK(**again == network);
    CHECK(machine.fake.calls() ==
          "ADD " + machine.alloc + " inside\nCHECK " + machine.alloc + " inside\n");
    CHECK(machine.networks().tear_down(machine.dir).ok());
    CHECK(machine.clean());
    CHECK(machine.networks().tear_down(machine.dir).ok());
}

TEST_CASE("after a reboot the plugins are told that the old one is gone, and it is made anew") {
    if (!may_make_namespaces()) return;
    const Machine machine;
    REQUIRE(machine.set_up({.mode = "cni/lan"}).ok());
    REQUIRE(remove_netns(machine.netns).ok());
    REQUIRE(machine.set_up({.mode = "cni/lan"}).ok());
    CHECK(is_netns(machine.netns));
    const std::string& alloc = machine.alloc;
    CHECK(machine.fake.calls() ==
          "ADD " + alloc + " inside\nDEL " + alloc + " gone\nADD " + alloc + " inside\n");
    CHECK(machine.networks().tear_down(machine.dir).ok());
    CHECK(machine.clean());
}

TEST_CASE("a network that is not in order any more is made anew") {
    if (!may_make_namespaces()) return;
    const Machine machine;
    REQUIRE(machine.set_up({.mode = "cni/lan"}).ok());
    std::filesystem::remove(machine.fake.at("books/" + machine.alloc));
    REQUIRE(machine.set_up({.mode = "cni/lan"}).ok());
    CHECK(machine.fake.containers() == 1);
    CHECK(machine.networks().tear_down(machine.dir).ok());
    CHECK(machine.clean());
}

TEST_CASE("a failed, hanging or babbling plugin leaves nothing behind and is told") {
    if (!may_make_namespaces()) return;
    struct Row {
        const char* mood;
        const char* says;
    };
    for (const auto& [mood, says] :
         {Row{"fail", "no address: the range is full"}, Row{"hang", "did not end within 1 s"},
          Row{"garbage", "not with a result"}}) {
        CAPTURE(mood);
        const Machine machine;
        machine.fake.set_mood(mood);
        NetworkSettings settings = machine.fake.settings();
        settings.plugin_timeout = 1s;
        const auto made = AllocNetworks(settings).set_up(
            machine.dir, {.alloc = machine.alloc, .mode = "cni/lan"});
        REQUIRE_FALSE(made.ok());
        CHECK(made.error().detail.find("set up network \"cni/lan\": ") != std::string::npos);
        CHECK(made.error().detail.find(says) != std::string::npos);
        CHECK(machine.clean());
    }
}

TEST_CASE("what an interrupted set-up left is taken away by its record, also by a damaged one") {
    if (!may_make_namespaces()) return;
    const Machine machine;
    REQUIRE(machine.set_up({.mode = "cni/lan"}).ok());
    auto record = read_network_record(machine.dir);
    REQUIRE((record.ok() && record->has_value()));
    (*record)->complete = false;  // as if the agent had died before the end
    (*record)->result.clear();
    REQUIRE(write_network_record(machine.dir, **record).ok());
    CHECK(machine.networks().tear_down(machine.dir).ok());
    CHECK(machine.clean());

    REQUIRE(machine.set_up({.mode = "none"}).ok());
    machine.fake.write(machine.alloc + "/network/record", "damaged");
    CHECK(read_network_record(machine.dir).error().code == Errc::corrupt);
    for (const char* plugin : {"bridge", "firewall", "portmap"})
        std::filesystem::copy_file(machine.fake.at("bin/fakenet"),
                                   machine.fake.at("bin/" + std::string(plugin)));
    CHECK(machine.networks().tear_down(machine.dir).ok());
    CHECK(machine.clean());
}

}  // namespace gaggle::allocrunner
