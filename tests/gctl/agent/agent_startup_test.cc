#include <doctest/doctest.h>

#include "crypto/invitation.h"
#include "gctl/agent/driver_watch.h"
#include "gctl/agent/startup.h"

namespace gaggle::agent {

namespace {

Startup some_startup() {
    Startup out;
    out.identity = make_identity();
    const Founding founding = found_cluster(out.identity);
    out.cluster = {.authority = founding.authority.public_key(),
                   .region = founding.region,
                   .region_name = "north",
                   .epoch = Epoch{1},
                   .certificate = founding.founder,
                   .number = PeerNumber{1},
                   .name = "barn",
                   .datacenter = "dc7",
                   .listen = {.bind = "0.0.0.0", .port = 5000, .advertise = "10.1.2.3"}};
    out.machine = {.host_name = "host",
                   .boot = BootId{{5}},
                   .total = {.cpu = {4000}, .memory = {2000}, .disk = {10'000}},
                   .attributes = {{"kernel.name", "linux"}}};
    out.start = StartId{{6}};
    out.drivers = {.drivers = {{"docker", {true, false, "does not answer"}},
                               {"raw_exec", {true, true, "Healthy"}}},
                   .attributes = {{"driver.raw_exec", "1"}}};
    out.alloc_root = "/data/alloc";
    out.http_address = "127.0.0.1:4646";
    return out;
}

}  // namespace

TEST_CASE("a node is told what was asked, what was kept and what the machine is") {
    Startup startup = some_startup();
    startup.options.node_class = "big";
    startup.options.meta = {{"rack", "7"}};
    const node::Config config = node_config(startup);
    CHECK(config.endpoint == Endpoint{"10.1.2.3", 5000, startup.identity.curve.open});
    CHECK(config.region_name == "north");
    CHECK(config.number == PeerNumber{1});
    CHECK(config.boot == BootId{{5}});
    CHECK(config.start == StartId{{6}});
    CHECK(config.offer.total == startup.machine.total);
    CHECK(config.offer.drivers == std::vector<std::string>{"raw_exec"});
    CHECK(config.description.name == "barn");
    CHECK(config.description.datacenter == "dc7");
    CHECK(config.description.node_class == "big");
    CHECK(config.description.meta.at("rack") == "7");
    CHECK(config.description.http_address == "127.0.0.1:4646");
    CHECK(config.description.attributes.at("kernel.name") == "linux");
    CHECK(config.description.attributes.at("driver.raw_exec") == "1");
    CHECK(config.description.drivers.at("docker").description == "does not answer");
    CHECK(config.description.attributes.at("unique.network.ip-address") == "10.1.2.3");
    CHECK(config.host.id == to_string(startup.identity.id()));
    CHECK(config.host.ip == "10.1.2.3");
    CHECK(config.host.alloc_root == "/data/alloc");
    CHECK(config.host.attributes == config.description.attributes);
}

TEST_CASE(
    "planners are told which networks there are, and ports are mapped where the peer listens") {
    Startup startup = some_startup();
    startup.networks = {{"gaggle.network.bridge", "1"}};
    CHECK(node_config(startup).description.attributes.at("gaggle.network.bridge") == "1");
    CHECK(network_settings(startup).port_ip.empty());  // it listens everywhere
    startup.cluster.listen.bind = "10.0.0.7";
    CHECK(network_settings(startup).port_ip == "10.0.0.7");
    startup.cluster.listen.bind = "barn.lan";
    CHECK(network_settings(startup).port_ip.empty());
}

TEST_CASE("an operator may offer less than the machine has") {
    Startup startup = some_startup();
    startup.options.cpu_total = MegaHertz{100};
    startup.options.disk_total = MegaBytes{5};
    const node::Config config = node_config(startup);
    CHECK(config.offer.total == Amounts{.cpu = {100}, .memory = {2000}, .disk = {5}});
}

TEST_CASE("a driver that falls ill is not offered, and its attributes go with it") {
    Offer offer{.drivers = {"docker", "raw_exec"}};
    Description about{.attributes = {{"driver.docker", "1"}, {"kernel.name", "linux"}}};
    node::take_drivers({.drivers = {{"docker", {true, false, "does not answer"}},
                                    {"raw_exec", {true, true, "Healthy"}}},
                        .attributes = {{"driver.raw_exec", "1"}}},
                       offer, about);
    CHECK(offer.drivers == std::vector<std::string>{"raw_exec"});
    CHECK(about.attributes ==
          std::map<std::string, std::string>{{"driver.raw_exec", "1"}, {"kernel.name", "linux"}});
    CHECK_FALSE(about.drivers.at("docker").healthy);
}

TEST_CASE("a driver that is as it was has been so since then") {
    const node::DriversFound before{.drivers = {{"docker", {true, true, "Healthy", {100}}},
                                                {"exec", {true, true, "Healthy", {100}}}},
                                    .attributes = {}};
    node::DriversFound now{.drivers = {{"docker", {true, false, "does not answer", {200}}},
                                       {"exec", {true, true, "Healthy", {200}}},
                                       {"raw_exec", {true, true, "Healthy", {200}}}},
                           .attributes = {}};
    keep_times(now, before);
    CHECK(now.drivers.at("docker").updated == WallTime{200});
    CHECK(now.drivers.at("exec").updated == WallTime{100});
    CHECK(now.drivers.at("raw_exec").updated == WallTime{200});
}

TEST_CASE("what an operator allows is what drivers are told, and one switched off says so") {
    AgentOptions options;
    options.raw_exec = false;
    options.docker_socket = "/no/such/socket";
    options.caps_allowed = {"net_raw"};
    const auto settings = driver_settings(options);
    CHECK(settings.caps_allowed == options.caps_allowed);
    const node::DriversFound found = look_at(allocrunner::Drivers(settings));
    CHECK(found.drivers.at("raw_exec").description == "switched off by this agent's operator");
    CHECK_FALSE(found.drivers.at("docker").detected);
    CHECK_FALSE(found.attributes.contains("driver.raw_exec"));
    CHECK(found.drivers.size() == 3);
}

TEST_CASE("HTTP is for this machine alone while there is no TLS") {
    struct Row {
        std::optional<std::string> http_bind;
        const char* bind;
        const char* host;  ///< empty: refused
    };
    for (const Row& row : {
             Row{{}, "127.0.0.1", "127.0.0.1"},
             Row{{}, "127.0.0.2", "127.0.0.2"},
             Row{{}, "::1", "::1"},
             Row{{}, "10.0.0.5", "127.0.0.1"},
             Row{{}, "0.0.0.0", "127.0.0.1"},
             Row{"localhost", "10.0.0.5", "127.0.0.1"},
             Row{"127.0.0.9", "10.0.0.5", "127.0.0.9"},
             Row{"0.0.0.0", "127.0.0.1", ""},
             Row{"10.0.0.5", "10.0.0.5", ""},
             Row{"::", "127.0.0.1", ""},
         }) {
        CAPTURE(row.http_bind.value_or("(not set)"));
        CAPTURE(row.bind);
        AgentOptions options;
        options.http_bind = row.http_bind;
        const auto host = http_host(options, {.bind = row.bind});
        REQUIRE(host.ok() == (*row.host != '\0'));
        if (host.ok())
            CHECK(*host == row.host);
        else
            CHECK(host.error().detail.find("TLS") != std::string::npos);
    }
}

TEST_CASE("the sockets take every frame that a node may send") {
    const PeerSocketLimits limits = socket_limits();
    CHECK(limits.control_bytes_max >= node::kControlBytesMax);
    CHECK(limits.bulk_bytes_max >= node::kBulkBytesMax);
    CHECK(limits.queue_bytes_max / 2 >= node::kBulkBytesMax);
}

TEST_CASE("DNS is near the API unless it is told elsewhere") {
    struct Row {
        std::optional<std::string> asked;
        std::string bind;
        std::string told;
    };
    for (const Row& row : {
             Row{{}, "127.0.0.3", "127.0.0.3:5006"},
             Row{{}, "0.0.0.0", "127.0.0.1:5006"},
             Row{{}, "10.1.2.3", "127.0.0.1:5006"},
             Row{"off", "127.0.0.1", "none"},
             Row{"10.1.2.3", "127.0.0.1", "10.1.2.3:5006"},
             Row{"10.1.2.3:53", "127.0.0.1", "10.1.2.3:53"},
             Row{"::1", "127.0.0.1", "[::1]:5006"},
             Row{"[::1]:53", "127.0.0.1", "[::1]:53"},
             Row{"10.1.2.3:70000", "127.0.0.1", "wrong"},
             Row{"10.1.2.3:", "127.0.0.1", "wrong"},
         }) {
        CAPTURE(row.bind);
        CAPTURE(row.told);
        const auto config = dns_config({.dns = row.asked}, {.bind = row.bind, .port = 5000});
        const std::string told = !config.ok() ? "wrong"
                                 : *config    ? host_and_port((*config)->address, (*config)->port)
                                              : "none";
        CHECK(told == row.told);
    }
    Startup startup = some_startup();
    CHECK_FALSE(node_config(startup).description.attributes.contains("unique.gaggle.dns"));
    startup.dns_address = "127.0.0.1:5006";
    CHECK(node_config(startup).description.attributes.at("unique.gaggle.dns") == "127.0.0.1:5006");
}

}  // namespace gaggle::agent
