#include "gctl/cli/model.h"

namespace gaggle::cli {

namespace {

WallTime time_of(const Json& json) { return {json.whole()}; }
std::uint64_t index_of(const Json& json) { return static_cast<std::uint64_t>(json.whole()); }

template <class Make>
auto each(const Json& list, Make make) {
    std::vector<decltype(make(list))> out;
    for (const Json& item : list.items()) out.push_back(make(item));
    return out;
}

Metrics metrics_of(const Json& json) {
    Metrics out;
    out.evaluated = json["NodesEvaluated"].whole();
    out.filtered = json["NodesFiltered"].whole();
    out.exhausted = json["NodesExhausted"].whole();
    out.coalesced = json["CoalescedFailures"].whole();
    out.available = json["NodesAvailable"].whole_map();
    out.class_filtered = json["ClassFiltered"].whole_map();
    out.constraint_filtered = json["ConstraintFiltered"].whole_map();
    out.class_exhausted = json["ClassExhausted"].whole_map();
    out.dimension_exhausted = json["DimensionExhausted"].whole_map();
    for (const Json& score : json["ScoreMetaData"].items()) {
        Metrics::Score& one = out.scores.emplace_back();
        one.node_id = score["NodeID"].text();
        one.final_score = score["NormScore"].real();
        for (const auto& [name, part] : score["Scores"].fields()) one.parts[name] = part.real();
    }
    return out;
}

std::map<std::string, Metrics> failed_of(const Json& json) {
    std::map<std::string, Metrics> out;
    for (const auto& [group, metrics] : json.fields()) out[group] = metrics_of(metrics);
    return out;
}

JobStub job_stub_of(const Json& json) {
    return {.id = json["ID"].text(),
            .parent = json["ParentID"].text(),
            .type = json["Type"].text(),
            .status = json["Status"].text(),
            .priority = json["Priority"].whole(),
            .stop = json["Stop"].flag(),
            .parameterized = json["ParameterizedJob"].flag() && json["ParentID"].text().empty(),
            .submitted = time_of(json["SubmitTime"])};
}

AllocStub alloc_stub_of(const Json& json) {
    AllocStub out{.id = json["ID"].text(),
                  .eval_id = json["EvalID"].text(),
                  .name = json["Name"].text(),
                  .node_id = json["NodeID"].text(),
                  .node_name = json["NodeName"].text(),
                  .group = json["TaskGroup"].text(),
                  .job_id = json["JobID"].text(),
                  .desired = json["DesiredStatus"].text(),
                  .desired_description = json["DesiredDescription"].text(),
                  .client = json["ClientStatus"].text(),
                  .description = json["ClientDescription"].text(),
                  .follow_up_eval = json["FollowupEvalID"].text(),
                  .version = json["JobVersion"].whole(),
                  .create_index = index_of(json["CreateIndex"]),
                  .created = time_of(json["CreateTime"]),
                  .modified = time_of(json["ModifyTime"]),
                  .tasks = {}};
    if (!json["Job"].is_null()) out.version = json["Job"]["Version"].whole();
    for (const auto& [task, state] : json["TaskStates"].fields()) out.tasks.push_back(task);
    return out;
}

TaskView task_of(const std::string& name, const Json& state, const Json& resources) {
    TaskView out{.name = name,
                 .state = state["State"].text(),
                 .failed = state["Failed"].flag(),
                 .restarts = state["Restarts"].whole(),
                 .started = state["StartedAt"].text(),
                 .finished = state["FinishedAt"].text(),
                 .last_restart = state["LastRestart"].text(),
                 .events = {},
                 .cpu = resources["Cpu"]["CpuShares"].whole(),
                 .memory = resources["Memory"]["MemoryMB"].whole(),
                 .memory_max = resources["Memory"]["MemoryMaxMB"].whole(),
                 .cores = {}};
    for (const Json& core : resources["Cpu"]["ReservedCores"].items())
        out.cores += (out.cores.empty() ? "" : ",") + std::to_string(core.whole());
    for (const Json& event : state["Events"].items()) {
        const std::string shown = event["DisplayMessage"].text();
        out.events.push_back({.time = time_of(event["Time"]),
                              .type = event["Type"].text(),
                              .message = shown.empty() ? event["Message"].text() : shown});
    }
    return out;
}

/// A task that has no state yet is known by its resources.
std::vector<TaskView> tasks_of(const Json& alloc) {
    std::vector<TaskView> out;
    const Json resources = alloc["AllocatedResources"]["Tasks"];
    std::map<std::string, bool> names;
    for (const auto& [name, unused] : resources.fields()) names[name] = true;
    for (const auto& [name, unused] : alloc["TaskStates"].fields()) names[name] = true;
    for (const auto& [name, unused] : names)
        out.push_back(task_of(name, alloc["TaskStates"][name], resources[name]));
    return out;
}

std::vector<PortView> ports_of(const Json& shared) {
    std::map<std::string, bool> fixed;
    for (const Json& network : shared["Networks"].items())
        for (const Json& port : network["ReservedPorts"].items())
            fixed[port["Label"].text()] = true;
    return each(shared["Ports"], [&](const Json& port) {
        const std::string label = port["Label"].text();
        return PortView{.label = label,
                        .host_ip = port["HostIP"].text(),
                        .value = port["Value"].whole(),
                        .to = port["To"].whole(),
                        .dynamic = !fixed.contains(label)};
    });
}

/// As Nomad's clients count: the tracker's events within the policy's interval before the last
/// change.
RescheduleView reschedules_of(const Json& alloc) {
    RescheduleView out;
    for (const Json& group : alloc["Job"]["TaskGroups"].items()) {
        if (group["Name"].text() != alloc["TaskGroup"].text()) continue;
        const Json policy = group["ReschedulePolicy"];
        const std::int64_t interval = policy["Interval"].whole();
        if (policy["Unlimited"].flag() || interval <= 0) return out;
        out.attempts_max = policy["Attempts"].whole();
        for (const Json& event : alloc["RescheduleTracker"]["Events"].items())
            if (alloc["ModifyTime"].whole() - event["RescheduleTime"].whole() < interval)
                ++out.attempts;
    }
    return out;
}

CopyView copy_of(const Json& json) {
    CopyView out{.peer_id = json["PeerID"].text(),
                 .peer_name = json["PeerName"].text(),
                 .generation = index_of(json["Generation"]),
                 .version = {},
                 .age_ms = {},
                 .complete = json["Complete"].flag()};
    if (!json["Version"].is_null()) out.version = index_of(json["Version"]);
    if (!json["AgeMs"].is_null()) out.age_ms = json["AgeMs"].whole();
    return out;
}

NodeStub node_stub_of(const Json& json) {
    return {.id = json["ID"].text(),
            .name = json["Name"].text(),
            .datacenter = json["Datacenter"].text(),
            .node_class = json["NodeClass"].text(),
            .status = json["Status"].text(),
            .eligibility = json["SchedulingEligibility"].text(),
            .address = json["Address"].text(),
            .drain = json["Drain"].flag()};
}

RegionMember region_member_of(const Json& json) {
    RegionMember out{.peer_id = json["PeerID"].text(),
                     .name = json["Name"].text(),
                     .role = json["Role"].text(),
                     .number = json["Number"].whole(),
                     .leader = json["Leader"].flag(),
                     .match = index_of(json["Match"]),
                     .silent_ms = {}};
    if (!json["SilentMs"].is_null()) out.silent_ms = json["SilentMs"].whole();
    return out;
}

}  // namespace

std::vector<JobStub> jobs_of(const Json& json) { return each(json, job_stub_of); }

JobView job_of(const Json& json) {
    JobView out{
        .id = json["ID"].text(),
        .parent = json["ParentID"].text(),
        .name = json["Name"].text(),
        .name_space = json["Namespace"].text(),
        .type = json["Type"].text(),
        .status = json["Status"].text(),
        .priority = json["Priority"].whole(),
        .version = json["Version"].whole(),
        .stop = json["Stop"].flag(),
        .periodic = !json["Periodic"].is_null(),
        .parameterized = !json["ParameterizedJob"].is_null() && json["ParentID"].text().empty(),
        .submitted = time_of(json["SubmitTime"]),
        .datacenters = json["Datacenters"].texts(),
        .groups = {}};
    for (const Json& group : json["TaskGroups"].items())
        out.groups.emplace_back(group["Name"].text(), group["Count"].whole());
    return out;
}

std::map<std::string, GroupSummary> summary_of(const Json& json) {
    std::map<std::string, GroupSummary> out;
    for (const auto& [group, counts] : json["Summary"].fields())
        out[group] = {.queued = counts["Queued"].whole(),
                      .starting = counts["Starting"].whole(),
                      .running = counts["Running"].whole(),
                      .failed = counts["Failed"].whole(),
                      .complete = counts["Complete"].whole(),
                      .lost = counts["Lost"].whole()};
    return out;
}

ChildrenSummary children_of(const Json& json) {
    const Json counts = json["Children"];
    return {.pending = counts["Pending"].whole(),
            .running = counts["Running"].whole(),
            .dead = counts["Dead"].whole()};
}

std::vector<AllocStub> allocs_of(const Json& json) { return each(json, alloc_stub_of); }

AllocView alloc_of(const Json& json) {
    const Json shared = json["AllocatedResources"]["Shared"];
    return {.stub = alloc_stub_of(json),
            .previous_allocation = json["PreviousAllocation"].text(),
            .next_allocation = json["NextAllocation"].text(),
            .reschedules = reschedules_of(json),
            .tasks = tasks_of(json),
            .ports = ports_of(shared),
            .disk = shared["DiskMB"].whole(),
            .metrics = metrics_of(json["Metrics"]),
            .copies = each(json["Copies"], copy_of)};
}

Usage usage_of(const Json& allocs) {
    Usage out;
    for (const Json& alloc : allocs.items()) {
        const std::string client = alloc["ClientStatus"].text();
        if (client != "running" && client != "pending") continue;
        out.disk += alloc["AllocatedResources"]["Shared"]["DiskMB"].whole();
        for (const auto& [task, resources] : alloc["AllocatedResources"]["Tasks"].fields()) {
            out.cpu += resources["Cpu"]["CpuShares"].whole();
            out.memory += resources["Memory"]["MemoryMB"].whole();
        }
    }
    return out;
}

FileView file_of(const Json& json) {
    return {.name = json["Name"].text(),
            .mode = json["FileMode"].text(),
            .modified = json["ModTime"].text(),
            .content_type = json["ContentType"].text(),
            .size = json["Size"].whole(),
            .is_folder = json["IsDir"].flag()};
}

std::vector<EvalView> evals_of(const Json& json) { return each(json, eval_of); }

EvalView eval_of(const Json& json) {
    return {.id = json["ID"].text(),
            .type = json["Type"].text(),
            .triggered_by = json["TriggeredBy"].text(),
            .job_id = json["JobID"].text(),
            .node_id = json["NodeID"].text(),
            .status = json["Status"].text(),
            .description = json["StatusDescription"].text(),
            .blocked_eval = json["BlockedEval"].text(),
            .next_eval = json["NextEval"].text(),
            .previous_eval = json["PreviousEval"].text(),
            .wait_until = json["WaitUntil"].text(),
            .priority = json["Priority"].whole(),
            .created = time_of(json["CreateTime"]),
            .modified = time_of(json["ModifyTime"]),
            .failed = failed_of(json["FailedTGAllocs"]),
            .queued = json["QueuedAllocations"].whole_map()};
}

bool waits_for_time(const EvalView& eval) {
    return !eval.wait_until.empty() && !eval.wait_until.starts_with("0001-01-01T");
}

std::vector<NodeStub> nodes_of(const Json& json) { return each(json, node_stub_of); }

NodeView node_of(const Json& json) {
    NodeView out{.stub = node_stub_of(json),
                 .http_address = json["HTTPAddr"].text(),
                 .attributes = json["Attributes"].text_map(),
                 .meta = json["Meta"].text_map(),
                 .drivers = {},
                 .cpu = json["NodeResources"]["Cpu"]["CpuShares"].whole(),
                 .memory = json["NodeResources"]["Memory"]["MemoryMB"].whole(),
                 .disk = json["NodeResources"]["Disk"]["DiskMB"].whole()};
    for (const auto& [name, driver] : json["Drivers"].fields())
        out.drivers[name] = {.healthy = driver["Healthy"].flag(),
                             .detected = driver["Detected"].flag(),
                             .reason = driver["HealthDescription"].text()};
    return out;
}

std::string MemberView::tag(const std::string& key) const {
    const auto found = tags.find(key);
    return found == tags.end() ? "" : found->second;
}

std::vector<ServiceName> service_names_of(const Json& json) {
    std::vector<ServiceName> out;
    for (const Json& space : json.items())
        for (const Json& service : space["Services"].items())
            out.push_back({.name_space = space["Namespace"].text(),
                           .name = service["ServiceName"].text(),
                           .tags = service["Tags"].texts()});
    return out;
}

std::vector<ServiceView> services_of(const Json& json) {
    return each(json, [](const Json& service) {
        return ServiceView{.id = service["ID"].text(),
                           .name = service["ServiceName"].text(),
                           .name_space = service["Namespace"].text(),
                           .job_id = service["JobID"].text(),
                           .alloc_id = service["AllocID"].text(),
                           .node_id = service["NodeID"].text(),
                           .datacenter = service["Datacenter"].text(),
                           .address = service["Address"].text(),
                           .health = service["Health"].text(),
                           .port = service["Port"].whole(),
                           .tags = service["Tags"].texts()};
    });
}

std::vector<MemberView> members_of(const Json& json) {
    return each(json["Members"], [](const Json& member) {
        return MemberView{.name = member["Name"].text(),
                          .address = member["Addr"].text(),
                          .status = member["Status"].text(),
                          .port = member["Port"].whole(),
                          .tags = member["Tags"].text_map()};
    });
}

RegionView region_of(const Json& json) {
    return {.id = json["ID"].text(),
            .name = json["Name"].text(),
            .leader = json["Leader"].text(),
            .epoch = index_of(json["Epoch"]),
            .term = index_of(json["Term"]),
            .last = index_of(json["LastIndex"]),
            .commit = index_of(json["CommitIndex"]),
            .applied = index_of(json["AppliedIndex"]),
            .has_quorum = json["HasQuorum"].flag(),
            .members = each(json["Members"], region_member_of),
            .missing = json["Missing"].texts(),
            .notes = json["Notes"].texts()};
}

RegisterView registered_of(const Json& json) {
    return {.eval_id = json["EvalID"].text(),
            .warnings = json["Warnings"].text(),
            .job_modify_index = index_of(json["JobModifyIndex"])};
}

namespace {

FieldDiff field_diff_of(const Json& json) {
    return {.type = json["Type"].text(),
            .name = json["Name"].text(),
            .before = json["Old"].text(),
            .after = json["New"].text(),
            .annotations = json["Annotations"].texts()};
}

Diff diff_of(const Json& json) {
    const std::string name = json["Name"].text();
    Diff out{.type = json["Type"].text(),
             .name = name.empty() ? json["ID"].text() : name,
             .fields = each(json["Fields"], field_diff_of),
             .objects = each(json["Objects"], diff_of),
             .parts = each(json["TaskGroups"], diff_of),
             .annotations = json["Annotations"].texts(),
             .updates = json["Updates"].whole_map()};
    for (const Json& task : json["Tasks"].items()) out.parts.push_back(diff_of(task));
    return out;
}

}  // namespace

PlanView plan_of(const Json& json) {
    PlanView out;
    out.job_modify_index = index_of(json["JobModifyIndex"]);
    out.diff = diff_of(json["Diff"]);
    out.failed = failed_of(json["FailedTGAllocs"]);
    out.warnings = json["Warnings"].text();
    for (const auto& [group, counts] : json["Annotations"]["DesiredTGUpdates"].fields())
        out.updates[group] = {.ignore = counts["Ignore"].whole(),
                              .place = counts["Place"].whole(),
                              .migrate = counts["Migrate"].whole(),
                              .stop = counts["Stop"].whole(),
                              .in_place = counts["InPlaceUpdate"].whole(),
                              .destructive = counts["DestructiveUpdate"].whole()};
    out.placements = each(json["Placements"], [](const Json& one) {
        return PlanPlacement{.name = one["Name"].text(),
                             .node_id = one["NodeID"].text(),
                             .node_name = one["NodeName"].text()};
    });
    return out;
}

}  // namespace gaggle::cli
