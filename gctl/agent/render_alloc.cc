#include "gctl/agent/render_alloc.h"

#include <algorithm>

#include "allocrunner/alloc_status.h"
#include "base/wire.h"
#include "gctl/agent/render_job.h"
#include "gctl/agent/render_metrics.h"
#include "gctl/agent/render_node.h"
#include "gctl/agent/render_resources.h"
#include "gctl/agent/render_task.h"

namespace gaggle {

namespace {

using allocrunner::AllocStatus;
using ledger::AllocRecord;

/// The peer's last report; an empty one before the first, or when this version cannot read it.
AllocStatus status_of(const AllocRecord& alloc) {
    if (alloc.status.empty()) return {};
    const auto status = decode<AllocStatus>(alloc.status, "allocation's status");
    return status.ok() ? *status : AllocStatus{};
}

Value render_health(const AllocRecord& alloc, const AllocStatus& status) {
    if (!status.healthy) return null();
    return val(Object{{"Healthy", val(*status.healthy)},
                      {"Timestamp", moment(status.modified)},
                      {"Canary", val(false)},
                      {"ModifyIndex", val(alloc.modify_index)}});
}

Value render_network(const AllocStatus& status) {
    if (!status.network) return null();
    const allocrunner::NetworkStatus& network = *status.network;
    const bool silent = allocrunner::is_empty(network.dns);
    return val(Object{{"InterfaceName", val(network.interface)},
                      {"Address", val(network.ip)},
                      {"AddressIPv6", val("")},
                      {"DNS", silent ? null() : render_dns(network.dns)}});
}

std::string name_of(const AllocRecord& alloc) {
    return alloc.slot.job.id + "." + alloc.slot.group + "[" + std::to_string(alloc.slot.index) +
           "]";
}

}  // namespace

Value render_copies(const std::vector<node::CopyState>& copies, WallTime now) {
    List out;
    for (const node::CopyState& copy : copies) {
        const bool told = copy.reachable && copy.taken_at.nanoseconds != 0;
        const std::int64_t age =
            std::max<std::int64_t>(0, (now.nanoseconds - copy.taken_at.nanoseconds) / 1'000'000);
        out.push_back(val(Object{{"PeerID", val(copy.peer)},
                                 {"PeerName", val(copy.name)},
                                 {"Reachable", val(copy.reachable)},
                                 {"Generation", val(copy.generation)},
                                 {"Version", val(copy.n)},
                                 {"TakenAt", told ? val(copy.taken_at) : null()},
                                 {"AgeMs", told ? val(age) : null()},
                                 {"Complete", val(copy.generation.value != 0)}}));
    }
    return val(std::move(out));
}

AllocRenderer::AllocRenderer(const node::Answer& answer) {
    for (const ledger::JobRecord& record : answer.jobs) {
        const Job& job = record.current().job;
        jobs_[{job.name_space, job.id}] = &record;
    }
    for (const ledger::PeerRecord& peer : answer.peers) peers_[peer.number] = &peer;
}

const ledger::JobRecord* AllocRenderer::record_of(const AllocRecord& alloc) const {
    const auto found = jobs_.find(alloc.slot.job);
    return found == jobs_.end() ? nullptr : found->second;
}

const ledger::PeerRecord* AllocRenderer::peer_of(PeerNumber number) const {
    const auto found = peers_.find(number);
    return found == peers_.end() ? nullptr : found->second;
}

const Job* AllocRenderer::job_of(const AllocRecord& alloc) const {
    const ledger::JobRecord* record = record_of(alloc);
    if (record == nullptr) return nullptr;
    const auto version = record->versions.find(alloc.job_version);
    return version == record->versions.end() ? &record->current().job : &version->second.job;
}

/// Clients read Job.Version without asking whether there is a job (nomad.md section 0).
Value AllocRenderer::job_value(const AllocRecord& alloc) {
    const std::pair key{alloc.slot.job, alloc.job_version};
    if (const auto known = rendered_jobs_.find(key); known != rendered_jobs_.end())
        return known->second;
    Value value;
    if (const ledger::JobRecord* record = record_of(alloc)) {
        const auto version = record->versions.find(alloc.job_version);
        value = render_job(*record,
                           version == record->versions.end() ? record->current() : version->second);
    } else {
        const Job unknown{.id = alloc.slot.job.id,
                          .name = alloc.slot.job.id,
                          .name_space = alloc.slot.job.name_space};
        const JobMeta meta{.status = "dead", .version = alloc.job_version, .stop = true};
        value = job_to_api_value(unknown, &meta);
    }
    return rendered_jobs_.emplace(key, std::move(value)).first->second;
}

Value AllocRenderer::reschedules(const AllocRecord& alloc) const {
    if (alloc.reschedules.empty()) return null();
    List events;
    for (const ledger::Reschedule& past : alloc.reschedules) {
        const ledger::PeerRecord* peer = peer_of(past.peer);
        events.push_back(val(Object{{"RescheduleTime", val(past.wall)},
                                    {"PrevAllocID", val(past.previous)},
                                    {"PrevNodeID", peer == nullptr ? val("") : val(peer->who.id)},
                                    {"Delay", val(past.delay)}}));
    }
    return val(Object{{"Events", val(std::move(events))}});
}

/// What stub and full record share.
Object AllocRenderer::common(const AllocRecord& alloc) const {
    const AllocStatus status = status_of(alloc);
    const ledger::PeerRecord* peer = peer_of(alloc.peer);
    return {{"ID", val(alloc.id)},
            {"EvalID", val(alloc.eval)},
            {"Name", val(name_of(alloc))},
            {"Namespace", val(alloc.slot.job.name_space)},
            {"NodeID", peer == nullptr ? val("") : val(peer->who.id)},
            {"NodeName", peer == nullptr ? val("") : val(name_of(*peer))},
            {"JobID", val(alloc.slot.job.id)},
            {"TaskGroup", val(alloc.slot.group)},
            {"DesiredStatus", val(ledger::to_string(alloc.desired))},
            {"DesiredDescription", val(alloc.desired_reason)},
            {"DesiredTransition",
             val(Object{{"Migrate", alloc.migrate ? val(true) : null()},
                        {"Reschedule", null()},
                        {"ForceReschedule", null()},
                        {"NoShutdownDelay", alloc.no_shutdown_delay ? val(true) : null()}})},
            {"ClientStatus", val(ledger::to_string(alloc.client))},
            {"ClientDescription", val(status.description)},
            {"TaskStates", render_task_states(status.tasks)},
            {"DeploymentStatus", render_health(alloc, status)},
            {"FollowupEvalID", or_empty(alloc.follow_up)},
            {"RescheduleTracker", reschedules(alloc)},
            {"PreemptedAllocations", null()},
            {"PreemptedByAllocation", val("")},
            {"CreateIndex", val(alloc.create_index)},
            {"ModifyIndex", val(alloc.modify_index)},
            {"CreateTime", val(alloc.create_time)},
            {"ModifyTime", val(alloc.modify_time)}};
}

Value AllocRenderer::stub(const AllocRecord& alloc, StubParts parts) const {
    const Job* job = job_of(alloc);
    Object out = common(alloc);
    out["JobType"] = job == nullptr ? val("") : val(to_string(job->type));
    out["JobVersion"] = val(alloc.job_version);
    if (!parts.task_states) out.erase("TaskStates");
    if (parts.resources)
        out["AllocatedResources"] =
            render_allocated({.alloc = alloc,
                              .job = job,
                              .peer = peer_of(alloc.peer),
                              .states = status_of(alloc).tasks});
    return val(std::move(out));
}

Value AllocRenderer::full(const AllocRecord& alloc) {
    Object out = common(alloc);
    out["Job"] = job_value(alloc);
    out["DeploymentID"] = val("");
    out["Metrics"] = render_metrics(alloc.explanation);
    out["PreviousAllocation"] = or_empty(alloc.previous);
    out["NextAllocation"] = or_empty(alloc.next);
    out["AllocModifyIndex"] = val(alloc.modify_index);
    out["NetworkStatus"] = render_network(status_of(alloc));
    const ResourceSubject subject{.alloc = alloc,
                                  .job = job_of(alloc),
                                  .peer = peer_of(alloc.peer),
                                  .states = status_of(alloc).tasks};
    out["AllocatedResources"] = render_allocated(subject);
    add_legacy_resources(out, subject);
    return val(std::move(out));
}

void newest_first(std::vector<AllocRecord>& allocs) {
    std::sort(allocs.begin(), allocs.end(), [](const AllocRecord& a, const AllocRecord& b) {
        return std::tie(b.create_index, a.id) < std::tie(a.create_index, b.id);
    });
}

}  // namespace gaggle
