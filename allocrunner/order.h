// What a peer is to run, and on what: plain data that the node routes from the ledger to the
// runner.
#pragma once

#include <map>
#include <string>
#include <tuple>
#include <vector>

#include "base/ids.h"
#include "placement/jobspec/job.h"

namespace gaggle::allocrunner {

struct AssignedPort {
    std::string label;
    std::uint16_t value = 0;  ///< on the host
    std::int64_t to = 0;      ///< 0: the same
    template <class Self>
    static auto wire_fields(Self& s) {
        return std::tie(s.label, s.value, s.to);
    }
    bool operator==(const AssignedPort&) const = default;
};

/// What of a job its allocations need besides their group.
struct JobHeader {
    std::string id;
    std::string name;
    std::string name_space = "default";
    std::string region = "global";
    JobType type = JobType::service;
    Meta meta;
    std::string parent;   ///< id of the job that this one was dispatched from; empty: none
    std::string payload;  ///< of a dispatched job, as it was given
    template <class Self>
    static auto wire_fields(Self& s) {
        return std::tie(s.id, s.name, s.name_space, s.region, s.type, s.meta, s.parent, s.payload);
    }
    bool operator==(const JobHeader&) const = default;
};

/// Where the state of a new allocation comes from, before its tasks start.
struct Restore {
    enum class Kind {
        none,        ///< it starts empty
        from_alloc,  ///< rename from `previous`, an allocation that ended on this peer
        from_copy,   ///< from the copy of the slot that this peer holds (the executor's hook does
                     ///< it)
    };
    friend constexpr Kind wire_last(Kind) { return Kind::from_copy; }
    Kind kind = Kind::none;
    AllocId previous;
    template <class Self>
    static auto wire_fields(Self& s) {
        return std::tie(s.kind, s.previous);
    }
    bool operator==(const Restore&) const = default;
};

enum class Desired { run, stop };
constexpr Desired wire_last(Desired) { return Desired::stop; }

struct Order {
    AllocId alloc;
    std::string name;  ///< "job.group[index]"
    JobHeader job;
    TaskGroup group;
    std::int64_t index = 0;
    EvalId eval;
    Generation generation;
    std::vector<AssignedPort> ports;
    Desired desired = Desired::run;
    Restore restore;
    template <class Self>
    static auto wire_fields(Self& s) {
        return std::tie(s.alloc, s.name, s.job, s.group, s.index, s.eval, s.generation, s.ports,
                        s.desired, s.restore);
    }
    bool operator==(const Order&) const = default;
};

/// The machine as its tasks see it. Fixed while the agent runs.
struct Host {
    std::string id;  ///< the peer's id as a UUID
    std::string name;
    std::string datacenter = "dc1";
    std::string node_class;
    std::string node_pool = "default";
    std::string ip = "127.0.0.1";  ///< where assigned ports are, as others reach them
    std::string alloc_root;        ///< absolute; holds one directory per allocation
    std::map<std::string, std::string> attributes;   ///< ${attr.*}
    std::map<std::string, std::string> meta;         ///< ${meta.*}
    std::map<std::string, std::string> environment;  ///< of the agent, as far as tasks may see it
    MegaHertz cpu;                                   ///< of all `cores`, as placement counts it
    std::int64_t cores = 0;                          ///< 0: not known
    Duration max_kill_timeout = 30s;  ///< no task's `kill_timeout` counts for more (Nomad: 30 s)
};

/// A fenced group never starts without the commit group's word (DESIGN section 9).
inline bool is_fenced(const TaskGroup& group) {
    return group.disconnect && group.disconnect->stop_on_client_after.has_value();
}

}  // namespace gaggle::allocrunner
