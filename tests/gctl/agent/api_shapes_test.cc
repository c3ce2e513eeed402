// The names in the answers, against what a Nomad 1.1.2 agent answered when it was asked (our own
// probe; the lists below are its names).
#include <sstream>

#include "tests/gctl/agent/api_world.h"

namespace gaggle {

namespace {

void check_names(const Value& value, const std::string& where, const std::string& names) {
    const Value& object = at(value, where);
    std::istringstream words(names);
    for (std::string name; words >> name;) {
        CAPTURE(where);
        CAPTURE(name);
        CHECK(member(object, name) != nullptr);
    }
}

constexpr const char* kSummary = "Children CreateIndex JobID ModifyIndex Namespace Summary";
constexpr const char* kCounts = "Complete Failed Lost Queued Running Starting";
constexpr const char* kJob =
    "Affinities AllAtOnce Constraints ConsulNamespace ConsulToken CreateIndex Datacenters "
    "Dispatched ID JobModifyIndex Meta ModifyIndex Multiregion Name Namespace NomadTokenID "
    "ParameterizedJob ParentID Payload Periodic Priority Region Spreads Stable Status "
    "StatusDescription Stop SubmitTime TaskGroups Type Update VaultNamespace VaultToken Version";
constexpr const char* kGroup =
    "Affinities Constraints Count EphemeralDisk Meta Migrate Name Networks ReschedulePolicy "
    "RestartPolicy Scaling Services ShutdownDelay Spreads StopAfterClientDisconnect Tasks Update "
    "Volumes";
constexpr const char* kTask =
    "Affinities Artifacts CSIPluginConfig Config Constraints DispatchPayload Driver Env KillSignal "
    "KillTimeout Kind Leader Lifecycle LogConfig Meta Name Resources RestartPolicy ScalingPolicies "
    "Services ShutdownDelay Templates User Vault VolumeMounts";
constexpr const char* kAllocStub =
    "ClientDescription ClientStatus CreateIndex CreateTime DeploymentStatus DesiredDescription "
    "DesiredStatus DesiredTransition EvalID FollowupEvalID ID JobID JobType JobVersion ModifyIndex "
    "ModifyTime Name Namespace NodeID NodeName PreemptedAllocations PreemptedByAllocation "
    "RescheduleTracker TaskGroup TaskStates";
constexpr const char* kAlloc =
    "AllocModifyIndex AllocatedResources ClientDescription ClientStatus CreateIndex CreateTime "
    "DeploymentID DeploymentStatus DesiredStatus EvalID ID Job JobID Metrics ModifyIndex "
    "ModifyTime Name Namespace NetworkStatus NodeID NodeName Resources SharedResources TaskGroup "
    "TaskResources TaskStates";
constexpr const char* kTaskState =
    "Events Failed FinishedAt LastRestart Restarts StartedAt State TaskHandle";
constexpr const char* kEvent =
    "Details DiskLimit DisplayMessage DownloadError DriverError DriverMessage ExitCode "
    "FailedSibling FailsTask GenericSource KillError KillReason KillTimeout Message RestartReason "
    "SetupError Signal StartDelay TaskSignal TaskSignalReason Time Type ValidationError VaultError";
constexpr const char* kMetrics =
    "AllocationTime ClassExhausted ClassFiltered CoalescedFailures ConstraintFiltered "
    "DimensionExhausted NodesAvailable NodesEvaluated NodesExhausted NodesFiltered QuotaExhausted "
    "ResourcesExhausted ScoreMetaData Scores";
constexpr const char* kResources = "CPU Cores Devices DiskMB IOPS MemoryMB MemoryMaxMB Networks";
constexpr const char* kEval =
    "CreateIndex CreateTime DeploymentID ID JobID ModifyIndex ModifyTime Namespace Priority "
    "QueuedAllocations SnapshotIndex Status TriggeredBy Type JobModifyIndex";
constexpr const char* kNodeStub =
    "Address CreateIndex Datacenter Drain Drivers HostVolumes ID LastDrain ModifyIndex Name "
    "NodeClass SchedulingEligibility Status StatusDescription Version";
constexpr const char* kNode =
    "Attributes CSIControllerPlugins CSINodePlugins ComputedClass CreateIndex Datacenter Drain "
    "DrainStrategy Drivers Events HTTPAddr HostVolumes ID LastDrain Links Meta ModifyIndex Name "
    "NodeClass NodeResources Reserved ReservedResources Resources SchedulingEligibility SecretID "
    "Status StatusDescription StatusUpdatedAt TLSEnabled";
constexpr const char* kMember =
    "Addr DelegateCur DelegateMax DelegateMin Name Port ProtocolCur ProtocolMax ProtocolMin Status "
    "Tags";

/// The answer to a GET that the node answers with the whole sample region.
Value shown(const std::string& path) {
    ApiWorld world;
    const ExchangeId client = world.get(path);
    world.reply(sample_answer());
    return world.json(client);
}

}  // namespace

TEST_CASE("shape of jobs") {
    const Value list = shown("/v1/jobs");
    check_names(list, "0",
                "CreateIndex Datacenters ID JobModifyIndex JobSummary ModifyIndex Multiregion Name "
                "Namespace ParameterizedJob ParentID Periodic Priority Status StatusDescription "
                "Stop SubmitTime Type");
    check_names(list, "0.JobSummary", kSummary);
    check_names(list, "0.JobSummary.Summary.app", kCounts);
    CHECK(number_at(list, "0.JobSummary.Summary.app.Running") == 1);

    const Value job = shown("/v1/job/web");
    check_names(job, "", kJob);
    check_names(job, "TaskGroups.0", kGroup);
    check_names(job, "TaskGroups.0.Tasks.0", kTask);
    check_names(job, "TaskGroups.0.EphemeralDisk", "Migrate SizeMB Sticky");
    CHECK(number_at(job, "Version") == 3);
    CHECK(text_at(job, "Status") == "running");
    CHECK(number_at(job, "JobModifyIndex") == 30);

    const Value summary = shown("/v1/job/web/summary");
    check_names(summary, "", kSummary);
    check_names(summary, "Children", "Dead Pending Running");
    CHECK(number_at(summary, "Children.Running") == 0);
    const Value versions = shown("/v1/job/web/versions");
    check_names(versions, "", "Diffs Index KnownLeader LastContact Versions");
    check_names(versions, "Versions.0", kJob);
}

TEST_CASE("shape of allocations") {
    for (const char* path : {"/v1/allocations", "/v1/job/web/allocations",
                             "/v1/evaluation/cccccccc-cccc-cccc-cccc-cccccccccccc/allocations"}) {
        const Value list = shown(path);
        check_names(list, "0", kAllocStub);
        check_names(list, "0.DesiredTransition", "ForceReschedule Migrate Reschedule");
        check_names(list, "0.DeploymentStatus", "Canary Healthy ModifyIndex Timestamp");
    }
    const Value alloc = shown("/v1/allocation/bbbbbbbb-bbbb-bbbb-bbbb-bbbbbbbbbbbb");
    check_names(alloc, "", kAlloc);
    check_names(alloc, "Job", kJob);
    CHECK(number_at(alloc, "Job.Version") == 3);
    check_names(alloc, "TaskStates.server", kTaskState);
    check_names(alloc, "TaskStates.server.Events.0", kEvent);
    check_names(alloc, "Metrics", kMetrics);
    check_names(alloc, "Metrics.ScoreMetaData.0", "NodeID NormScore Scores");
    check_names(alloc, "AllocatedResources", "Shared TaskLifecycles Tasks");
    check_names(alloc, "AllocatedResources.Shared", "DiskMB Networks Ports");
    check_names(alloc, "AllocatedResources.Shared.Ports.0", "HostIP Label To Value");
    check_names(alloc, "AllocatedResources.Shared.Networks.0",
                "CIDR DNS Device DynamicPorts IP MBits Mode ReservedPorts");
    check_names(alloc, "AllocatedResources.Tasks.server", "Cpu Devices Memory Networks");
    for (const char* where : {"Resources", "SharedResources", "TaskResources.server"})
        check_names(alloc, where, kResources);
}

TEST_CASE("what an allocation says") {
    const Value alloc = shown("/v1/allocation/bbbbbbbb-bbbb-bbbb-bbbb-bbbbbbbbbbbb");
    CHECK(text_at(alloc, "Name") == "web.app[1]");
    CHECK(text_at(alloc, "NodeID") == "aaaaaaaa-aaaa-aaaa-aaaa-aaaaaaaaaaaa");
    CHECK(text_at(alloc, "NodeName") == "node-a");
    CHECK(text_at(alloc, "ClientStatus") == "running");
    CHECK(text_at(alloc, "ClientDescription") == "Tasks are running");
    CHECK(text_at(alloc, "DesiredStatus") == "run");
    CHECK(number_at(alloc, "CreateTime") == 1'700'000'001'000'000'000);
    CHECK(text_at(alloc, "TaskStates.server.StartedAt") == "2023-11-14T22:13:21.500000000Z");
    CHECK(at(alloc, "TaskStates.server.FinishedAt") == Value{});
    CHECK(number_at(alloc, "TaskStates.server.Events.0.ExitCode") == 7);
    CHECK(text_at(alloc, "TaskStates.server.Events.0.Type") == "Terminated");
    CHECK(text_at(alloc, "AllocatedResources.Shared.Ports.0.HostIP") == "10.0.0.1");
    CHECK(number_at(alloc, "AllocatedResources.Shared.Networks.0.DynamicPorts.0.Value") == 23456);
    CHECK(number_at(alloc, "AllocatedResources.Tasks.server.Memory.MemoryMB") == 64);
    CHECK(text_at(alloc, "Copies.0.PeerName") == "node-d");
    CHECK(number_at(alloc, "Copies.0.Generation") == 40);
    CHECK(number_at(alloc, "Copies.0.Version") == 6);
    CHECK(number_at(alloc, "Copies.0.AgeMs") == 10'000);
    CHECK(at(alloc, "Copies.0.Complete") == Value{true});
    CHECK(at(alloc, "Copies.1.AgeMs") == Value{});  // its holder did not answer
    CHECK(at(alloc, "Copies.1.Complete") == Value{false});
    CHECK(at(alloc, "RescheduleTracker") == Value{});
    CHECK(text_at(alloc, "NextAllocation") == "");
}

TEST_CASE("an allocation without its job still has a version, and unreadable reports are none") {
    ApiWorld world;
    const ExchangeId client = world.get("/v1/allocation/bbbbbbbb-bbbb-bbbb-bbbb-bbbbbbbbbbbb");
    node::Answer answer = sample_answer();
    answer.jobs.clear();
    answer.peers.clear();
    answer.allocs.front().status = to_bytes("not a status");
    answer.allocs.front().explanation = to_bytes("nor metrics");
    world.reply(std::move(answer));
    const Value alloc = world.json(client);
    CHECK(number_at(alloc, "Job.Version") == 3);
    CHECK(text_at(alloc, "Job.ID") == "web");
    CHECK(at(alloc, "TaskStates") == Value{});
    CHECK(number_at(alloc, "Metrics.NodesEvaluated") == 0);
    CHECK(text_at(alloc, "NodeID") == "");
}

TEST_CASE("shape of evaluations") {
    for (const char* path : {"/v1/evaluations", "/v1/job/web/evaluations"})
        check_names(shown(path), "0", kEval);
    const Value eval = shown("/v1/evaluation/cccccccc-cccc-cccc-cccc-cccccccccccc");
    check_names(eval, "", kEval);
    CHECK(text_at(eval, "Status") == "complete");
    CHECK(text_at(eval, "TriggeredBy") == "job-register");
    CHECK(text_at(eval, "BlockedEval") == "cdcdcdcd-cdcd-cdcd-cdcd-cdcdcdcdcdcd");
    CHECK(number_at(eval, "QueuedAllocations.app") == 1);
    CHECK(number_at(eval, "FailedTGAllocs.app.DimensionExhausted.memory") == 1);
}

TEST_CASE("shape of nodes") {
    const Value list = shown("/v1/nodes");
    check_names(list, "0", kNodeStub);
    check_names(list, "0.Drivers.raw_exec",
                "Attributes Detected HealthDescription Healthy UpdateTime");
    CHECK(text_at(list, "0.Drivers.docker.HealthDescription") == "does not answer");
    CHECK(text_at(list, "0.Address") == "10.0.0.1");
    ApiWorld world;
    const ExchangeId asked = world.get("/v1/nodes", {{"resources", "true"}});
    world.reply(sample_answer());
    const Value with = world.json(asked);
    check_names(with, "0", kNodeStub + std::string(" NodeResources ReservedResources"));
    CHECK(number_at(with, "0.NodeResources.Cpu.CpuShares") == 4000);
    const Value node = shown("/v1/node/aaaaaaaa-aaaa-aaaa-aaaa-aaaaaaaaaaaa");
    check_names(node, "", kNode);
    check_names(node, "NodeResources", "Cpu Devices Disk Memory Networks NodeNetworks");
    check_names(node, "ReservedResources", "Cpu Disk Memory Networks");
    check_names(node, "Resources", kResources);
    check_names(node, "Events.0", "CreateIndex Details Message Subsystem Timestamp");
    CHECK(number_at(node, "NodeResources.Cpu.CpuShares") == 4000);
    CHECK(number_at(node, "NodeResources.Cpu.TotalCpuCores") == 4);
    CHECK(text_at(node, "SchedulingEligibility") == "eligible");
    const Value allocs = shown("/v1/node/aaaaaaaa-aaaa-aaaa-aaaa-aaaaaaaaaaaa/allocations");
    check_names(allocs, "0", kAlloc);
    check_names(allocs, "0.Job", kJob);
}

TEST_CASE("an expelled peer is a node that is down for good") {
    ApiWorld world;
    const ExchangeId client = world.get("/v1/nodes");
    node::Answer answer = sample_answer();
    answer.peers.front().status = ledger::PeerStatus::expelled;
    world.reply(std::move(answer));
    const Value list = world.json(client);
    CHECK(text_at(list, "0.Status") == "down");
    CHECK(text_at(list, "0.StatusDescription") == "expelled");
    CHECK(text_at(list, "0.SchedulingEligibility") == "ineligible");
}

TEST_CASE("shape of the agent") {
    ApiWorld world;
    const ExchangeId members = world.get("/v1/agent/members");
    world.reply(NodeReply(node::ApiReply::What(
        node::Members{.members = {sample_member(1, "a"), sample_member(2, "b", "dead")}})));
    const Value all = world.json(members);
    check_names(all, "", "Members ServerDC ServerName ServerRegion");
    check_names(all, "Members.0", kMember);
    check_names(all, "Members.0.Tags", "id dc region role port rpc_addr build number incarnation");
    CHECK(text_at(all, "Members.0.Name") == "a.global");
    CHECK(text_at(all, "Members.1.Status") == "failed");
    const ExchangeId self = world.get("/v1/agent/self");
    world.reply(NodeReply(node::ApiReply::What(node::SelfInfo{.member = sample_member(1, "a")})));
    const Value me = world.json(self);
    check_names(me, "", "config member stats");
    check_names(me, "member", kMember);
    CHECK(text_at(me, "config.Version.Version") == "0.1.0");
    const Value spaces = world.json(world.get("/v1/namespaces"));
    check_names(spaces, "0", "CreateIndex Description Hash ModifyIndex Name Quota");
}

}  // namespace gaggle
