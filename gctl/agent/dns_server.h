// The DNS server of a peer: UDP and TCP on one address, read only, on a thread of its own ("dns").
//
// Bounded: datagrams are answered one after another, those that cannot leave at once are dropped
// (the asker asks again), TCP has kTcpConnectionsMax connections of kTcpIdle. To addresses that
// others can reach, answers by UDP are at most kUdpBytesMax long: a forged sender is hit with some
// twenty-six times what was sent at worst (docs/security.md).
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "base/result.h"
#include "base/rng.h"
#include "gctl/agent/shared_services.h"

namespace gaggle {

struct DnsServerConfig {
    std::string address = "127.0.0.1";  ///< an IP address of this machine
    std::uint16_t port = 4653;          ///< 0: any free one
};

class DnsServer {
  public:
    static constexpr std::size_t kTcpConnectionsMax = 64;
    static constexpr Duration kTcpIdle = 10s;
    static constexpr std::size_t kUdpBytesMax = 1232;  ///< DNS flag day 2020
    static constexpr std::size_t kUdpBytesMaxOfLoopback = 8192;

    /// Fails with `unavailable` when the address cannot be had. The services must outlive the
    /// server.
    static Result<std::unique_ptr<DnsServer>> open(DnsServerConfig config,
                                                   const SharedServices& services, Rng rng);
    ~DnsServer();  ///< as stop()
    DnsServer(const DnsServer&) = delete;
    DnsServer& operator=(const DnsServer&) = delete;

    std::uint16_t port() const;
    /// Closes everything and joins the thread.
    void stop();

  private:
    struct Impl;
    explicit DnsServer(std::unique_ptr<Impl> impl);
    std::unique_ptr<Impl> impl_;
};

}  // namespace gaggle
