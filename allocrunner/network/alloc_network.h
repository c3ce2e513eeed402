// The network of one allocation as its tasks meet it, once it is set up.
//
// An allocation of a group with `network { mode = "bridge" | "cni/<name>" | "none" }` has a network
// namespace of its own that all its tasks share; it is held open by a mount, so it lives without
// any process. The name server and host files are the allocation's own where the job (`dns`,
// `hostname`) or the namespace asks for them, also in mode "host".
#pragma once

#include <string>
#include <tuple>

#include "placement/jobspec/job_network.h"

namespace gaggle::allocrunner {

inline bool is_empty(const DnsConfig& dns) {
    return dns.servers.empty() && dns.searches.empty() && dns.options.empty();
}

/// What a peer tells the region: Nomad's NetworkStatus.
struct NetworkStatus {
    std::string interface;  ///< inside the namespace; empty: it has none but loopback
    std::string ip;         ///< of that interface, without the prefix's length
    DnsConfig dns;
    template <class Self>
    static auto wire_fields(Self& s) {
        return std::tie(s.interface, s.ip, s.dns);
    }
    bool operator==(const NetworkStatus&) const = default;
};

/// What a task enters before it becomes the task: raw_exec by its shim, exec by runc's bundle. All
/// empty: the machine's own.
struct TaskNetwork {
    std::string netns;          ///< path of the network namespace
    std::string hostname;       ///< in a UTS namespace of its own
    std::string resolv_file;    ///< to be seen as /etc/resolv.conf
    std::string hosts_file;     ///< to be seen as /etc/hosts
    std::string hostname_file;  ///< to be seen as /etc/hostname
    template <class Self>
    static auto wire_fields(Self& s) {
        return std::tie(s.netns, s.hostname, s.resolv_file, s.hosts_file, s.hostname_file);
    }
    bool operator==(const TaskNetwork&) const = default;
};

struct AllocNetwork {
    std::string mode;  ///< as the group's network says: "bridge", "cni/<name>", "none" or "host"
    NetworkStatus status;
    TaskNetwork tasks;
    template <class Self>
    static auto wire_fields(Self& s) {
        return std::tie(s.mode, s.status, s.tasks);
    }
    bool operator==(const AllocNetwork&) const = default;
};

}  // namespace gaggle::allocrunner
