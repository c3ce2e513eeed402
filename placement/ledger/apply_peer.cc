// Peers that offer, vanish and come back.
#include <algorithm>

#include "placement/ledger/bounds.h"
#include "placement/ledger/step.h"

namespace gaggle::ledger {

namespace {

constexpr Duration kFenceMargin =
    5s;  ///< for clocks that run apart, beyond the fence and the kill timeout

/// How long after its peer was lost an allocation of this group is. A fenced group's tasks must be
/// dead by then: its old side kills them `stop_on_client_after` after it last heard from the group.
Duration lost_after(const TaskGroup* group, const Policy& policy) {
    if (group == nullptr || !group->disconnect) return policy.lost_after;
    const DisconnectStrategy& disconnect = *group->disconnect;
    if (!disconnect.stop_on_client_after) return disconnect.lost_after.value_or(policy.lost_after);
    Duration kill{};
    for (const Task& task : group->tasks)
        kill = std::max(kill, std::min(task.kill_timeout, kSpanMax));
    return std::clamp(*disconnect.stop_on_client_after, Duration::zero(), kSpanMax) + kill +
           kFenceMargin;
}

bool fenced(const TaskGroup& group) {
    return group.disconnect && group.disconnect->stop_on_client_after;
}

/// What it took, as an ask for exactly the ports that it had.
Ask the_same_again(const AllocRecord& alloc) {
    Ask ask = alloc.ask;
    ask.ports.clear();
    for (const AssignedPort& port : alloc.ports)
        ask.ports.push_back({.label = port.label, .fixed = port.value, .to = port.to});
    return ask;
}

}  // namespace

void Step::on(const Offered& offered) {
    const auto found = state_.peers.find(offered.peer);
    if (found == state_.peers.end() || found->second.status == PeerStatus::expelled)
        return refuse("an offer from peer " + std::to_string(offered.peer.value) +
                      ", which is not admitted");
    if (!reasonable(offered.offer.total)) return refuse("an offer with amounts out of range");
    PeerRecord& peer = found->second;
    const bool rebooted = peer.boot != offered.boot;
    const bool returns = peer.status == PeerStatus::down;
    const bool joins = peer.status == PeerStatus::initializing;
    const bool roomier = peer.books.offer != offered.offer;
    peer.start = offered.start;
    peer.boot = offered.boot;
    peer.books.offer = offered.offer;
    peer.description = offered.description;
    stamp(peer);
    if (roomier) make_room();
    if (joins || returns) become(peer, PeerStatus::ready, "");
    if (returns) welcome_back(peer, rebooted);
    if (joins || returns) wake_system_jobs(peer.number);
}

PeerRecord* Step::same_start(PeerNumber number, const StartId& start, const BootId& boot) {
    const auto found = state_.peers.find(number);
    const std::string name = "peer " + std::to_string(number.value);
    if (found == state_.peers.end() || found->second.status == PeerStatus::expelled) {
        refuse(name + " is not admitted");
        return nullptr;
    }
    if (found->second.start != start || found->second.boot != boot) {
        refuse(name + " has started or booted anew since");
        return nullptr;
    }
    return &found->second;
}

void Step::on(const PeerLost& lost) {
    PeerRecord* peer = same_start(lost.peer, lost.start, lost.boot);
    if (peer == nullptr) return;
    if (peer->status != PeerStatus::ready)
        return refuse("peer " + std::to_string(lost.peer.value) + " is not ready anyway");
    become(*peer, PeerStatus::down, "out of reach");
    doom_allocs(*peer);
}

void Step::on(const PeerBack& back) {
    PeerRecord* peer = same_start(back.peer, back.start, back.boot);
    if (peer == nullptr) return;
    if (peer->status != PeerStatus::down)
        return refuse("peer " + std::to_string(back.peer.value) + " was not lost");
    become(*peer, PeerStatus::ready, "");
    welcome_back(*peer, false);
    wake_system_jobs(peer->number);
}

void Step::on(const SetEligibility& set) {
    const auto found = state_.peers.find(set.peer);
    if (found == state_.peers.end())
        return refuse("peer " + std::to_string(set.peer.value) + " is not admitted");
    PeerRecord& peer = found->second;
    if (peer.eligible == set.eligible) return;
    peer.eligible = set.eligible;
    become(peer, peer.status, peer.status_reason);
    if (peer.books.eligible) wake_system_jobs(peer.number);
}

void Step::become(PeerRecord& peer, PeerStatus status, const std::string& reason) {
    if (peer.status != status) peer.status_changed = state_.time;
    peer.status = status;
    peer.status_reason = reason;
    const bool opens = peer.eligible && status == PeerStatus::ready;
    if (opens && !peer.books.eligible) make_room();
    peer.books.eligible = opens;
    stamp(peer);
    if (status == PeerStatus::ready) return;
    // What it was working on, others may take at once.
    const std::set<EvalId> all = [&] {
        std::set<EvalId> taken;
        for (const auto& [when, id] : indexes_.eval_due)
            if (state_.evals.at(id).taken_by == peer.number) taken.insert(id);
        return taken;
    }();
    for (const EvalId& id : all)
        change(state_.evals.at(id), [](EvalRecord& eval) { eval.taken_by.reset(); });
}

void Step::doom_allocs(const PeerRecord& peer) {
    const auto ids = indexes_.allocs_on.find(peer.number);
    if (ids == indexes_.allocs_on.end()) return;
    const std::set<AllocId> all = ids->second;  // a copy: change() moves the index below us
    for (const AllocId& id : all) {
        AllocRecord& alloc = state_.allocs.at(id);
        if (terminal(alloc.client)) continue;
        const JobVersion& version = state_.jobs.at(alloc.slot.job).versions.at(alloc.job_version);
        const TaskGroup* group = find_group(version.job, alloc.slot.group);
        const bool waits = group != nullptr && group->disconnect && !group->disconnect->replace;
        if (waits) continue;  // for its peer, however long that takes
        const LogTime due = later(state_.time, lost_after(group, state_.policy));
        change(alloc, [&](AllocRecord& a) { a.lost_due = due; });
    }
}

void Step::welcome_back(PeerRecord& peer, bool rebooted) {
    orders_change(peer.number);
    const auto ids = indexes_.allocs_on.find(peer.number);
    if (ids == indexes_.allocs_on.end()) return;
    const std::set<AllocId> all = ids->second;
    for (const AllocId& id : all) {
        AllocRecord& alloc = state_.allocs.at(id);
        if (alloc.lost_due) change(alloc, [](AllocRecord& a) { a.lost_due.reset(); });
        if (alloc.client == ClientStatus::lost && !alloc.settled && !rebooted) revive(alloc, peer);
    }
}

/// A lost allocation that nobody has replaced goes on where it still runs, if there is still room
/// for it.
void Step::revive(AllocRecord& alloc, PeerRecord& peer) {
    SlotRecord& slot = state_.slots[alloc.slot];
    const JobVersion* version = live_version(alloc.slot.job);
    if (version == nullptr || slot.holder || slot.last != alloc.id) return;
    const TaskGroup* group = find_group(version->job, alloc.slot.group);
    if (group == nullptr || fenced(*group) || ask_of(*group) != alloc.ask) return;
    const Ask ask = the_same_again(alloc);
    if (misfit(peer.books, ask)) return;
    take(peer.books, ask, 0);
    change(alloc, [&](AllocRecord& a) {
        a.client = ClientStatus::unknown;  // until it reports
        a.desired = Desired::run;
        a.desired_reason = "its peer came back before it was replaced";
        a.changed = state_.time;
    });
    slot.holder = alloc.id;
    want_evaluation(alloc.slot.job, Trigger::node_update,
                    peer.number);  // the job may want fewer now
}

void Step::wake_system_jobs(PeerNumber peer) {
    for (const auto& [key, record] : state_.jobs) {
        const JobVersion& current = record.current();
        const bool everywhere =
            current.job.type == JobType::system || current.job.type == JobType::sysbatch;
        if (everywhere && !current.stopped) want_evaluation(key, Trigger::node_update, peer);
    }
}

}  // namespace gaggle::ledger
