// What a peer offers and what an allocation asks, as numbers and ports.
//
// One record per peer, written by that peer alone; the ledger keeps the books against `total`,
// gossip carries `free` as the peer sees it. Attributes and datacenter are the peer's description:
// rare, separate, and read only by planners (a claimant alone judges constraints; fits() never
// looks at them).
#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <tuple>
#include <vector>

#include "base/ids.h"
#include "base/time.h"
#include "base/units.h"
#include "placement/jobspec/job.h"

namespace gaggle {

/// Amounts of the resources that are counted. Nomad's `disk` counts for placement only.
struct Amounts {
    MegaHertz cpu;  ///< offered: of all cores; asked: what is shared with others
    MegaBytes memory;
    MegaBytes disk;
    std::int64_t cores = 0;  ///< asked: for one task alone
    constexpr auto operator<=>(const Amounts&) const = default;
    Amounts& operator+=(const Amounts& other);
    Amounts& operator-=(const Amounts& other);
    template <class Self>
    static auto wire_fields(Self& s) {
        return std::tie(s.cpu, s.memory, s.disk, s.cores);
    }
};

/// How much of the offered compute `used` takes: its shares, and the whole of each of its cores.
MegaHertz compute_of(const Amounts& offered, const Amounts& used);
/// The first of "cores", "cpu", "memory", "disk" of which more is used than is offered, or nullptr.
const char* exceeded(const Amounts& offered, const Amounts& used);

struct PortRange {
    std::uint16_t first = 20000;
    std::uint16_t last = 32000;  ///< included
    constexpr auto operator<=>(const PortRange&) const = default;
    template <class Self>
    static auto wire_fields(Self& s) {
        return std::tie(s.first, s.last);
    }
};

/// What a peer offers in all, after what it keeps for itself. Goes into the log at admission and on
/// change.
struct Offer {
    Amounts total;
    PortRange dynamic_ports;
    std::vector<std::string> drivers;  ///< healthy ones, sorted
    bool operator==(const Offer&) const = default;
    template <class Self>
    static auto wire_fields(Self& s) {
        return std::tie(s.total, s.dynamic_ports, s.drivers);
    }
};

/// What a driver says of itself on a peer; shown to people. Planners read Offer::drivers.
struct DriverHealth {
    bool detected = false;
    bool healthy = false;
    std::string description;  ///< "Healthy", or why not and what to do
    WallTime updated;         ///< when it began to be so, or its agent to look
    bool operator==(const DriverHealth&) const = default;
    template <class Self>
    static auto wire_fields(Self& s) {
        return std::tie(s.detected, s.healthy, s.description, s.updated);
    }
};

/// Who a peer is to a planner: the values behind ${attr.*}, ${meta.*}, ${node.*}.
struct Description {
    std::string name;
    std::string datacenter = "dc1";
    std::string node_class;
    std::string node_pool = "default";
    std::string http_address;  ///< host:port that peers and tools can reach
    std::map<std::string, std::string> attributes;
    std::map<std::string, std::string> meta;
    std::map<std::string, DriverHealth> drivers;  ///< all that this version knows
    bool operator==(const Description&) const = default;
    template <class Self>
    static auto wire_fields(Self& s) {
        return std::tie(s.name, s.datacenter, s.node_class, s.node_pool, s.http_address,
                        s.attributes, s.meta, s.drivers);
    }
};

/// The gossiped capacity record: what is free now, by the peer's own books.
struct CapacityRecord {
    Amounts free;
    std::uint32_t allocations = 0;  ///< running or starting here
    bool eligible = true;
    bool operator==(const CapacityRecord&) const = default;
    template <class Self>
    static auto wire_fields(Self& s) {
        return std::tie(s.free, s.allocations, s.eligible);
    }
};

/// What one allocation of a group asks of a peer.
struct Ask {
    Amounts amounts;
    std::vector<Port> ports;
    std::set<std::string> drivers;
    bool operator==(const Ask&) const = default;
    template <class Self>
    static auto wire_fields(Self& s) {
        return std::tie(s.amounts, s.ports, s.drivers);
    }
};

/// Sums over the group's tasks, plus its ephemeral disk.
Ask ask_of(const TaskGroup& group);

}  // namespace gaggle
