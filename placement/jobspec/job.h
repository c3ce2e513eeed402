// A job as plain data, canonical: every default of Nomad's registration is filled in.
//
// The parsers (HCL2, API JSON) make it, validate.h judges it, the log carries it, everybody else
// reads it. Names and meanings are Nomad's (developer.hashicorp.com job specification); what is
// ours says so. Durations are microseconds here and nanoseconds in the API's JSON.
#pragma once

#include <cstddef>
#include <map>
#include <optional>
#include <string>
#include <tuple>
#include <vector>

#include "base/time.h"
#include "base/units.h"
#include "placement/jobspec/job_network.h"
#include "placement/jobspec/job_service.h"
#include "placement/jobspec/job_setup.h"
#include "placement/jobspec/value.h"

namespace gaggle {

/// Lists and maps inside one another in a driver's `config`.
constexpr std::size_t kConfigNestingMax = 16;
/// What Limits::depth must allow for a Job alone (a level of config is up to four of msgpack); add
/// the depth of what carries it.
constexpr std::size_t kJobWireDepth = 80;
/// A valid job is at most this large when encoded, so that what carries it fits in 1 MiB.
constexpr std::size_t kJobWireBytesMax = 512U << 10U;

enum class JobType { service, batch, system, sysbatch };
constexpr JobType wire_last(JobType) { return JobType::sysbatch; }

struct Constraint {
    std::string left;  ///< LTarget, such as "${attr.kernel.name}"
    std::string operand = "=";
    std::string right;  ///< RTarget
    template <class Self>
    static auto wire_fields(Self& s) {
        return std::tie(s.left, s.operand, s.right);
    }
    bool operator==(const Constraint&) const = default;
};

struct Affinity {
    std::string left;
    std::string operand = "=";
    std::string right;
    std::int64_t weight = 50;  ///< -100 to 100, not 0
    template <class Self>
    static auto wire_fields(Self& s) {
        return std::tie(s.left, s.operand, s.right, s.weight);
    }
    bool operator==(const Affinity&) const = default;
};

struct SpreadTarget {
    std::string value;
    std::int64_t percent = 0;
    template <class Self>
    static auto wire_fields(Self& s) {
        return std::tie(s.value, s.percent);
    }
    bool operator==(const SpreadTarget&) const = default;
};

struct Spread {
    std::string attribute;
    std::int64_t weight = 50;  ///< 0 to 100
    std::vector<SpreadTarget> targets;
    template <class Self>
    static auto wire_fields(Self& s) {
        return std::tie(s.attribute, s.weight, s.targets);
    }
    bool operator==(const Spread&) const = default;
};

struct RestartPolicy {
    enum class Mode { fail, delay };
    friend constexpr Mode wire_last(Mode) { return Mode::delay; }
    std::int64_t attempts = 2;
    Duration interval = 30min;
    Duration delay = 15s;
    Mode mode = Mode::fail;
    template <class Self>
    static auto wire_fields(Self& s) {
        return std::tie(s.attempts, s.interval, s.delay, s.mode);
    }
    bool operator==(const RestartPolicy&) const = default;
};

struct ReschedulePolicy {
    enum class Function { constant, exponential, fibonacci };
    friend constexpr Function wire_last(Function) { return Function::fibonacci; }
    std::int64_t attempts = 0;
    Duration interval = 0s;
    Duration delay = 30s;
    Function function = Function::exponential;
    Duration delay_max = 1h;
    bool unlimited = true;
    template <class Self>
    static auto wire_fields(Self& s) {
        return std::tie(s.attempts, s.interval, s.delay, s.function, s.delay_max, s.unlimited);
    }
    bool operator==(const ReschedulePolicy&) const = default;
};

struct UpdateStrategy {
    Duration stagger = 30s;
    std::int64_t max_parallel = 1;
    std::string health_check = "checks";
    Duration min_healthy_time = 10s;
    Duration healthy_deadline = 5min;
    Duration progress_deadline = 10min;
    std::int64_t canary = 0;
    bool auto_revert = false;
    bool auto_promote = false;
    template <class Self>
    static auto wire_fields(Self& s) {
        return std::tie(s.stagger, s.max_parallel, s.health_check, s.min_healthy_time,
                        s.healthy_deadline, s.progress_deadline, s.canary, s.auto_revert,
                        s.auto_promote);
    }
    bool operator==(const UpdateStrategy&) const = default;
};

struct MigrateStrategy {
    std::int64_t max_parallel = 1;
    std::string health_check = "checks";
    Duration min_healthy_time = 10s;
    Duration healthy_deadline = 5min;
    template <class Self>
    static auto wire_fields(Self& s) {
        return std::tie(s.max_parallel, s.health_check, s.min_healthy_time, s.healthy_deadline);
    }
    bool operator==(const MigrateStrategy&) const = default;
};

/// Nomad's `disconnect` block. Unset optionals mean "as the region does by default".
struct DisconnectStrategy {
    std::optional<Duration> lost_after;
    std::optional<Duration> stop_on_client_after;
    bool replace = true;
    std::string reconcile = "best_score";
    template <class Self>
    static auto wire_fields(Self& s) {
        return std::tie(s.lost_after, s.stop_on_client_after, s.replace, s.reconcile);
    }
    bool operator==(const DisconnectStrategy&) const = default;
};

struct EphemeralDisk {
    MegaBytes size{300};
    bool sticky = false;
    bool migrate = false;
    std::int64_t replicas =
        0;  ///< ours: how many other peers keep a copy; also group meta "gaggle.replicas"
    template <class Self>
    static auto wire_fields(Self& s) {
        return std::tie(s.size, s.sticky, s.migrate, s.replicas);
    }
    bool operator==(const EphemeralDisk&) const = default;
};

struct Resources {
    MegaHertz cpu{100};      ///< 0 when whole cores are asked for
    std::int64_t cores = 0;  ///< for this task alone
    MegaBytes memory{300};
    MegaBytes memory_max{0};  ///< 0: no oversubscription; -1: no limit
    MegaBytes secrets{0};     ///< of the secrets directory, beside `memory`; 0: 1 MB, not counted
    template <class Self>
    static auto wire_fields(Self& s) {
        return std::tie(s.cpu, s.cores, s.memory, s.memory_max, s.secrets);
    }
    bool operator==(const Resources&) const = default;
};

struct LogConfig {
    std::int64_t files_max = 10;
    MegaBytes file_size{10};
    bool disabled = false;
    template <class Self>
    static auto wire_fields(Self& s) {
        return std::tie(s.files_max, s.file_size, s.disabled);
    }
    bool operator==(const LogConfig&) const = default;
};

struct Task {
    std::string name;
    std::string driver;
    std::string user;
    Value::Map config;                       ///< free-form; judged by the driver
    std::map<std::string, std::string> env;  ///< interpolated on the peer
    Meta meta;
    Resources resources;
    LogConfig logs;
    RestartPolicy restart;  ///< group's and task's merged
    std::vector<Constraint> constraints;
    std::vector<Affinity> affinities;
    std::vector<Service> services;
    bool leader = false;
    Duration kill_timeout = 5s;
    std::string kill_signal;  ///< empty: SIGINT, or for a container what its image says
    Duration shutdown_delay = 0s;
    std::optional<Lifecycle> lifecycle;  ///< nothing: a main task
    std::vector<Artifact> artifacts;
    std::vector<Template> templates;
    std::optional<DispatchPayload> dispatch_payload;
    template <class Self>
    static auto wire_fields(Self& s) {
        return std::tie(s.name, s.driver, s.user, s.config, s.env, s.meta, s.resources, s.logs,
                        s.restart, s.constraints, s.affinities, s.services, s.leader,
                        s.kill_timeout, s.kill_signal, s.shutdown_delay, s.lifecycle, s.artifacts,
                        s.templates, s.dispatch_payload);
    }
    bool operator==(const Task&) const = default;
};

struct TaskGroup {
    std::string name;
    std::int64_t count = 1;
    std::vector<Task> tasks;
    std::vector<Network> networks;  ///< at most one
    EphemeralDisk disk;
    RestartPolicy restart;
    ReschedulePolicy reschedule;
    std::optional<UpdateStrategy> update;    ///< only where Nomad has one: service jobs
    std::optional<MigrateStrategy> migrate;  ///< only service jobs
    std::optional<DisconnectStrategy> disconnect;
    std::vector<Constraint> constraints;
    std::vector<Affinity> affinities;
    std::vector<Spread> spreads;
    std::vector<Service> services;
    Meta meta;
    Duration shutdown_delay = 0s;
    template <class Self>
    static auto wire_fields(Self& s) {
        return std::tie(s.name, s.count, s.tasks, s.networks, s.disk, s.restart, s.reschedule,
                        s.update, s.migrate, s.disconnect, s.constraints, s.affinities, s.spreads,
                        s.services, s.meta, s.shutdown_delay);
    }
    bool operator==(const TaskGroup&) const = default;
};

/// A job that runs nothing itself: each dispatch makes a child of it, with a payload and meta.
struct Parameterized {
    enum class Payload { optional, required, forbidden };
    friend constexpr Payload wire_last(Payload) { return Payload::forbidden; }
    Payload payload = Payload::optional;
    std::vector<std::string> meta_required;
    std::vector<std::string> meta_optional;
    template <class Self>
    static auto wire_fields(Self& s) {
        return std::tie(s.payload, s.meta_required, s.meta_optional);
    }
    bool operator==(const Parameterized&) const = default;
};

struct Job {
    std::string id;
    std::string name;
    std::string name_space = "default";
    std::string region = "global";
    JobType type = JobType::service;
    std::int64_t priority = 50;  ///< 1 to 100
    bool all_at_once = false;
    std::vector<std::string> datacenters{"*"};  ///< globs
    std::string node_pool = "default";
    std::vector<Constraint> constraints;
    std::vector<Affinity> affinities;
    std::vector<Spread> spreads;
    std::vector<TaskGroup> groups;
    std::optional<UpdateStrategy> update;
    Meta meta;
    std::optional<Parameterized> parameterized;  ///< batch jobs only
    std::string parent;   ///< of a dispatched job: the parameterized one's id; else empty
    std::string payload;  ///< of a dispatched job, any bytes
    template <class Self>
    static auto wire_fields(Self& s) {
        return std::tie(s.id, s.name, s.name_space, s.region, s.type, s.priority, s.all_at_once,
                        s.datacenters, s.node_pool, s.constraints, s.affinities, s.spreads,
                        s.groups, s.update, s.meta, s.parameterized, s.parent, s.payload);
    }
    bool operator==(const Job&) const = default;
};

const char* to_string(JobType type);
std::optional<JobType> job_type(std::string_view name);

/// The group of that name, or nullptr. The pointer lives as long as the job is not changed.
const TaskGroup* find_group(const Job& job, std::string_view name);

}  // namespace gaggle
