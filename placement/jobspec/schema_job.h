// The upper three floors of a job's description: task, group, job. See schema.h.
//
// Each is described from its parts, because a reader fills a draft (policies still patches) where
// the writer has a canonical job.
#pragma once

#include "placement/jobspec/schema_service.h"
#include "placement/jobspec/schema_setup.h"

namespace gaggle::schema {

constexpr auto kNameOf = [](auto& one) -> auto& { return one.name; };
constexpr auto kDraftTaskName = [](auto& one) -> auto& { return one.task.name; };
constexpr auto kDraftGroupName = [](auto& one) -> auto& { return one.group.name; };

/// Blocks of Nomad's task that this version does not run.
template <class A>
void describe_task_later(A& a) {
    a.later("kind", "Kind", kNoText);
    a.later("vault", "Vault", kNull);
    a.later("consul", "Consul", kNull);
    a.later("volume_mount", "VolumeMounts", kNull);
    a.later("csi_plugin", "CSIPluginConfig", kNull);
    a.later("scaling", "ScalingPolicies", kNull);
    a.later("secret", "Secrets", kNull);
    a.later("identity", "Identities", kNull);
    a.later("action", "Actions", kNull);
    a.later("schedule", "Schedule", kNull);
}

template <class A, One<Task> T, class Restart>
void describe_task(A& a, T& task, Restart& restart) {
    if constexpr (!A::kHcl) a.attribute("", "Name", task.name);
    a.attribute("driver", "Driver", task.driver);
    a.attribute("user", "User", task.user);
    a.free("config", "Config", task.config);
    a.pairs("env", "Env", task.env);
    a.pairs("meta", "Meta", task.meta);
    a.block("resources", "Resources", task.resources);
    a.block("logs", "LogConfig", task.logs);
    a.block("restart", "RestartPolicy", restart);
    a.blocks("constraint", "Constraints", task.constraints);
    a.blocks("affinity", "Affinities", task.affinities);
    a.blocks("service", "Services", task.services);
    a.attribute("leader", "Leader", task.leader);
    a.attribute("kill_timeout", "KillTimeout", task.kill_timeout);
    a.attribute("kill_signal", "KillSignal", task.kill_signal);
    a.attribute("shutdown_delay", "ShutdownDelay", task.shutdown_delay);
    a.block("lifecycle", "Lifecycle", task.lifecycle);
    a.blocks("artifact", "Artifacts", task.artifacts);
    a.blocks("template", "Templates", task.templates);
    a.block("dispatch_payload", "DispatchPayload", task.dispatch_payload);
    describe_task_later(a);
}

template <class A, One<TaskDraft> T>
void describe(A& a, T& draft) {
    describe_task(a, draft.task, draft.restart);
}

template <class A, One<Task> T>
void describe(A& a, T& task) {
    describe_task(a, task, task.restart);
}

/// All of a group but its tasks and policies.
template <class A, One<TaskGroup> G>
void describe_group(A& a, G& group) {
    if constexpr (!A::kHcl) a.attribute("", "Name", group.name);
    a.attribute("count", "Count", group.count);
    a.blocks("network", "Networks", group.networks);
    a.block("ephemeral_disk", "EphemeralDisk", group.disk);
    a.block("disconnect", "Disconnect", group.disconnect);
    a.blocks("constraint", "Constraints", group.constraints);
    a.blocks("affinity", "Affinities", group.affinities);
    a.blocks("spread", "Spreads", group.spreads);
    a.blocks("service", "Services", group.services);
    a.pairs("meta", "Meta", group.meta);
    a.attribute("shutdown_delay", "ShutdownDelay", group.shutdown_delay);
    a.later("volume", "Volumes", kNull);
    a.later("scaling", "Scaling", kNull);
    a.later("consul", "Consul", kNull);
    a.later("vault", "", kNull);
    a.later("secret", "", kNull);
    a.later("max_run_duration", "MaxRunDuration", kNull);
    a.later("stop_after_client_disconnect", "StopAfterClientDisconnect", kNull);
    a.later("max_client_disconnect", "MaxClientDisconnect", kNull);
    a.later("prevent_reschedule_on_lost", "PreventRescheduleOnLost", kFalse);
}

template <class A, class G>
void describe_policies(A& a, G& policies) {
    a.block("reschedule", "ReschedulePolicy", policies.reschedule);
    a.block("update", "Update", policies.update);
    a.block("migrate", "Migrate", policies.migrate);
}

template <class A, One<GroupDraft> G>
void describe(A& a, G& draft) {
    describe_group(a, draft.group);
    a.block("restart", "RestartPolicy", draft.restart);
    describe_policies(a, draft);
    a.labelled("task", "Tasks", draft.tasks, kDraftTaskName);
}

template <class A, One<TaskGroup> G>
void describe(A& a, G& group) {
    describe_group(a, group);
    a.block("restart", "RestartPolicy", group.restart);
    describe_policies(a, group);
    a.labelled("task", "Tasks", group.tasks, kNameOf);
}

/// All of a job but its groups and policies.
template <class A, One<Job> J>
void describe_job(A& a, J& job) {
    a.attribute("id", "ID", job.id);
    a.attribute("name", "Name", job.name);
    a.attribute("namespace", "Namespace", job.name_space);
    a.attribute("region", "Region", job.region);
    a.choice("type", "Type", job.type, kJobTypes);
    a.attribute("priority", "Priority", job.priority);
    a.attribute("all_at_once", "AllAtOnce", job.all_at_once);
    a.attribute("datacenters", "Datacenters", job.datacenters);
    a.attribute("node_pool", "NodePool", job.node_pool);
    a.blocks("constraint", "Constraints", job.constraints);
    a.blocks("affinity", "Affinities", job.affinities);
    a.blocks("spread", "Spreads", job.spreads);
    a.pairs("meta", "Meta", job.meta);
    a.block("parameterized", "ParameterizedJob", job.parameterized);
    a.later("multiregion", "Multiregion", kNull);
    a.later("periodic", "Periodic", kNull);
    a.later("vault", "", kNull);
    a.later("secret", "", kNull);
    a.later("ui", "UI", kNull);
}

template <class A, One<JobDraft> J>
void describe(A& a, J& draft) {
    describe_job(a, draft.job);
    a.block("update", "Update", draft.update);
    a.block("reschedule", "Reschedule", draft.reschedule);
    a.block("migrate", "Migrate", draft.migrate);
    a.labelled("group", "TaskGroups", draft.groups, kDraftGroupName);
    a.labelled("task", "", draft.tasks, kDraftTaskName);
}

template <class A, One<Job> J>
void describe(A& a, J& job) {
    describe_job(a, job);
    a.block("update", "Update", job.update);
    a.labelled("group", "TaskGroups", job.groups, kNameOf);
}

}  // namespace gaggle::schema
