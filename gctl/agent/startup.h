// From what was asked, what was kept and what the machine is, to the configuration of a node.
#pragma once

#include <string>

#include "crypto/peer_socket.h"
#include "gctl/agent/cluster.h"
#include "gctl/agent/dns_server.h"
#include "gctl/agent/fingerprint.h"
#include "gctl/node/node.h"

namespace gaggle::agent {

struct Startup {
    AgentOptions options;
    ClusterFile cluster;  ///< with the options in it
    Identity identity;
    Fingerprint machine;
    std::map<std::string, std::string> networks;  ///< attributes: what it can give allocations
    node::DriversFound drivers;
    StartId start;
    std::string alloc_root;  ///< absolute
    std::string http_host;
    std::string http_address;                        ///< host:port of the API, as bound
    std::string dns_address;                         ///< host:port, as bound; empty: there is none
    std::map<std::string, std::string> environment;  ///< of the agent, as far as tasks may see it
};

node::Config node_config(const Startup& startup);

/// As asked for, with mapped ports where the peer itself listens.
allocrunner::NetworkSettings network_settings(const Startup& startup);

/// The limits of the peer sockets are the node's.
PeerSocketLimits socket_limits();

/// Where the HTTP API listens. `denied` for an address that others reach: there is no TLS yet, and
/// the token would cross the network in the clear.
Result<std::string> http_host(const AgentOptions& options, const Listen& listen);

/// Where services are told by DNS; nothing when that is off. `invalid` for what is no address.
Result<std::optional<DnsServerConfig>> dns_config(const AgentOptions& options,
                                                  const Listen& listen);

/// "[::1]:4646", "127.0.0.1:4646".
std::string host_and_port(const std::string& host, std::uint16_t port);

}  // namespace gaggle::agent
