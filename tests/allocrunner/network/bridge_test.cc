// Mode bridge with Debian's plugins, on a machine that is a network namespace made for the test.

#include <doctest/doctest.h>
#include <sched.h>
#include <sys/mount.h>

#include <thread>

#include "allocrunner/network/alloc_networks.h"
#include "allocrunner/network/netns.h"
#include "allocrunner/network/network_offer.h"
#include "allocrunner/network/program.h"
#include "tests/allocrunner/needs.h"
#include "tests/allocrunner/scratch.h"

namespace gaggle::allocrunner {

namespace {

/// What a shell command says, run where this thread is.
std::string said(const std::string& command) {
    const auto end =
        run_program({.argv = {"/bin/sh", "-c", command}, .env = {}, .input = {}, .timeout = 20s});
    REQUIRE(end.ok());
    CAPTURE(command);
    CAPTURE(end->err);
    CHECK(end->ok());
    return end->out;
}

/// Runs the test on a thread with a network and mounts of its own; false where that cannot be.
bool on_machine_of_its_own(const std::function<void()>& test) {
    bool possible = try_netns().ok();
    if (!possible) return false;
    std::thread([&] {
        possible = unshare(CLONE_NEWNET | CLONE_NEWNS) == 0 &&
                   mount("", "/", nullptr, MS_REC | MS_PRIVATE, nullptr) == 0;
        if (possible) test();
    }).join();
    return possible;
}

NetworkSettings settings_in(const ScratchDir& scratch) {
    NetworkSettings out;
    out.netns_dir = scratch.path() + "/netns";
    out.state_dir = scratch.path() + "/addresses";
    out.port_ip = "127.0.0.1";
    return out;
}

void bridge_comes_and_goes() {
    const ScratchDir scratch;
    const NetworkSettings settings = settings_in(scratch);
    AllocNetworks networks(settings);
    const std::string alloc = "3f1c7a52-0000-4000-8000-000000000002";
    const std::string dir = scratch.path() + "/" + alloc;
    std::filesystem::create_directory(dir);
    said("ip link set lo up");
    const NetworkRequest request{
        .alloc = alloc, .mode = "bridge", .ports = {{.host = 23456, .inside = 80}}};
    for (int round = 0; round < 2; ++round) {
        const auto made = networks.set_up(dir, request);
        if (!made.ok()) FAIL(made.error().detail);
        const NetworkStatus& status = (*made)->status;
        CHECK(status.interface == "eth0");
        CHECK(status.ip.starts_with("172.26.64."));
        const std::string rules = said("iptables-save");
        CHECK(rules.find("-d 127.0.0.1/32 -p tcp -m tcp --dport 23456 -j DNAT --to-destination " +
                         status.ip + ":80") != std::string::npos);
        CHECK(rules.find("-A GAGGLE-ADMIN -d 172.26.64.0/20 -o gaggle -j ACCEPT") !=
              std::string::npos);
        CHECK(said("ip -o link show type veth | wc -l") == "1\n");
        const auto kept = networks.set_up(dir, request);  // as another agent finds it
        REQUIRE(kept.ok());
        CHECK(**kept == **made);

        REQUIRE(networks.tear_down(dir).ok());
        CHECK(said("iptables-save | grep -c -e 23456 -e " + status.ip + " || true") == "0\n");
        CHECK(said("ip -o link show type veth | wc -l") == "0\n");
        CHECK(said("ls " + settings.netns_dir).empty());
        CHECK(said("ls " + settings.state_dir + "/gaggle | grep -c 172 || true") == "0\n");
    }
}

}  // namespace

TEST_CASE("a bridge of Debian's plugins maps ports, is kept, and leaves no trace") {
    const auto missing = read_networks({}).missing;
    if (!is_met(missing.empty(), "it needs the packages containernetworking-plugins and iptables"))
        return;
    if (!on_machine_of_its_own(bridge_comes_and_goes)) CHECK_FALSE(try_netns().ok());
}

}  // namespace gaggle::allocrunner
