// The API's answers as plain data: what the commands show, and no more.
//
// Names are those of Nomad's JSON. Times are nanoseconds since 1970 as WallTime, 0 when not known.
// Fields of ours that Nomad has not: AllocView::copies, PlanView::placements, RegionView, and
// some tags of a member.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/time.h"
#include "gctl/cli/json.h"

namespace gaggle::cli {

/// Why a group could not be placed, or how it was (Nomad's AllocMetric).
struct Metrics {
    std::int64_t evaluated = 0, filtered = 0, exhausted = 0, coalesced = 0;
    std::map<std::string, std::int64_t> available;  ///< nodes per datacenter
    std::map<std::string, std::int64_t> class_filtered, constraint_filtered;
    std::map<std::string, std::int64_t> class_exhausted, dimension_exhausted;
    struct Score {
        std::string node_id;
        double final_score = 0;
        std::map<std::string, double> parts;
    };
    std::vector<Score> scores;
};

struct JobStub {
    std::string id, parent, type, status;
    std::int64_t priority = 0;
    bool stop = false;
    bool parameterized = false;  ///< as JobView's
    WallTime submitted;
};

struct JobView {
    std::string id, parent, name, name_space, type, status;
    std::int64_t priority = 0, version = 0;
    bool stop = false, periodic = false;
    bool parameterized = false;  ///< waits for dispatches; not so one that was dispatched
    WallTime submitted;
    std::vector<std::string> datacenters;
    std::vector<std::pair<std::string, std::int64_t>> groups;  ///< name and count
};

struct GroupSummary {
    std::int64_t queued = 0, starting = 0, running = 0, failed = 0, complete = 0, lost = 0;
};

/// Of the jobs that were dispatched from a parameterized one.
struct ChildrenSummary {
    std::int64_t pending = 0, running = 0, dead = 0;
};

struct AllocStub {
    std::string id, eval_id, name, node_id, node_name, group, job_id;
    std::string desired, desired_description, client, description;
    std::string follow_up_eval;  ///< failed: this one will look at it again
    std::int64_t version = 0;
    std::uint64_t create_index = 0;
    WallTime created, modified;
    std::vector<std::string> tasks;
};

struct TaskEvent {
    WallTime time;
    std::string type, message;
};

struct TaskView {
    std::string name, state;
    bool failed = false;
    std::int64_t restarts = 0;
    std::string started, finished, last_restart;  ///< RFC 3339; empty: not yet
    std::vector<TaskEvent> events;                ///< oldest first
    std::int64_t cpu = 0, memory = 0, memory_max = 0;
    std::string cores;  ///< "2,3": the processors that are its alone; empty: none
};

struct PortView {
    std::string label, host_ip;
    std::int64_t value = 0, to = 0;
    bool dynamic = true;
};

/// A copy of the allocation's directories on another peer.
struct CopyView {
    std::string peer_id, peer_name;
    std::uint64_t generation = 0;
    std::optional<std::uint64_t> version;  ///< these two: nothing when its holder did not answer
    std::optional<std::int64_t> age_ms;
    bool complete = false;
};

/// How often a failed allocation was replaced on the way to this one.
struct RescheduleView {
    std::int64_t attempts = 0;      ///< within the policy's interval
    std::int64_t attempts_max = 0;  ///< 0: the policy has no limit, or there was none
};

struct AllocView {
    AllocStub stub;
    std::string previous_allocation, next_allocation;
    RescheduleView reschedules;
    std::vector<TaskView> tasks;
    std::vector<PortView> ports;
    std::int64_t disk = 0;
    Metrics metrics;
    std::vector<CopyView> copies;
};

/// A file or directory of an allocation.
struct FileView {
    std::string name, mode, modified, content_type;
    std::int64_t size = 0;
    bool is_folder = false;
};

struct EvalView {
    std::string id, type, triggered_by, job_id, node_id, status, description;
    std::string blocked_eval, next_eval, previous_eval;
    std::string wait_until;  ///< RFC 3339; nobody looks before
    std::int64_t priority = 0;
    WallTime created, modified;
    std::map<std::string, Metrics> failed;
    std::map<std::string, std::int64_t> queued;
};

struct NodeStub {
    std::string id, name, datacenter, node_class, status, eligibility, address;
    bool drain = false;
};

struct NodeView {
    NodeStub stub;
    std::string http_address;
    std::map<std::string, std::string> attributes, meta;
    struct Driver {
        bool healthy = false, detected = false;
        std::string reason;  ///< why it is not healthy
    };
    std::map<std::string, Driver> drivers;
    std::int64_t cpu = 0, memory = 0, disk = 0;
};

/// What the allocations on a node have been given.
struct Usage {
    std::int64_t cpu = 0, memory = 0, disk = 0;
};

/// The name of a service with all tags that its instances have.
struct ServiceName {
    std::string name_space, name;
    std::vector<std::string> tags;
};

/// One instance of a service.
struct ServiceView {
    std::string id, name, name_space, job_id, alloc_id, node_id, datacenter, address, health;
    std::int64_t port = 0;
    std::vector<std::string> tags;
};

struct MemberView {
    std::string name, address, status;
    std::int64_t port = 0;
    std::map<std::string, std::string> tags;
    std::string tag(const std::string& key) const;
};

struct RegionMember {
    std::string peer_id, name, role;
    std::int64_t number = 0;
    bool leader = false;
    std::uint64_t match = 0;
    std::optional<std::int64_t> silent_ms;
};

struct RegionView {
    std::string id, name, leader;
    std::uint64_t epoch = 0, term = 0, last = 0, commit = 0, applied = 0;
    bool has_quorum = false;
    std::vector<RegionMember> members;
    std::vector<std::string> missing, notes;
};

struct FieldDiff {
    std::string type, name, before, after;
    std::vector<std::string> annotations;
};
/// A job, group, task or object inside them: all have the same shape.
struct Diff {
    std::string type = "None", name;  ///< type: Added, Deleted, Edited or None
    std::vector<FieldDiff> fields;
    std::vector<Diff> objects;
    std::vector<Diff> parts;  ///< a job's groups, a group's tasks
    std::vector<std::string> annotations;
    std::map<std::string, std::int64_t> updates;  ///< of a group: "create" -> 2
};

struct GroupUpdates {
    std::int64_t ignore = 0, place = 0, migrate = 0, stop = 0, in_place = 0, destructive = 0;
};

struct PlanPlacement {
    std::string name, node_id, node_name;
};

struct PlanView {
    std::uint64_t job_modify_index = 0;
    Diff diff;
    std::map<std::string, GroupUpdates> updates;
    std::map<std::string, Metrics> failed;
    std::vector<PlanPlacement> placements;
    std::string warnings;
};

struct RegisterView {
    std::string eval_id, warnings;
    std::uint64_t job_modify_index = 0;
};

std::vector<JobStub> jobs_of(const Json& json);
JobView job_of(const Json& json);
std::map<std::string, GroupSummary> summary_of(const Json& json);
ChildrenSummary children_of(const Json& json);
std::vector<AllocStub> allocs_of(const Json& json);
AllocView alloc_of(const Json& json);
Usage usage_of(const Json& allocs);
FileView file_of(const Json& json);
std::vector<EvalView> evals_of(const Json& json);
EvalView eval_of(const Json& json);
/// Nobody looks at it before `wait_until`; Go's zero time is no time.
bool waits_for_time(const EvalView& eval);
std::vector<NodeStub> nodes_of(const Json& json);
NodeView node_of(const Json& json);
std::vector<ServiceName> service_names_of(const Json& json);
std::vector<ServiceView> services_of(const Json& json);
std::vector<MemberView> members_of(const Json& json);
RegionView region_of(const Json& json);
PlanView plan_of(const Json& json);
RegisterView registered_of(const Json& json);

}  // namespace gaggle::cli
