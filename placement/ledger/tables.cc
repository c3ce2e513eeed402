#include "placement/ledger/tables.h"

namespace gaggle::ledger {

namespace {

template <class Map, class Key, class Item>
void drop(Map& map, const Key& key, const Item& item) {
    const auto found = map.find(key);
    if (found == map.end()) return;
    found->second.erase(item);
    if (found->second.empty()) map.erase(found);
}

/// When something happens to the evaluation by time alone.
std::optional<LogTime> due(const EvalRecord& eval) {
    if (eval.status == EvalStatus::blocked) return eval.review_at;
    if (eval.status != EvalStatus::pending) return std::nullopt;
    if (eval.wait_until) return eval.wait_until;
    if (eval.taken_by) return eval.taken_until;
    return std::nullopt;
}

std::uint32_t& number_of(ClientStatus status, GroupSummary& summary) {
    switch (status) {
        case ClientStatus::pending: return summary.starting;
        case ClientStatus::running: return summary.running;
        case ClientStatus::complete: return summary.complete;
        case ClientStatus::failed: return summary.failed;
        case ClientStatus::lost: return summary.lost;
        case ClientStatus::unknown: return summary.unknown;
    }
    return summary.unknown;
}

}  // namespace

void Indexes::add(const AllocRecord& alloc) {
    allocs_of[alloc.slot.job].insert(alloc.id);
    allocs_on[alloc.peer].insert(alloc.id);
    if (alloc.lost_due) lost_due.emplace(*alloc.lost_due, alloc.id);
}

void Indexes::remove(const AllocRecord& alloc) {
    drop(allocs_of, alloc.slot.job, alloc.id);
    drop(allocs_on, alloc.peer, alloc.id);
    if (alloc.lost_due) lost_due.erase({*alloc.lost_due, alloc.id});
}

void Indexes::add(const EvalRecord& eval) {
    evals_of[eval.job].insert(eval.id);
    if (eval.workable()) workable.insert(eval.id);
    if (eval.status == EvalStatus::blocked) blocked.insert(eval.id);
    if (const auto when = due(eval)) eval_due.emplace(*when, eval.id);
}

void Indexes::remove(const EvalRecord& eval) {
    drop(evals_of, eval.job, eval.id);
    workable.erase(eval.id);
    blocked.erase(eval.id);
    if (const auto when = due(eval)) eval_due.erase({*when, eval.id});
}

void Indexes::add(const PeerRecord& peer) {
    numbers.emplace(peer.who.id, peer.number);
    for (const auto& [port, until] : peer.resting)
        rest_due.emplace(until, std::pair{peer.number, port});
}

Indexes indexes_of(const State& state) {
    Indexes indexes;
    for (const auto& [id, alloc] : state.allocs) indexes.add(alloc);
    for (const auto& [id, eval] : state.evals) indexes.add(eval);
    for (const auto& [number, peer] : state.peers) indexes.add(peer);
    return indexes;
}

std::map<std::string, GroupSummary> count(const Tables& tables, const JobKey& job) {
    std::map<std::string, GroupSummary> counts;
    const auto ids = tables.indexes.allocs_of.find(job);
    if (ids == tables.indexes.allocs_of.end()) return counts;
    for (const AllocId& id : ids->second) {
        const AllocRecord& alloc = tables.state.allocs.at(id);
        ++number_of(alloc.client, counts[alloc.slot.group]);
    }
    return counts;
}

}  // namespace gaggle::ledger
