#include "allocrunner/network/cni_result.h"

#include <doctest/doctest.h>

#include "base/rng.h"
#include "placement/jobspec/value_json.h"

using namespace gaggle;
using namespace gaggle::allocrunner;

namespace {

Result<NetworkStatus> status_in(const char* json) {
    return status_of_result(*value_from_json(json));
}

}  // namespace

TEST_CASE("the address is that of the interface inside the namespace") {
    // As Debian 12's bridge answers.
    const auto found = status_in(
        R"({"cniVersion":"0.4.0","interfaces":[{"name":"gaggle","mac":"5a:b6:a8:bb:4d:9e"},)"
        R"({"name":"veth50ac17ac","mac":"86:6c:e2:08:cd:5e"},)"
        R"({"name":"eth0","mac":"5e:f4:52:f7:5d:f0","sandbox":"/run/netns/x"}],)"
        R"("ips":[{"version":"4","interface":0,"address":"10.9.9.9/8"},)"
        R"({"version":"4","interface":2,"address":"172.26.64.2/20","gateway":"172.26.64.1"}],)"
        R"("routes":[{"dst":"0.0.0.0/0"}],"dns":{"nameservers":["10.0.0.53"],"search":["lan"]}})");
    REQUIRE(found.ok());
    CHECK(found->interface == "eth0");
    CHECK(found->ip == "172.26.64.2");
    CHECK(found->dns == DnsConfig{.servers = {"10.0.0.53"}, .searches = {"lan"}, .options = {}});
}

TEST_CASE("older and poorer results are understood as far as they go") {
    CHECK(status_in(R"({"ip4":{"ip":"10.1.0.5/16"}})")->ip == "10.1.0.5");
    CHECK(status_in(R"({"ips":[{"address":"10.1.0.6/16"}]})")->ip == "10.1.0.6");
    CHECK(status_in(R"({"ips":[{"address":"10.1.0.6/16","interface":7}],"interfaces":[]})")->ip ==
          "10.1.0.6");
    CHECK(status_in("{}")->ip.empty());
    CHECK_FALSE(status_in("[]").ok());
    CHECK_FALSE(status_in(R"({"ips":[3]})").ok());
}

TEST_CASE("what a failed plugin says is put into words") {
    CHECK(cni_complaint(R"({"cniVersion":"0.4.0","code":11,"msg":"no IP","details":"range full"})",
                        "noise") == "no IP: range full (code 11)");
    CHECK(cni_complaint(R"({"msg":"short"})", "") == "short");
    CHECK(cni_complaint("", "panic: boom\n") == "panic: boom");
    CHECK(cni_complaint("not json", "") == "not json");
    CHECK(cni_complaint("", "").empty());
    CHECK(cni_complaint("", std::string(10'000, 'x')).size() == 600);
}

TEST_CASE("any bytes end in a result or an error") {
    Rng rng(7);
    const std::string letters = R"({}[]":,0123456789ipsdnaferctxobv )";
    for (int round = 0; round < 2'000; ++round) {
        std::string text;
        for (std::uint64_t left = rng.below(60); left > 0; --left)
            text += letters[static_cast<std::size_t>(rng.below(letters.size()))];
        if (const auto value = value_from_json(text); value.ok())
            (void)status_of_result(*value).ok();
        CHECK(cni_complaint(text, "").size() <= 1'300);
    }
}
