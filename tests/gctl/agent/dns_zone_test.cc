// The names of services, asked as a resolver asks them.
#include "gctl/agent/dns_zone.h"

#include "tests/gctl/agent/dns_fixture.h"

namespace gaggle::dns {

namespace {

class Zone {
  public:
    Zone() {
        node::ListedService failing = instance("web", "10.0.0.9", 9);
        failing.instance.health = allocrunner::CheckStatus::failure;
        node::ListedService down = instance("down", "10.0.0.9", 9);
        down.instance.health = allocrunner::CheckStatus::pending;
        node::ListedService shop = instance("web", "10.0.0.2", 8005);
        shop.name_space = "shop";
        book.take({.peer = peer_id(1),
                   .datacenter = "berlin",
                   .services = {instance("web", "10.0.0.1", 8001, {"Blue", "v1.2"}), failing, down,
                                instance("web", "10.0.0.1", 8002), shop}});
        book.take({.peer = peer_id(2),
                   .datacenter = "rome",
                   .services = {instance("web", "10.0.0.2", 8003), instance("six", "fd00::2", 8004),
                                instance("far", "db.example.com", 5432)}});
    }

    Told ask(const std::string& name, Type type = Type::a, std::size_t bytes_max = 4096) {
        const auto request = read_request(question_of({.name = name, .type = type}));
        REQUIRE(request);
        REQUIRE(request->question);
        const Answer answer = answer_of([&](const auto& wanted) { return book.find(wanted); },
                                        *request->question, "127.0.0.5", rng);
        return Told(write_answer(*request, answer, bytes_max));
    }
    bool exists(const std::string& name) { return ask(name).code == 0; }

