#include "allocrunner/network_request.h"

#include <doctest/doctest.h>

namespace gaggle::allocrunner {

namespace {

Host host() {
    Host host;
    host.name = "shop-7";
    host.alloc_root = "/var/lib/gaggle/alloc";
    host.meta = {{"resolver", "10.0.0.53"}};
    return host;
}

Order order() {
    Order order;
    order.alloc = *parse_id<AllocId>("0a1b2c3d-0000-4000-8000-000000000001");
    order.index = 2;
    order.ports = {{"db", 23456, 0}, {"web", 8080, 80}, {"same", 9090, -1}};
    return order;
}

}  // namespace

TEST_CASE("a group's network is filled in for its allocation") {
    Order bridged = order();
    bridged.group.networks = {{.mode = "bridge",
                               .hostname = "web-${NOMAD_ALLOC_INDEX}",
                               .dns = DnsConfig{.servers = {"${meta.resolver}"},
                                                .searches = {"${node.unique.name}.lan"},
                                                .options = {"rotate"}}}};
    CHECK(network_request(host(), bridged) ==
          NetworkRequest{
              .alloc = "0a1b2c3d-0000-4000-8000-000000000001",
              .mode = "bridge",
              .hostname = "web-2",
              .dns = {.servers = {"10.0.0.53"}, .searches = {"shop-7.lan"}, .options = {"rotate"}},
              .ports = {{23456, 23456}, {8080, 80}, {9090, 9090}}});
}

TEST_CASE("only a network that has something of its own needs to be set up") {
    struct Row {
        std::vector<Network> networks;
        bool needs;
    };
    for (const Row& row : {
             Row{{}, false},
             Row{{{.mode = "host"}}, false},
             Row{{{.mode = "none"}}, true},
             Row{{{.mode = "cni/lan"}}, true},
             Row{{{.mode = "host", .hostname = "web"}}, true},
             Row{{{.mode = "host", .dns = DnsConfig{}}}, false},
             Row{{{.mode = "host", .dns = DnsConfig{.servers = {"10.0.0.53"}}}}, true},
         }) {
        Order one = order();
        one.group.networks = row.networks;
        CHECK(needs_network(network_request(host(), one)) == row.needs);
    }
}

}  // namespace gaggle::allocrunner
