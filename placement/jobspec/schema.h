// What a job is made of, said once: every field with its name in HCL and its name in the API's
// JSON.
//
// A description walks the fields of a struct with an archive, and the archive decides what that
// means: HclReader takes them from a block, ApiReader from JSON, ApiWriter puts them there. An
// archive has
//   attribute(hcl, api, field)          one value
//   choice(hcl, api, field, names)      an enum, by the names of its enumerators in order
//   pairs(hcl, api, field)              names and texts, as a block or an attribute
//   lists(hcl, api, field)              the same with a list of texts for each name
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
/// What Nomad writes into its JSON where nothing was asked for.
inline const Value kRequireHealthy{std::string("require_healthy")};
inline const Value kDefault{std::string("default")};

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

/// Shares of the processor and whole cores exclude each other: who asks for cores has cpu 0.
template <class A, One<Resources> C>
void describe(A& a, C& c) {
    a.attribute("cores", "Cores", c.cores);
    if constexpr (std::is_const_v<C>) {
        a.attribute("cpu", "CPU", c.cpu);
    } else {
        std::optional<MegaHertz> cpu;
        a.attribute("cpu", "CPU", cpu);
        if (cpu || c.cores > 0) c.cpu = cpu.value_or(MegaHertz{0});
    }
    a.attribute("memory", "MemoryMB", c.memory);
    a.attribute("memory_max", "MemoryMaxMB", c.memory_max);
    a.attribute("secrets", "SecretsMB", c.secrets);
    a.ignored("disk", "DiskMB", kNoNumber);
    a.ignored("iops", "IOPS", kNoNumber);
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
