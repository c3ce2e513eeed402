// One instance of a service: where what a `service` block promises is reached, and how it is.
//
// A peer makes these from its allocations, tells them to the ledger (from which the HTTP API
// answers) and, with their health, to the other peers (from which DNS and templates answer).
#pragma once

#include <cstdint>
#include <string>
#include <tuple>
#include <vector>

#include "allocrunner/alloc_status.h"
#include "base/ids.h"

namespace gaggle::allocrunner {

struct ServiceInstance {
    std::string name;
    std::string task;        ///< empty: a service of the group
    std::string port_label;  ///< as the job says it: a label or a number; may be empty
    std::string address;     ///< mostly an IP address; a name where the job says one
    std::uint16_t port = 0;  ///< 0: the service has none
    std::vector<std::string> tags;
    CheckStatus health = CheckStatus::success;  ///< of its checks together; success without any
    template <class Self>
    static auto wire_fields(Self& s) {
        return std::tie(s.name, s.task, s.port_label, s.address, s.port, s.tags, s.health);
    }
    bool operator==(const ServiceInstance&) const = default;
};

/// Nomad's: "_nomad-task-<alloc>-<task>-<service>-<port label>", the task of a group's service
/// being "group-<group>".
std::string registration_id(const AllocId& alloc, const std::string& group,
                            const ServiceInstance& instance);

}  // namespace gaggle::allocrunner
