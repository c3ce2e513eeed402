// The DNS server over real sockets on loopback.
#include "gctl/agent/dns_server.h"

#include <arpa/inet.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/unique_fd.h"
#include "tests/gctl/agent/dns_fixture.h"

namespace gaggle {

namespace {

using dns::Told;
using dns::Type;

class Client {
  public:
    Client(std::uint16_t port, int kind)
        : fd_(::socket(AF_INET, kind, 0)), tcp_(kind == SOCK_STREAM) {
        sockaddr_in to{};
        to.sin_family = AF_INET;
        to.sin_port = htons(port);
        to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        REQUIRE(::connect(fd_.get(), reinterpret_cast<sockaddr*>(&to), sizeof to) == 0);
    }
    void send(Bytes message) {
        if (tcp_) {
            const std::size_t size = message.size();
            message.insert(message.begin(), {static_cast<std::uint8_t>(size >> 8U),
                                             static_cast<std::uint8_t>(size & 0xffU)});
        }
        REQUIRE(::send(fd_.get(), message.data(), message.size(), MSG_NOSIGNAL) ==
                static_cast<ssize_t>(message.size()));
    }
    /// Empty when the server closes.
    Bytes receive() {
        if (!tcp_) {
            Bytes out(65'536);
            out.resize(some(out.data(), out.size()));
            return out;
        }
        const Bytes length = exactly(2);
        if (length.empty()) return {};
        return exactly(static_cast<std::size_t>(length[0]) << 8U | length[1]);
    }

  private:
    std::size_t some(std::uint8_t* to, std::size_t size) {
        pollfd wait{.fd = fd_.get(), .events = POLLIN, .revents = 0};
        REQUIRE(::poll(&wait, 1, 10'000) == 1);
        const auto got = ::recv(fd_.get(), to, size, 0);
        return got > 0 ? static_cast<std::size_t>(got) : 0;
    }
    Bytes exactly(std::size_t size) {
        Bytes out(size);
        for (std::size_t have = 0; have < size;) {
            const std::size_t got = some(out.data() + have, size - have);
            if (got == 0) return {};
            have += got;
        }
        return out;
    }

    UniqueFd fd_;
    bool tcp_;
};

/// A server with 100 instances of "many" and one of "web".
struct Server {
    Server() {
        node::ServiceList list{dns::instance("web", "10.0.0.1", 80)};
        for (std::uint8_t n = 1; n <= 100; ++n)
            list.push_back(dns::instance("many", "10.1.0." + std::to_string(n), n));
        services.take({.peer = dns::peer_id(1), .services = list});
        auto opened = DnsServer::open({.address = "127.0.0.1", .port = 0}, services, Rng(1));
        CAPTURE(opened.ok() ? "" : opened.error().detail);
        REQUIRE(opened.ok());
        server = std::move(*opened);
    }
    SharedServices services;
    std::unique_ptr<DnsServer> server;
};

Bytes asks(const std::string& name, Type type, int edns_bytes = -1) {
    return dns::question_of({.name = name, .type = type, .edns_bytes = edns_bytes});
}

}  // namespace

TEST_CASE("questions by UDP are answered, also after garbage") {
    Server world;
    Client client(world.server->port(), SOCK_DGRAM);
    client.send(Bytes(3, 7));
    client.send(asks("web.service.gaggle", Type::a));
    CHECK(Told(client.receive()).has("answer web.service.gaggle A 10.0.0.1"));
    Bytes bad = asks("web.service.gaggle", Type::a);
    bad.resize(20);
    client.send(bad);
    CHECK(Told(client.receive()).code == 1);
}

TEST_CASE("a datagram is as long as the asker can take, and TCP takes the rest") {
    Server world;
    Client client(world.server->port(), SOCK_DGRAM);
    client.send(asks("many.service.gaggle", Type::srv));
    Bytes plain = client.receive();
    CHECK(plain.size() <= 512);
    CHECK(Told(plain).truncated);
    client.send(asks("many.service.gaggle", Type::srv, 8192));
    CHECK(Told(client.receive()).count("answer") == 100);

    Client stream(world.server->port(), SOCK_STREAM);
    for (int round = 0; round < 2; ++round) {  // on one connection
        stream.send(asks("many.service.gaggle", Type::srv));
        const Told told(stream.receive());
        CHECK_FALSE(told.truncated);
        CHECK(told.count("answer") == 100);
        CHECK(told.count("additional") == 100);
    }
    stream.send(Bytes(5, 0));  // no question: it hangs up
    CHECK(stream.receive().empty());
}

TEST_CASE("a place that is taken is told, and a server that stops lets go of it") {
    Server world;
    const std::uint16_t port = world.server->port();
    const auto second =
        DnsServer::open({.address = "127.0.0.1", .port = port}, world.services, Rng(2));
    REQUIRE_FALSE(second.ok());
    CHECK(second.error().detail.starts_with("serve DNS on 127.0.0.1 port " + std::to_string(port)));
    CHECK_FALSE(DnsServer::open({.address = "nowhere", .port = 0}, world.services, Rng(2)).ok());
    Client open(port, SOCK_STREAM);  // with a connection under way
    world.server.reset();
    CHECK(DnsServer::open({.address = "127.0.0.1", .port = port}, world.services, Rng(3)).ok());
}

}  // namespace gaggle