    node::ServiceBook book;
    Rng rng{3};
};

constexpr unsigned kNoSuchName = 3;
constexpr unsigned kRefused = 5;

}  // namespace

TEST_CASE("a service's addresses are told, each once, and only of usable instances") {
    Zone zone;
    const Told told = zone.ask("web.service.gaggle");
    CHECK(told.code == 0);
    CHECK(told.authoritative);
    CHECK(told.count("answer") == 2);
    CHECK(told.has("answer web.service.gaggle A 10.0.0.1"));
    CHECK(told.has("answer web.service.gaggle A 10.0.0.2"));
    const Told six = zone.ask("six.service.gaggle", Type::aaaa);
    CHECK(six.has("answer six.service.gaggle AAAA fd000000000000000000000000000002"));
}

TEST_CASE("SRV tells ports, with the addresses of their targets") {
    Zone zone;
    for (const char* name : {"web.service.gaggle", "_web._tcp.service.gaggle"}) {
        const Told told = zone.ask(name, Type::srv);
        const std::string of = std::string("answer ") + name + " SRV 1 1 ";
        CHECK(told.count("answer") == 3);
        CHECK(told.has(of + "8001 0a000001.addr.gaggle"));
        CHECK(told.has(of + "8002 0a000001.addr.gaggle"));
        CHECK(told.has(of + "8003 0a000002.addr.gaggle"));
        CHECK(told.count("additional") == 2);
        CHECK(told.has("additional 0a000001.addr.gaggle A 10.0.0.1"));
    }
    CHECK(zone.ask("0a000001.addr.gaggle").has("answer 0a000001.addr.gaggle A 10.0.0.1"));
    CHECK(zone.ask("fd000000000000000000000000000002.addr.gaggle", Type::aaaa).count("answer") ==
          1);
    CHECK(zone.ask("0a0000.addr.gaggle").code == kNoSuchName);
}

TEST_CASE("tags, namespaces and datacenters choose among the instances") {
    Zone zone;
    const auto ports = [&](const std::string& name) {
        std::string out;
        for (const std::string& line : zone.ask(name, Type::srv).lines)
            if (line.starts_with("answer"))
                for (const char* port : {"8001", "8002", "8003", "8005"})
                    if (line.find(port) != std::string::npos) out += out.empty() ? port : "+";
        return out;
    };
    CHECK(ports("blue.web.service.gaggle") == "8001");
    CHECK(ports("v1.2.web.service.gaggle") == "8001");
    CHECK(ports("_web._blue.service.gaggle") == "8001");
    CHECK(ports("WEB.Service.rome.DC.gaggle") == "8003");
    CHECK(ports("web.service.shop.ns.gaggle") == "8005");
    CHECK(ports("_web._tcp.service.shop.ns.berlin.dc.gaggle") == "8005");
    CHECK_FALSE(zone.exists("web.service.shop.ns.rome.dc.gaggle"));
    CHECK_FALSE(zone.exists("green.web.service.gaggle"));
}

TEST_CASE("what does not exist and what has no records are two things") {
    Zone zone;
    const Told none = zone.ask("nobody.service.gaggle");
    CHECK(none.code == kNoSuchName);
    CHECK(none.has("authority gaggle SOA"));
    const Told empty = zone.ask("down.service.gaggle");
    CHECK(empty.code == 0);
    CHECK(empty.count("answer") == 0);
    CHECK(empty.has("authority gaggle SOA"));
    const Told other = zone.ask("web.service.gaggle", Type::aaaa);
    CHECK(other.code == 0);
    CHECK(other.lines == std::vector<std::string>{"authority gaggle SOA"});
    for (const char* name : {"service.gaggle", "addr.gaggle", "gaggle", "ns.gaggle"}) {
        CAPTURE(name);
        CHECK(zone.exists(name));
    }
    for (const char* name : {"x.gaggle", "web.service.x.gaggle", "web.service.x.y.gaggle",
                             "web.service.a.dc.b.dc.gaggle", "a.b.addr.gaggle"}) {
        CAPTURE(name);
        CHECK_FALSE(zone.exists(name));
    }
}

TEST_CASE("other zones are refused, our own is described") {
    Zone zone;
    for (const char* name : {"example.com", ".", "gaggle.example", "gagglex"}) {
        const Told told = zone.ask(name);
        CHECK(told.code == kRefused);
        CHECK_FALSE(told.authoritative);
        CHECK(told.lines.empty());
    }
    CHECK(zone.ask("gaggle", Type::soa).has("answer gaggle SOA"));
    CHECK(zone.ask("Gaggle", Type::ns).has("answer Gaggle NS ns.gaggle"));
    CHECK(zone.ask("ns.gaggle").has("answer ns.gaggle A 127.0.0.5"));
}

TEST_CASE("a service that is told by a host's name leads there") {
    Zone zone;
    CHECK(zone.ask("far.service.gaggle").has("answer far.service.gaggle CNAME db.example.com"));
    CHECK(zone.ask("far.service.gaggle", Type::srv)
              .has("answer far.service.gaggle SRV 1 1 5432 db.example.com"));
}

TEST_CASE("instances come in another order each time") {
    Zone zone;
    node::ServiceList many;
    for (std::uint8_t n = 1; n <= 20; ++n)
        many.push_back(instance("many", "10.1.0." + std::to_string(n), n));
    zone.book.take({.peer = peer_id(9), .services = many});
    CHECK(zone.ask("many.service.gaggle").lines != zone.ask("many.service.gaggle").lines);
}

TEST_CASE("what does not fit is cut, additional records first, and answers with the bit") {
    Zone zone;
    node::ServiceList many;
    for (std::uint8_t n = 1; n <= 100; ++n)
        many.push_back(instance("many", "10.1.0." + std::to_string(n), n));
    zone.book.take({.peer = peer_id(9), .services = many});
    const Told whole = zone.ask("many.service.gaggle", Type::srv, 65535);
    CHECK_FALSE(whole.truncated);
    CHECK(whole.count("answer") == 100);
    CHECK(whole.count("additional") == 100);
    const Told without = zone.ask("many.service.gaggle", Type::srv, 4600);
    CHECK_FALSE(without.truncated);
    CHECK(without.count("answer") == 100);
    CHECK(without.count("additional") < 100);
    const Told cut = zone.ask("many.service.gaggle", Type::srv, 512);
    CHECK(cut.truncated);
    CHECK(cut.count("answer") < 20);
    CHECK(cut.count("answer") > 5);
    CHECK(cut.count("additional") == 0);
}

}  // namespace gaggle::dns
