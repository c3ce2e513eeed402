// What a job is made of, said once: every field with its name in HCL and its name in the API's
// JSON.
//
// A description walks the fields of a struct with an archive, and the archive decides what that
// means: HclReader takes them from a block, ApiReader from JSON, ApiWriter puts them there. An
// archive has
//   attribute(hcl, api, field)          one value
//   choice(hcl, api, field, names)      an enum, by the names of its enumerators in order
//   pairs(hcl, api, field)              names and texts, as a block or an attribute
//   free(hcl, api, field)               a driver's config
//   block(hcl, api, field)              a struct, or an optional one
//   blocks(hcl, api, field)             a list of structs
//   labelled(hcl, api, field, name)     the same where each has a name: the block's label
//   later(hcl, api, zero)               Nomad's, not run here yet: refused unless it is empty
//   ignored(hcl, api, zero)             Nomad's, without effect
// An empty name means "not in this language". Names and their order are Nomad's.
#pragma once

#include <concepts>
#include <type_traits>

#include "placement/jobspec/draft.h"

namespace gaggle::schema {

/// Some type of the list, perhaps const: a policy and its patch have the same fields.
template <class T, class... Types>
concept One = (std::same_as<std::remove_const_t<T>, Types> || ...);

inline const Value kNull{};
inline const Value kNoText{std::string()};
inline const Value kNoNumber{std::int64_t{0}};
inline const Value kFalse{false};

using Names = std::initializer_list<const char*>;
constexpr Names kJobTypes{"service", "batch", "system", "sysbatch"};
constexpr Names kRestartModes{"fail", "delay"};
constexpr Names kRescheduleFunctions{"constant", "exponential", "fibonacci"};

/// `regexp = "x"` is short for `operator = "regexp"` and `value = "x"`.
template <class A, class C>
void describe_shorthands(A& a, C& condition) {
    if constexpr (A::kHcl) {
        for (const char* operand : {"regexp", "version", "semver", "set_contains",
                                    "set_contains_all", "set_contains_any"}) {
            std::optional<std::string> value;
            a.attribute(operand, "", value);
            if (!value) continue;
            condition.operand = operand;
            condition.right = *value;
        }
    }
}

template <class A, One<Constraint> C>
void describe(A& a, C& c) {
    a.attribute("attribute", "LTarget", c.left);
    a.attribute("operator", "Operand", c.operand);
    a.attribute("value", "RTarget", c.right);
    describe_shorthands(a, c);
    if constexpr (A::kHcl) {
        std::optional<bool> hosts;
        a.attribute("distinct_hosts", "", hosts);
        if (hosts)
            c = {.left = "", .operand = "distinct_hosts", .right = *hosts ? "true" : "false"};
        std::optional<std::string> property;
        a.attribute("distinct_property", "", property);
        if (property) c = {.left = *property, .operand = "distinct_property", .right = c.right};
    }
}

template <class A, One<Affinity> C>
void describe(A& a, C& c) {
    a.attribute("attribute", "LTarget", c.left);
    a.attribute("operator", "Operand", c.operand);
    a.attribute("value", "RTarget", c.right);
    a.attribute("weight", "Weight", c.weight);
    describe_shorthands(a, c);
}

template <class A, One<SpreadTarget> C>
void describe(A& a, C& c) {
    if constexpr (!A::kHcl) a.attribute("", "Value", c.value);  // the label
    a.attribute("percent", "Percent", c.percent);
}

template <class A, One<Spread> C>
void describe(A& a, C& c) {
    a.attribute("attribute", "Attribute", c.attribute);
    a.attribute("weight", "Weight", c.weight);
    a.labelled(
        "target", "SpreadTarget", c.targets, [](auto& t) -> auto& { return t.value; });
}

template <class A, One<RestartPolicy, RestartPatch> C>
void describe(A& a, C& c) {
    a.attribute("attempts", "Attempts", c.attempts);
    a.attribute("interval", "Interval", c.interval);
    a.attribute("delay", "Delay", c.delay);
    a.choice("mode", "Mode", c.mode, kRestartModes);
    a.later("render_templates", "RenderTemplates", kFalse);
}

template <class A, One<ReschedulePolicy, ReschedulePatch> C>
void describe(A& a, C& c) {
    a.attribute("attempts", "Attempts", c.attempts);
    a.attribute("interval", "Interval", c.interval);
    a.attribute("delay", "Delay", c.delay);
    a.choice("delay_function", "DelayFunction", c.function, kRescheduleFunctions);
    a.attribute("max_delay", "MaxDelay", c.delay_max);
    a.attribute("unlimited", "Unlimited", c.unlimited);
}

template <class A, One<UpdateStrategy, UpdatePatch> C>
void describe(A& a, C& c) {
    a.attribute("stagger", "Stagger", c.stagger);
    a.attribute("max_parallel", "MaxParallel", c.max_parallel);
    a.attribute("health_check", "HealthCheck", c.health_check);
    a.attribute("min_healthy_time", "MinHealthyTime", c.min_healthy_time);
    a.attribute("healthy_deadline", "HealthyDeadline", c.healthy_deadline);
    a.attribute("progress_deadline", "ProgressDeadline", c.progress_deadline);
    a.attribute("canary", "Canary", c.canary);
    a.attribute("auto_revert", "AutoRevert", c.auto_revert);
    a.attribute("auto_promote", "AutoPromote", c.auto_promote);
}

template <class A, One<MigrateStrategy, MigratePatch> C>
void describe(A& a, C& c) {
    a.attribute("max_parallel", "MaxParallel", c.max_parallel);
    a.attribute("health_check", "HealthCheck", c.health_check);
    a.attribute("min_healthy_time", "MinHealthyTime", c.min_healthy_time);
    a.attribute("healthy_deadline", "HealthyDeadline", c.healthy_deadline);
}

template <class A, One<DisconnectStrategy> C>
void describe(A& a, C& c) {
    a.attribute("lost_after", "LostAfter", c.lost_after);
    a.later("stop_on_client_after", "StopOnClientAfter", kNull);
    a.attribute("replace", "Replace", c.replace);
    a.attribute("reconcile", "Reconcile", c.reconcile);
}

template <class A, One<EphemeralDisk> C>
void describe(A& a, C& c) {
    a.attribute("sticky", "Sticky", c.sticky);
    a.attribute("migrate", "Migrate", c.migrate);
    a.attribute("size", "SizeMB", c.size);
    a.attribute("replicas", "Replicas", c.replicas);  // ours
}

template <class A, One<Port> C>
void describe(A& a, C& c) {
    if constexpr (!A::kHcl) a.attribute("", "Label", c.label);
    a.attribute("static", "Value", c.fixed);
    a.attribute("to", "To", c.to);
    a.attribute("host_network", "HostNetwork", c.host_network);
    a.later("ignore_collision", "IgnoreCollision", kFalse);
}

/// HCL has one kind of port; the API keeps those with a fixed number in a list of their own.
template <class A, One<Network> C>
void describe(A& a, C& c) {
    a.attribute("mode", "Mode", c.mode);
    a.attribute("mbits", "MBits", c.mbits);
    const auto label = [](auto& port) -> auto& { return port.label; };
    if constexpr (A::kHcl) {
        a.labelled("port", "", c.ports, label);
    } else {
        std::vector<Port> reserved, dynamic;
        for (const Port& port : c.ports) (port.fixed != 0 ? reserved : dynamic).push_back(port);
        a.labelled("", "ReservedPorts", reserved, label);
        a.labelled("", "DynamicPorts", dynamic, label);
        if constexpr (!std::is_const_v<C>) {
            c.ports = std::move(reserved);
            c.ports.insert(c.ports.end(), dynamic.begin(), dynamic.end());
        }
    }
    a.later("hostname", "Hostname", kNoText);
    a.later("dns", "DNS", kNull);
    a.later("cni", "CNI", kNull);
    a.later("device", "Device", kNoText);
    a.later("cidr", "CIDR", kNoText);
    a.later("ip", "IP", kNoText);
    a.later("reserved_ports", "", kNull);
}

template <class A, One<ServiceCheck> C>
void describe(A& a, C& c) {
    a.attribute("name", "Name", c.name);
    a.attribute("type", "Type", c.type);
    a.attribute("port", "PortLabel", c.port);
    a.attribute("path", "Path", c.path);
    a.attribute("protocol", "Protocol", c.protocol);
    a.attribute("method", "Method", c.method);
    a.attribute("interval", "Interval", c.interval);
    a.attribute("timeout", "Timeout", c.timeout);
    a.later("command", "Command", kNoText);
    a.later("args", "Args", kNull);
    a.later("expose", "Expose", kFalse);
    a.later("address_mode", "AddressMode", kNoText);
    a.later("advertise", "Advertise", kNoText);
    a.later("initial_status", "InitialStatus", kNoText);
    a.later("notes", "Notes", kNoText);
    a.later("tls_server_name", "TLSServerName", kNoText);
    a.later("tls_skip_verify", "TLSSkipVerify", kFalse);
    a.later("header", "Header", kNull);
    a.later("body", "Body", kNoText);
    a.later("grpc_service", "GRPCService", kNoText);
    a.later("grpc_use_tls", "GRPCUseTLS", kFalse);
    a.later("task", "TaskName", kNoText);
    a.later("success_before_passing", "SuccessBeforePassing", kNoNumber);
    a.later("failures_before_critical", "FailuresBeforeCritical", kNoNumber);
    a.later("failures_before_warning", "FailuresBeforeWarning", kNoNumber);
    a.later("on_update", "OnUpdate", kNoText);
    a.later("check_restart", "CheckRestart", kNull);
}

template <class A, One<Service> C>
void describe(A& a, C& c) {
    a.attribute("name", "Name", c.name);
    a.attribute("provider", "Provider", c.provider);
    a.attribute("port", "PortLabel", c.port);
    a.attribute("address_mode", "AddressMode", c.address_mode);
    a.attribute("tags", "Tags", c.tags);
    a.pairs("meta", "Meta", c.meta);
    a.blocks("check", "Checks", c.checks);
    a.later("canary_tags", "CanaryTags", kNull);
    a.later("canary_meta", "CanaryMeta", kNull);
    a.later("tagged_addresses", "TaggedAddresses", kNull);
    a.later("enable_tag_override", "EnableTagOverride", kFalse);
    a.later("address", "Address", kNoText);
    a.later("task", "TaskName", kNoText);
    a.later("on_update", "OnUpdate", kNoText);
    a.later("cluster", "Cluster", kNoText);
    a.later("kind", "Kind", kNoText);
    a.later("weights", "Weights", kNull);
    a.later("identity", "Identity", kNull);
    a.later("check_restart", "CheckRestart", kNull);
    a.later("connect", "Connect", kNull);
}

template <class A, One<Resources> C>
void describe(A& a, C& c) {
    a.attribute("cpu", "CPU", c.cpu);
    a.attribute("cores", "Cores", c.cores);
    a.attribute("memory", "MemoryMB", c.memory);
    a.attribute("memory_max", "MemoryMaxMB", c.memory_max);
    a.ignored("disk", "DiskMB", kNoNumber);
    a.ignored("iops", "IOPS", kNoNumber);
    a.later("secrets", "SecretsMB", kNoNumber);
    a.later("network", "Networks", kNull);
    a.later("device", "Devices", kNull);
    a.later("numa", "NUMA", kNull);
}

template <class A, One<LogConfig> C>
void describe(A& a, C& c) {
    a.attribute("max_files", "MaxFiles", c.files_max);
    a.attribute("max_file_size", "MaxFileSizeMB", c.file_size);
    a.attribute("disabled", "Disabled", c.disabled);
    a.later("enabled", "Enabled", kNull);
}

}  // namespace gaggle::schema
