#include "gctl/node/answer.h"

#include <algorithm>
#include <set>

#include "allocrunner/service_instance.h"
#include "base/wire.h"
#include "placement/jobspec/dispatch.h"

namespace gaggle::node {

namespace {

using ledger::Table;

constexpr std::size_t kRecordsMax = 20'000;  // of one answer; beyond that, ask with a longer prefix

bool in_scope(const Query& query, const std::string& name_space) {
    return query.name_space == "*" || query.name_space == name_space;
}

ledger::JobKey key_of(const Query& query) { return {query.name_space, query.id}; }

template <class Any>
bool matches(const Id<Any>& id, const std::string& prefix) {
    return prefix.empty() || to_string(id).starts_with(prefix);
}

/// The object that is meant by an id, which may be shortened as long as it is not ambiguous. Ids
/// are sorted as their texts are, so the first that can begin with the text is found at once.
template <class Map>
const typename Map::mapped_type* by_prefix(const Map& map, const std::string& id) {
    constexpr std::string_view kLowest = "00000000-0000-0000-0000-000000000000";
    if (id.empty() || id.size() > kLowest.size()) return nullptr;
    const auto lowest = uuid_bytes(id + std::string(kLowest.substr(id.size())));
    if (!lowest) return nullptr;
    const auto first = map.lower_bound({*lowest});
    if (first == map.end() || !matches(first->first, id)) return nullptr;
    const auto next = std::next(first);
    return next != map.end() && matches(next->first, id) ? nullptr : &first->second;
}

const ledger::PeerRecord* peer_by_prefix(const ledger::Ledger& ledger, const std::string& id) {
    const ledger::PeerRecord* found = nullptr;
    for (const auto& [number, record] : ledger.peers()) {
        if (id.empty() || !matches(record.who.id, id)) continue;
        if (found != nullptr) return nullptr;
        found = &record;
    }
    return found;
}

/// The jobs on the books that were dispatched from this one; their ids begin with its own.
std::vector<const ledger::JobRecord*> children_of(const ledger::Ledger& ledger,
                                                  const ledger::JobRecord& job) {
    const Job& parent = job.current().job;
    std::vector<const ledger::JobRecord*> out;
    if (!waits_for_dispatch(parent)) return out;
    const ledger::JobKey first{parent.name_space, parent.id + "/"};
    for (auto at = ledger.jobs().lower_bound(first); at != ledger.jobs().end(); ++at) {
        const auto& [key, record] = *at;
        if (key.name_space != first.name_space || !key.id.starts_with(first.id)) break;
        if (!record.purged && record.current().job.parent == parent.id) out.push_back(&record);
    }
    return out;
}

void add_children(Answer& answer, const ledger::Ledger& ledger, const ledger::JobRecord& job) {
    const Job& parent = job.current().job;
    if (!waits_for_dispatch(parent)) return;
    JobChildren counts{.parent = {parent.name_space, parent.id}};
    for (const ledger::JobRecord* child : children_of(ledger, job)) {
        switch (child->status) {
            case ledger::JobStatus::pending: ++counts.pending; break;
            case ledger::JobStatus::running: ++counts.running; break;
            case ledger::JobStatus::dead: ++counts.dead; break;
        }
    }
    answer.children.push_back(std::move(counts));
}

void add_job(Answer& answer, const ledger::Ledger& ledger, const ledger::JobRecord* job) {
    answer.found = job != nullptr && !job->purged;
    if (!answer.found) return;
    answer.jobs.push_back(*job);
    add_children(answer, ledger, *job);
}

void add_job_of(Answer& answer, const ledger::Ledger& ledger, const ledger::AllocRecord& alloc) {
    const ledger::JobRecord* job = ledger.job(alloc.slot.job);
    if (job == nullptr) return;
    const bool there = std::any_of(answer.jobs.begin(), answer.jobs.end(), [&](const auto& other) {
        return other.current().job.id == alloc.slot.job.id &&
               other.current().job.name_space == alloc.slot.job.name_space;
    });
    if (!there) answer.jobs.push_back(*job);
}

void add_peer_of(Answer& answer, const ledger::Ledger& ledger, PeerNumber number) {
    const ledger::PeerRecord* peer = ledger.peer(number);
    const bool there = std::any_of(answer.peers.begin(), answer.peers.end(),
                                   [&](const auto& other) { return other.number == number; });
    if (peer != nullptr && !there) answer.peers.push_back(*peer);
}

/// An allocation is shown with its job and the names of its peer and of those where it failed.
void add_alloc(Answer& answer, const ledger::Ledger& ledger, const ledger::AllocRecord& alloc) {
    if (answer.allocs.size() >= kRecordsMax) return;
    answer.allocs.push_back(alloc);
    add_job_of(answer, ledger, alloc);
    add_peer_of(answer, ledger, alloc.peer);
    for (const ledger::Reschedule& past : alloc.reschedules) add_peer_of(answer, ledger, past.peer);
}

void answer_jobs(Answer& answer, const ledger::Ledger& ledger, const Query& query) {
    for (const auto& [key, job] : ledger.jobs()) {
        if (job.purged || !in_scope(query, key.name_space) || !key.id.starts_with(query.id))
            continue;
        if (answer.jobs.size() >= kRecordsMax) return;
        answer.jobs.push_back(job);
        add_children(answer, ledger, job);
    }
}

void answer_job_parts(Answer& answer, const ledger::Ledger& ledger, const Query& query) {
    const ledger::JobKey key = key_of(query);
    if (query.kind == QueryKind::job_evaluations) {
        for (const EvalId& id : ledger.evals_of(key)) answer.evals.push_back(*ledger.eval(id));
        return;
    }
    for (const AllocId& id : ledger.allocs_of(key)) add_alloc(answer, ledger, *ledger.alloc(id));
}

void answer_planning(Answer& answer, const ledger::Ledger& ledger, const Query& query) {
    const ledger::JobKey key = key_of(query);
    if (const ledger::JobRecord* job = ledger.job(key)) answer.jobs.push_back(*job);
    for (const AllocId& id : ledger.allocs_of(key)) {
        answer.allocs.push_back(*ledger.alloc(id));
        answer.allocs.back()
            .status.clear();  // a planner reads neither, and they are most of the bytes
        answer.allocs.back().explanation.clear();
    }
    const ledger::Slot first{.job = key, .group = "", .index = 0};
    for (auto at = ledger.slots().lower_bound(first);
         at != ledger.slots().end() && at->first.job == key; ++at)
        answer.slots.emplace_back(at->first, at->second);
    answer.log_time = ledger.time();
    answer.applied = ledger.applied();
}

void answer_peer(Answer& answer, const ledger::Ledger& ledger, const Query& query) {
    const ledger::PeerRecord* peer = peer_by_prefix(ledger, query.id);
    answer.found = peer != nullptr;
    if (peer == nullptr) return;
    answer.peers.push_back(*peer);
    if (query.kind == QueryKind::peer) return;
    for (const AllocId& id : ledger.allocs_on(peer->number))
        add_alloc(answer, ledger, *ledger.alloc(id));
}

bool lists(const ledger::AllocRecord& alloc, const std::string& service) {
    const auto instances = decode<std::vector<allocrunner::ServiceInstance>>(
        alloc.services.instances, "instances of services");
    return instances.ok() &&
           std::any_of(instances->begin(), instances->end(),
                       [&](const auto& instance) { return instance.name == service; });
}

/// Without all that has nothing to do with services: that is most of the bytes.
void answer_services(Answer& answer, const ledger::Ledger& ledger, const Query& query) {
    std::set<PeerNumber> peers;
    for (const auto& [id, alloc] : ledger.allocs()) {
        if (alloc.services.instances.empty() || !in_scope(query, alloc.slot.job.name_space))
            continue;
        if (query.kind == QueryKind::service && !lists(alloc, query.id)) continue;
        if (answer.allocs.size() >= kRecordsMax) break;
        ledger::AllocRecord shown;
        shown.id = alloc.id;
        shown.slot = alloc.slot;
        shown.peer = alloc.peer;
        shown.services = alloc.services;
        answer.allocs.push_back(std::move(shown));
        peers.insert(alloc.peer);
    }
    for (const PeerNumber number : peers) {
        const ledger::PeerRecord* peer = ledger.peer(number);
        if (peer == nullptr) continue;
        ledger::PeerRecord shown;
        shown.number = number;
        shown.who.id = peer->who.id;
        shown.description.name = peer->description.name;
        shown.description.datacenter = peer->description.datacenter;
        answer.peers.push_back(std::move(shown));
    }
}

}  // namespace

std::uint64_t index_of(const ledger::Ledger& ledger, const Query& query) {
    LogIndex index;
    switch (query.kind) {
        case QueryKind::jobs: index = ledger.table_index(Table::jobs); break;
        case QueryKind::job: {
            const ledger::JobRecord* job = ledger.job(key_of(query));
            index = job != nullptr ? job->modify_index : ledger.table_index(Table::jobs);
            if (job == nullptr) break;
            for (const ledger::JobRecord* child : children_of(ledger, *job))
                index = std::max(index, child->modify_index);
            break;
        }
        case QueryKind::job_versions: index = ledger.table_index(Table::jobs); break;
        case QueryKind::job_allocations: {
            for (const AllocId& id : ledger.allocs_of(key_of(query)))
                index = std::max(index, ledger.alloc(id)->modify_index);
            if (index.value == 0) index = ledger.table_index(Table::allocs);
            break;
        }
        case QueryKind::job_evaluations: {
            for (const EvalId& id : ledger.evals_of(key_of(query)))
                index = std::max(index, ledger.eval(id)->modify_index);
            if (index.value == 0) index = ledger.table_index(Table::evals);
            break;
        }
        case QueryKind::allocation: {
            const auto* alloc = by_prefix(ledger.allocs(), query.id);
            index = alloc != nullptr ? alloc->modify_index : ledger.table_index(Table::allocs);
            break;
        }
        case QueryKind::allocations:
        case QueryKind::evaluation_allocations:
        case QueryKind::peer_allocations: index = ledger.table_index(Table::allocs); break;
        case QueryKind::evaluation: {
            const auto* eval = by_prefix(ledger.evals(), query.id);
            index = eval != nullptr ? eval->modify_index : ledger.table_index(Table::evals);
            break;
        }
        case QueryKind::evaluations: index = ledger.table_index(Table::evals); break;
        case QueryKind::peer: {
            const auto* peer = peer_by_prefix(ledger, query.id);
            index = peer != nullptr ? peer->modify_index : ledger.table_index(Table::peers);
            break;
        }
        case QueryKind::peers: index = ledger.table_index(Table::peers); break;
        case QueryKind::services:
        case QueryKind::service: index = ledger.table_index(Table::services); break;
        case QueryKind::planning:
        case QueryKind::region: index = ledger.applied(); break;
    }
    return std::max<std::uint64_t>(index.value, 1);
}

Answer answer_from(const ledger::Ledger& ledger, const Query& query) {
    Answer answer;
    answer.index = index_of(ledger, query);
    switch (query.kind) {
        case QueryKind::jobs: answer_jobs(answer, ledger, query); break;
        case QueryKind::job:
        case QueryKind::job_versions: add_job(answer, ledger, ledger.job(key_of(query))); break;
        case QueryKind::job_allocations:
        case QueryKind::job_evaluations: answer_job_parts(answer, ledger, query); break;
        case QueryKind::planning: answer_planning(answer, ledger, query); break;
        case QueryKind::allocations:
            for (const auto& [id, alloc] : ledger.allocs())
                if (in_scope(query, alloc.slot.job.name_space) && matches(id, query.id))
                    add_alloc(answer, ledger, alloc);
            break;
        case QueryKind::allocation: {
            const auto* alloc = by_prefix(ledger.allocs(), query.id);
            answer.found = alloc != nullptr;
            if (alloc == nullptr) break;
            add_alloc(answer, ledger, *alloc);
            if (const auto* slot = ledger.slot(alloc->slot)) {
                answer.slots.emplace_back(alloc->slot, *slot);
                for (const auto& [number, generation] : slot->copies)
                    add_peer_of(answer, ledger, number);
            }
            break;
        }
        case QueryKind::evaluations:
            for (const auto& [id, eval] : ledger.evals())
                if (in_scope(query, eval.job.name_space) && matches(id, query.id) &&
                    answer.evals.size() < kRecordsMax)
                    answer.evals.push_back(eval);
            break;
        case QueryKind::evaluation: {
            const auto* eval = by_prefix(ledger.evals(), query.id);
            answer.found = eval != nullptr;
            if (eval != nullptr) answer.evals.push_back(*eval);
            break;
        }
        case QueryKind::evaluation_allocations:
            for (const auto& [id, alloc] : ledger.allocs())
                if (to_string(alloc.eval) == query.id) add_alloc(answer, ledger, alloc);
            break;
        case QueryKind::peers:
            for (const auto& [number, peer] : ledger.peers())
                if (matches(peer.who.id, query.id)) answer.peers.push_back(peer);
            break;
        case QueryKind::peer:
        case QueryKind::peer_allocations: answer_peer(answer, ledger, query); break;
        case QueryKind::services:
        case QueryKind::service: answer_services(answer, ledger, query); break;
        case QueryKind::region: break;
    }
    return answer;
}

}  // namespace gaggle::node
