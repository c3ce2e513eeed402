#include "allocrunner/network/cni_lists.h"

#include <doctest/doctest.h>

#include "placement/jobspec/value_json.h"

using namespace gaggle;
using namespace gaggle::allocrunner;

namespace {

std::string bridge_input(std::size_t at, const CniRuntime& runtime = {}) {
    return cni_input(bridge_list({}), at, runtime, std::nullopt);
}

}  // namespace

TEST_CASE("mode bridge is a bridge, a firewall that lets it through, and mapped ports") {
    const CniList list = bridge_list({});
    REQUIRE(list.plugins.size() == 3);
    CHECK(list.name == "gaggle");
    CHECK(list.version == "0.4.0");
    CHECK(bridge_input(0) ==
          R"({"bridge":"gaggle","cniVersion":"0.4.0","forceAddress":true,"hairpinMode":true,)"
          R"("ipMasq":true,"ipam":{"dataDir":"/run/gaggle/cni","ranges":[[{"subnet":)"
          R"("172.26.64.0/20"}]],"routes":[{"dst":"0.0.0.0/0"}],"type":"host-local"},)"
          R"("isGateway":true,"name":"gaggle","type":"bridge"})");
    CHECK(bridge_input(1) ==
          R"({"backend":"iptables","cniVersion":"0.4.0","iptablesAdminChainName":"GAGGLE-ADMIN",)"
          R"("name":"gaggle","type":"firewall"})");
    CHECK(bridge_input(2) ==
          R"({"capabilities":{"portMappings":true},"cniVersion":"0.4.0","name":"gaggle",)"
          R"("snat":true,"type":"portmap"})");
}

TEST_CASE("ports are mapped in both protocols, and at one address if so set") {
    const CniRuntime runtime{.ports = {{.host = 25000, .inside = 80}}, .port_ip = "10.0.0.1"};
    const std::string input = bridge_input(2, runtime);
    CHECK(input.find(
              R"("runtimeConfig":{"portMappings":[)"
              R"({"containerPort":80,"hostIP":"10.0.0.1","hostPort":25000,"protocol":"tcp"},)"
              R"({"containerPort":80,"hostIP":"10.0.0.1","hostPort":25000,"protocol":"udp"}]})") !=
          std::string::npos);
    CHECK(bridge_input(0, runtime).find("runtimeConfig") == std::string::npos);
}

TEST_CASE("a plugin sees the result of the one before") {
    const Value before = *value_from_json(R"({"ips":[]})");
    const std::string input = cni_input(bridge_list({}), 1, {}, before);
    CHECK(input.find(R"("prevResult":{"ips":[]})") != std::string::npos);
}

TEST_CASE("an operator's list and a single plugin's configuration are both lists") {
    const auto list = parse_cni_list(
        R"({"cniVersion":"1.0.0","name":"lan","plugins":[{"type":"macvlan","master":"eth0"},)"
        R"({"type":"tuning","capabilities":{"dns":true}}]})",
        "lan.conflist");
    REQUIRE(list.ok());
    CHECK(list->name == "lan");
    CHECK(list->check);
    CHECK(plugin_type(*list, 0) == "macvlan");
    CHECK(cni_input(*list, 1, {.dns = {.servers = {"10.0.0.53"}}}, {}).find("10.0.0.53") !=
          std::string::npos);
    const auto single = parse_cni_list(R"({"name":"one","type":"ptp"})", "one.conf");
    REQUIRE(single.ok());
    CHECK(single->plugins.size() == 1);
    CHECK_FALSE(single->check);  // CHECK came with 0.4.0
    CHECK_FALSE(
        parse_cni_list(R"({"cniVersion":"1.0.0","name":"q","disableCheck":true,"type":"ptp"})", "q")
            ->check);
}

TEST_CASE("a bad configuration is told by its file and what is wrong") {
    struct Row {
        const char* text;
        const char* says;
    };
    for (const auto& [text, says] : {
             Row{"{", "line"},
             Row{"[]", "no JSON object"},
             Row{R"({"type":"ptp"})", "`name` is missing"},
             Row{R"({"name":"x"})", "plugin 0"},
             Row{R"({"name":"x","plugins":[]})", "names none"},
             Row{R"({"name":"x","plugins":[1]})", "no object"},
             Row{R"({"name":"x","plugins":[{"type":"../../bin/sh"}]})", "plain name"},
             Row{R"({"name":"x","type":".."})", "plain name"},
         }) {
        CAPTURE(text);
        const auto list = parse_cni_list(text, "/opt/cni/config/bad.conf");
        REQUIRE_FALSE(list.ok());
        CHECK(list.error().code == Errc::invalid);
        CHECK(list.error().detail.find("/opt/cni/config/bad.conf") != std::string::npos);
        CHECK(list.error().detail.find(says) != std::string::npos);
    }
}
