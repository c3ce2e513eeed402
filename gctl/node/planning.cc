#include "gctl/node/planning.h"

#include <algorithm>

#include "base/wire.h"

namespace gaggle::node {

namespace {

ExistingAlloc::Client client_of(ledger::ClientStatus status) {
    switch (status) {
        case ledger::ClientStatus::pending: return ExistingAlloc::Client::pending;
        case ledger::ClientStatus::running: return ExistingAlloc::Client::running;
        case ledger::ClientStatus::complete: return ExistingAlloc::Client::complete;
        case ledger::ClientStatus::failed: return ExistingAlloc::Client::failed;
        case ledger::ClientStatus::lost: return ExistingAlloc::Client::lost;
        case ledger::ClientStatus::unknown: return ExistingAlloc::Client::unknown;
    }
    return ExistingAlloc::Client::unknown;
}

/// 1 for a copy of the slot's newest writer, less for each earlier one.
double freshness(Generation newest, Generation copy) {
    return 1.0 / static_cast<double>(1 + (newest.value - std::min(copy, newest).value));
}

}  // namespace

ExistingAlloc existing_from(const ledger::AllocRecord& alloc) {
    ExistingAlloc out;
    out.id = alloc.id;
    out.group = alloc.slot.group;
    out.index = alloc.slot.index;
    out.peer = alloc.peer;
    out.job_version = alloc.job_version;
    out.client = client_of(alloc.client);
    out.lost = alloc.client == ledger::ClientStatus::lost;
    // The ledger orders a lost one to stop, should its peer return; the job wants it all the same.
    const bool wanted = alloc.desired == ledger::Desired::run || out.lost;
    out.desired = wanted ? ExistingAlloc::Desired::run : ExistingAlloc::Desired::stop;
    out.replaced = alloc.next.has_value();
    out.migrate = alloc.migrate;
    out.for_good = alloc.for_good;
    if (alloc.client == ledger::ClientStatus::failed) out.failed_at = alloc.changed;
    for (const ledger::Reschedule& past : alloc.reschedules)
        out.reschedules.push_back({.at = past.when, .peer = past.peer, .delay = past.delay});
    return out;
}

PlanningInput::PlanningInput(const Job* wanted, const ledger::JobRecord* present,
                             const Answer& state) {
    if (present != nullptr) {
        const ledger::JobVersion& current = present->current();
        for (const auto& [number, version] : present->versions) versions_[number] = &version.job;
        const bool same = wanted == nullptr || (*wanted == current.job && !current.stopped);
        job_ = same ? &current.job : wanted;
        version_ = same ? current.version : current.version + 1;
        stopped_ = wanted == nullptr && current.stopped;
    } else {
        job_ = wanted;
    }
    versions_[version_] = job_;
    for (const ledger::AllocRecord& alloc : state.allocs) existing_.push_back(existing_from(alloc));
    for (const auto& [slot, record] : state.slots) {
        const GroupSlot mine{.group = slot.group, .index = slot.index};
        // The newest writer may have died before anybody copied from it: what counts is who is
        // newer.
        for (const auto& [peer, generation] : record.copies)
            holders_[mine][peer] = freshness(record.generation, generation);
        if (!record.peers.empty()) previous_[mine] = record.peers.front();
    }
}

ledger::EvalEnd eval_end(const Plan& plan, const Answer& state) {
    ledger::EvalEnd end;
    for (const auto& [group, count] : plan.queued)
        if (count > 0) end.queued[group] = static_cast<std::uint32_t>(count);
    for (const auto& [group, metrics] : plan.failed) end.failed_groups[group] = encode(metrics);
    if (plan.wake_up) end.follow_up_after = std::max(Duration(1ms), *plan.wake_up - state.log_time);
    end.waiting = plan.waiting;
    return end;
}

}  // namespace gaggle::node
