#include "allocrunner/network/cni_chain.h"

#include <doctest/doctest.h>

using namespace gaggle;
using namespace gaggle::allocrunner;

namespace {

/// Writes down what is run; fails what it is told to.
struct FakePlugins {
    std::vector<std::string> said;
    std::string fails;
    std::string answers = R"({"ips":[{"address":"10.0.0.9/24"}]})";

    CniRunner runner() {
        return [this](const CniCall& call) -> Result<std::string> {
            const std::string what = std::string(call.command) + " " + call.type;
            const bool knows = call.input.find("prevResult") != std::string::npos;
            said.push_back(what + (knows ? " with result" : ""));
            if (what == fails) return {Errc::io, what + " failed"};
            return answers;
        };
    }
};

using Lines = std::vector<std::string>;

}  // namespace

TEST_CASE("adding goes forward, each plugin with the result of the one before") {
    FakePlugins plugins;
    const auto result = cni_add(bridge_list({}), {}, plugins.runner());
    REQUIRE(result.ok());
    CHECK(plugins.said ==
          Lines{"ADD bridge", "ADD firewall with result", "ADD portmap with result"});
}

TEST_CASE("adding stops at the first failure") {
    FakePlugins plugins{.fails = "ADD firewall"};
    const auto result = cni_add(bridge_list({}), {}, plugins.runner());
    REQUIRE_FALSE(result.ok());
    CHECK(result.error().detail == "ADD firewall failed");
    CHECK(plugins.said.size() == 2);
}

TEST_CASE("a plugin that succeeds without a result is an error that names it") {
    FakePlugins plugins{.answers = "all is well"};
    const auto result = cni_add(bridge_list({}), {}, plugins.runner());
    REQUIRE_FALSE(result.ok());
    CHECK(result.error().code == Errc::corrupt);
    CHECK(result.error().detail.find("CNI plugin bridge (ADD)") != std::string::npos);
}

TEST_CASE("deleting goes backward and does not stop") {
    FakePlugins plugins{.fails = "DEL portmap"};
    const auto done = cni_delete(bridge_list({}), {}, std::nullopt, plugins.runner());
    REQUIRE_FALSE(done.ok());
    CHECK(done.error().detail == "DEL portmap failed");
    CHECK(plugins.said == Lines{"DEL portmap", "DEL firewall", "DEL bridge"});
}

TEST_CASE("checking asks every plugin but portmap, unless the list says not to") {
    FakePlugins plugins;
    CniList list = bridge_list({});
    CHECK(cni_check(list, {}, Value{Value::Map{}}, plugins.runner()).ok());
    CHECK(plugins.said == Lines{"CHECK bridge with result", "CHECK firewall with result"});
    list.check = false;
    plugins.fails = "CHECK bridge";
    CHECK(cni_check(list, {}, Value{Value::Map{}}, plugins.runner()).ok());
    list.check = true;
    CHECK_FALSE(cni_check(list, {}, Value{Value::Map{}}, plugins.runner()).ok());
}
