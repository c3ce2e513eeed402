// How an agent is asked to run: plain data, as the command line says it.
//
// What is not set here comes from the data directory's cluster file (gctl/agent/cluster.h), and
// only then from a default; so a peer needs its address, name and datacenter once, at `cluster
// init` or when it joins.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "allocrunner/config.h"
#include "allocrunner/network/settings.h"
#include "base/log.h"
#include "base/units.h"

namespace gaggle {

struct AgentOptions {
    bool dev = false;      ///< one peer, a region of its own, a temporary data directory if none
    std::string data_dir;  ///< required unless `dev`
    std::string invitation_file;  ///< to join with: a path, or "-" for standard input; or empty

    std::optional<std::string> bind;        ///< an address of this machine; "127.0.0.1"
    std::optional<std::uint16_t> port;      ///< control; bulk is one above, the lobby two; 4647
    std::optional<std::string> advertise;   ///< host that others dial; the bound address
    std::optional<std::string> name;        ///< a label; the machine's host name
    std::optional<std::string> datacenter;  ///< "dc1"
    std::optional<std::string> region;      ///< only with `dev`: a name for its region; "global"
    std::string node_class;
    std::map<std::string, std::string> meta;

    std::optional<std::string> http_bind;  ///< the bound address when it is a loopback one, else
                                           ///< "127.0.0.1"
    std::uint16_t http_port = 4646;        ///< 0: any free one
    std::optional<std::string> dns;  ///< "ADDRESS", "ADDRESS:PORT" or "off"; the address of HTTP,
                                     ///< and the control port plus 6
    log::Level log_level = log::Level::info;

    std::optional<MegaHertz> cpu_total;  ///< what this peer offers; not set: what the machine has
    std::optional<MegaBytes> memory_total;
    std::optional<MegaBytes> disk_total;
    Duration max_kill_timeout = std::chrono::seconds(30);  ///< bounds every task's `kill_timeout`
    allocrunner::Config collection;  ///< when directories of finished allocations go
    bool raw_exec = true;
    bool exec_root = false;                 ///< tasks of driver exec may run as root
    std::vector<std::string> caps_allowed;  ///< for cap_add, besides the default list; or "all"
    std::string docker_socket = "/var/run/docker.sock";
    bool docker_privileged = false;
    bool docker_volumes = true;             ///< tasks may mount paths of the host
    bool file_artifacts = false;            ///< artifacts may be files of this machine
    allocrunner::NetworkSettings networks;  ///< `port_ip` follows from where the peer listens
};

}  // namespace gaggle
