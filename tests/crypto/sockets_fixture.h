// Peers in one process, on loopback addresses and ports that are free.
#pragma once

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <chrono>
#include <condition_variable>
#include <mutex>
#include <stdexcept>
#include <thread>
#include <vector>

#include "base/rng.h"
#include "crypto/peer_socket.h"
#include "crypto/zmq_handle.h"
#include "tests/crypto/fixture.h"

namespace gaggle {

inline constexpr std::chrono::seconds kDeadline{20};  // for what must happen; nothing waits so long

/// A TCP socket without ZeroMQ.
class RawSocket {
  public:
    RawSocket() : descriptor_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {}
    ~RawSocket() { ::close(descriptor_); }
    RawSocket(const RawSocket&) = delete;
    RawSocket& operator=(const RawSocket&) = delete;

    bool listen(const std::string& host, int port) const {
        const sockaddr_in address = address_of(host, port);
        const int yes = 1;
        ::setsockopt(descriptor_, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
        return ::bind(descriptor_, reinterpret_cast<const sockaddr*>(&address), sizeof address) ==
                   0 &&
               ::listen(descriptor_, 8) == 0;
    }
    bool connect(const std::string& host, int port) const {
        const sockaddr_in address = address_of(host, port);
        const timeval patience{.tv_sec = 10, .tv_usec = 0};
        ::setsockopt(descriptor_, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
        return ::connect(descriptor_, reinterpret_cast<const sockaddr*>(&address),
                         sizeof address) == 0;
    }
    bool send(BytesView bytes) const {
        return ::send(descriptor_, bytes.data(), bytes.size(), MSG_NOSIGNAL) >= 0;
    }
    void end_of_sending() const { ::shutdown(descriptor_, SHUT_WR); }
    /// Reads until the other side closes. False when it does not.
    bool read_to_end() const {
        char bytes[512];
        ssize_t got = 1;
        while (got > 0) got = ::recv(descriptor_, bytes, sizeof bytes, 0);
        return got == 0 || errno == ECONNRESET;
    }

  private:
    static sockaddr_in address_of(const std::string& host, int port) {
        sockaddr_in out{};
        out.sin_family = AF_INET;
        out.sin_port = htons(static_cast<std::uint16_t>(port));
        ::inet_pton(AF_INET, host.c_str(), &out.sin_addr);
        return out;
    }
    int descriptor_;
};

/// A base port whose three ports are free on `host`, below the range that the kernel hands out.
inline std::uint16_t free_base_port(const std::string& host) {
    static Rng rng(static_cast<std::uint64_t>(::getpid()) * 7'919);
    for (;;) {
        const auto base = static_cast<std::uint16_t>(rng.between(15'000, 31'000));
        RawSocket three[3];
        bool all = true;
        for (int at = 0; at < 3; ++at) all = all && three[at].listen(host, base + at);
        if (all) return base;
    }
}

/// What one peer's handlers were told.
class Diary {
  public:
    PeerHandlers handlers() {
        return {
            .deliver = [this](Received one) { note([&] { received.push_back(std::move(one)); }); },
            .link = [this](const LinkEvent& one) { note([&] { links.push_back(one); }); },
            .fatal = [this](const Error& one) { note([&] { fatal.push_back(one); }); }};
    }
    /// Waits until `condition` holds for what was written down; false after the deadline.
    template <class Condition>
    bool wait(Condition condition) {
        std::unique_lock lock(mutex_);
        return changed_.wait_for(lock, kDeadline, condition);
    }
    bool wait_for_text(std::string_view text, std::size_t times = 1) {
        return wait([&] { return count(text) >= times; });
    }
    bool wait_for_link(PeerId peer, LinkEvent::Kind kind, std::size_t times = 1) {
        return wait([&] {
            std::size_t found = 0;
            for (const LinkEvent& event : links)
                if (event.peer == peer && event.kind == kind) ++found;
            return found >= times;
        });
    }
    std::size_t seen(std::string_view text) {
        const std::lock_guard lock(mutex_);
        return count(text);
    }
    std::size_t total() {
        const std::lock_guard lock(mutex_);
        return received.size();
    }
    Received last() {
        const std::lock_guard lock(mutex_);
        return received.back();
    }

    std::vector<Received> received;
    std::vector<LinkEvent> links;
    std::vector<Error> fatal;

  private:
    template <class Write>
    void note(Write write) {
        const std::lock_guard lock(mutex_);
        write();
        changed_.notify_all();
    }
    std::size_t count(std::string_view text) const {
        std::size_t found = 0;
        for (const Received& one : received)
            if (as_text(one.bytes) == text) ++found;
        return found;
    }
    std::mutex mutex_;
    std::condition_variable changed_;
};

/// A peer with its sockets. The diary outlives them.
struct TestPeer {
    TestPeer(const Identity& its_identity, const Keyring& its_keyring, std::string its_host,
             PeerSocketLimits its_limits = {})
        : identity(its_identity), keyring(its_keyring), host(std::move(its_host)) {
        limits = its_limits;
        base_port = free_base_port(host);
        open();
    }
    void open() {
        auto opened = PeerSockets::open({.identity = identity,
                                         .keyring = keyring,
                                         .bind_host = host,
                                         .base_port = base_port,
                                         .limits = limits},
                                        diary.handlers());
        if (!opened.ok()) throw std::runtime_error(opened.error().detail);  // fails the test
        sockets = std::move(opened).value();
    }
    PeerId id() const { return identity.id(); }
    Endpoint endpoint() const { return {host, base_port, identity.curve.open}; }
    std::string address(Channel channel) const {
        return tcp_address(host, base_port + static_cast<int>(channel));
    }

    Identity identity;
    Keyring keyring;
    std::string host;
    PeerSocketLimits limits;
    std::uint16_t base_port = 0;
    Diary diary;
    std::unique_ptr<PeerSockets> sockets;
};

/// A cluster of two, and somebody who does not belong to it.
struct Pair {
    explicit Pair(PeerSocketLimits limits = {})
        : second(make_identity(cluster.fresh)),
          stranger(make_identity(cluster.fresh)),
          keyring(cluster.authority(), cluster.founding.region),
          admitted(admit_both()),
          a(cluster.first, keyring, "127.0.0.1", limits),
          b(second, keyring, "127.0.0.2", limits) {
        a.sockets->set_peer(b.id(), b.endpoint());
        b.sockets->set_peer(a.id(), a.endpoint());
    }
    bool admit_both() {
        return keyring.admit(cluster.founding.founder).ok() &&
               keyring.admit(cluster.certificate_of(second)).ok();
    }

    TestCluster cluster;
    Identity second;
    Identity stranger;
    Keyring keyring;
    bool admitted;
    TestPeer a;
    TestPeer b;
};

}  // namespace gaggle
