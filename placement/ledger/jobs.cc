// Jobs: their versions, their status and counts.
#include <algorithm>
#include <utility>

#include "placement/jobspec/dispatch.h"
#include "placement/ledger/bounds.h"
#include "placement/ledger/step.h"

namespace gaggle::ledger {

namespace {

/// Nomad's texts: its command line reads the number out of them.
std::optional<std::string> check(const JobRecord* existing, const RegisterJob& registration) {
    if (!registration.check_index) return std::nullopt;
    const std::uint64_t wanted = registration.check_index->value;
    const std::string enforcing = "Enforcing job modify index " + std::to_string(wanted) + ": ";
    if (wanted == 0) {
        if (existing == nullptr) return std::nullopt;
        return enforcing + "job already exists";
    }
    if (existing == nullptr) return enforcing + "job does not exist";
    if (existing->job_modify_index.value == wanted) return std::nullopt;
    return enforcing + "job exists with conflicting job modify index: " +
           std::to_string(existing->job_modify_index.value);
}

/// There is a reason to run it later, though nothing of it runs now.
bool stays(const Job& job) {
    return job.type == JobType::system || job.type == JobType::sysbatch || waits_for_dispatch(job);
}

}  // namespace

std::optional<std::string> Step::register_job(const JobKey& key, const RegisterJob& registration) {
    const auto found = state_.jobs.find(key);
    const bool exists = found != state_.jobs.end() && !found->second.purged;
    if (auto why = check(exists ? &found->second : nullptr, registration)) return why;
    if (registration.job.id != key.id || registration.job.name_space != key.name_space)
        return "a bundle for job \"" + key.id + "\" that registers \"" + registration.job.id + "\"";
    if (auto why = unbookable(registration.job)) return "register job \"" + key.id + "\": " + *why;
    if (exists && !found->second.current().stopped &&
        found->second.current().job == registration.job)
        return std::nullopt;

    JobRecord& record = state_.jobs[key];
    if (!exists) record.create_index = out_.index;
    record.purged = false;
    add_version(key, record, registration.job, false);
    for (const TaskGroup& group : registration.job.groups) record.summary[group.name];
    return std::nullopt;
}

std::optional<std::string> Step::deregister_job(const JobKey& key, const Deregister& how) {
    const auto found = state_.jobs.find(key);
    if (found == state_.jobs.end() || found->second.purged) return "job not found";
    JobRecord& record = found->second;
    record.purged = how.purge;
    if (!record.current().stopped) add_version(key, record, Job(record.current().job), true);
    out_.jobs.insert(key);
    touched_.insert(key);
    record.modify_index = out_.index;
    cancel_evals(key, EvalStatus::pending, EvalId{}, "the job was stopped");
    cancel_evals(key, EvalStatus::blocked, EvalId{}, "the job was stopped");
    const auto allocs = indexes_.allocs_of.find(key);
    if (allocs == indexes_.allocs_of.end()) return std::nullopt;
    const std::set<AllocId> all = allocs->second;
    for (const AllocId& id : all) {
        AllocRecord& alloc = state_.allocs.at(id);
        if (alloc.client == ClientStatus::complete) continue;
        // Also what has failed or was lost: a run of the job after this begins anew, it does not
        // go on waiting, or giving up, for what went wrong before.
        stop_alloc(alloc, Desired::stop, "the job was stopped");
        if (how.no_shutdown_delay && !terminal(alloc.client)) end_shutdown_delay(alloc);
    }
    return std::nullopt;
}

void Step::add_version(const JobKey& key, JobRecord& record, Job job, bool stopped) {
    const std::uint64_t number = record.versions.empty() ? 0 : record.current().version + 1;
    record.versions.emplace(number, JobVersion{std::move(job), number, stopped, wall_, out_.index});
    record.modify_index = record.job_modify_index = out_.index;
    record.changed = state_.time;
    out_.jobs.insert(key);
    touched_.insert(key);
}

/// Status and counts as Nomad derives them: running while an allocation is not terminal, pending
/// while an evaluation is open, else dead (a system job waits for peers instead, a parameterized
/// one for its next dispatch).
void Step::recount(const JobKey& key) {
    const auto found = state_.jobs.find(key);
    if (found == state_.jobs.end()) return;
    JobRecord& record = found->second;
    std::map<std::string, GroupSummary> summary = count(tables_, key);
    for (const TaskGroup& group : record.current().job.groups) summary[group.name];
    for (auto& [group, counts] : summary) {
        const auto before = record.summary.find(group);
        if (before != record.summary.end() && !record.current().stopped)
            counts.queued = before->second.queued;
    }
    bool runs = false;
    if (const auto allocs = indexes_.allocs_of.find(key); allocs != indexes_.allocs_of.end())
        runs = std::ranges::any_of(allocs->second, [&](const AllocId& id) {
            return !terminal(state_.allocs.at(id).client);
        });
    bool open = false;
    if (const auto evals = indexes_.evals_of.find(key); evals != indexes_.evals_of.end())
        open = std::ranges::any_of(
            evals->second, [&](const EvalId& id) { return !terminal(state_.evals.at(id).status); });
    const JobVersion& current = record.current();
    const JobStatus status = runs                                     ? JobStatus::running
                             : open                                   ? JobStatus::pending
                             : stays(current.job) && !current.stopped ? JobStatus::running
                                                                      : JobStatus::dead;
    drop_old_versions(key, record);
    if (status == record.status && summary == record.summary) return;
    if (status != record.status) record.changed = state_.time;
    record.status = status;
    record.summary = std::move(summary);
    record.modify_index = out_.index;
    out_.jobs.insert(key);
}

void Step::set_queued(const JobKey& key, const std::map<std::string, std::uint32_t>& queued) {
    const auto found = state_.jobs.find(key);
    if (found == state_.jobs.end()) return;
    JobRecord& record = found->second;
    for (auto& [group, counts] : record.summary) {
        const auto wanted = queued.find(group);
        const std::uint32_t number = wanted == queued.end() ? 0 : wanted->second;
        if (counts.queued == number) continue;
        counts.queued = number;
        record.modify_index = out_.index;
        out_.jobs.insert(key);
    }
}

void Step::drop_old_versions(const JobKey& key, JobRecord& record) {
    if (record.versions.size() <= state_.policy.versions_kept) return;
    std::set<std::uint64_t> used;
    if (const auto allocs = indexes_.allocs_of.find(key); allocs != indexes_.allocs_of.end())
        for (const AllocId& id : allocs->second) used.insert(state_.allocs.at(id).job_version);
    const std::uint64_t newest = record.current().version;
    std::erase_if(record.versions, [&](const auto& entry) {
        return entry.first + state_.policy.versions_kept <= newest && !used.contains(entry.first);
    });
}

}  // namespace gaggle::ledger
