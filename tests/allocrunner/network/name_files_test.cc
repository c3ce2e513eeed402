#include "allocrunner/network/name_files.h"

#include <doctest/doctest.h>

#include "allocrunner/network/network_offer.h"
#include "allocrunner/network/plugins.h"

using namespace gaggle;
using namespace gaggle::allocrunner;

TEST_CASE("a resolv.conf is read as resolv.conf(5) says") {
    const DnsConfig dns = parse_resolv_conf(
        "# made by hand\n; so\nnameserver 10.0.0.53 # first\n\tnameserver\t::1\n"
        "domain old.lan\nsearch a.lan b.lan\noptions ndots:2\noptions rotate\nnameserver\nbroken");
    CHECK(dns == DnsConfig{.servers = {"10.0.0.53", "::1"},
                           .searches = {"a.lan", "b.lan"},
                           .options = {"ndots:2", "rotate"}});
    CHECK(resolv_conf(dns) ==
          "search a.lan b.lan\nnameserver 10.0.0.53\nnameserver ::1\noptions ndots:2 rotate\n");
    CHECK(resolv_conf({}).empty());
}

TEST_CASE("what the job says wins, list by list") {
    const DnsConfig job{.servers = {"1.1.1.1"}, .searches = {}, .options = {}};
    const DnsConfig machine{.servers = {"9.9.9.9"}, .searches = {"lan"}, .options = {"rotate"}};
    CHECK(prefer(job, machine) ==
          DnsConfig{.servers = {"1.1.1.1"}, .searches = {"lan"}, .options = {"rotate"}});
}

TEST_CASE("a stub on loopback is told from servers that can be reached from elsewhere") {
    CHECK(only_local_servers({.servers = {"127.0.0.53"}, .searches = {}, .options = {}}));
    CHECK(only_local_servers({.servers = {"::1", "127.0.0.1"}, .searches = {}, .options = {}}));
    CHECK_FALSE(
        only_local_servers({.servers = {"127.0.0.53", "10.0.0.1"}, .searches = {}, .options = {}}));
    CHECK_FALSE(only_local_servers({}));
}

TEST_CASE("a host name stands for the allocation's address, or for loopback without one") {
    CHECK(hosts_file("172.26.64.2", "web").ends_with("\n172.26.64.2 web\n"));
    CHECK(hosts_file("", "web").ends_with("\n127.0.0.1 web\n"));
    CHECK(hosts_file("", "").starts_with("127.0.0.1 localhost\n"));
}

TEST_CASE("a plugin's own version counts, else the newest protocol that it speaks") {
    CHECK(version_in("CNI bridge plugin v1.1.1\nCNI protocol versions supported: 0.1.0, 1.0.0\n") ==
          "v1.1.1");
    CHECK(version_in("CNI bridge plugin version unknown\n"
                     "CNI protocol versions supported: 0.1.0, 0.4.0, 1.0.0\n") == "1.0.0");
    CHECK(version_in("usage: something else\n").empty());
    CHECK(version_in("").empty());
}

TEST_CASE("planners are told what a machine can, and people why it cannot") {
    const auto able = network_attributes(
        {.no_netns = {}, .versions = {{"bridge", "v1.1.1"}}, .missing = {}, .networks = {"lan"}});
    CHECK(able == std::map<std::string, std::string>{{"gaggle.network.bridge", "1"},
                                                     {"gaggle.network.cni/lan", "1"},
                                                     {"gaggle.network.none", "1"},
                                                     {"nomad.bridge.hairpin_mode", "true"},
                                                     {"plugins.cni.version.bridge", "v1.1.1"}});
    const auto poor =
        network_attributes({.no_netns = {}, .versions = {}, .missing = {"a", "b"}, .networks = {}});
    CHECK(poor == std::map<std::string, std::string>{{"gaggle.network.bridge.lacks", "a; b"},
                                                     {"gaggle.network.none", "1"}});
    const auto none = network_attributes(
        {.no_netns = "not root", .versions = {}, .missing = {}, .networks = {"lan"}});
    CHECK(none == std::map<std::string, std::string>{{"gaggle.network.bridge.lacks", "not root"},
                                                     {"gaggle.network.lacks", "not root"}});
}
