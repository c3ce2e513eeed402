#include "placement/ledger/judge.h"

#include "base/assert.h"

namespace gaggle::ledger {

namespace {

/// Where the search for dynamic ports begins: any number will do that all replicas agree on.
std::uint64_t salt_of(const AllocId& alloc) {
    std::uint64_t salt = 0;
    for (std::size_t i = 0; i < sizeof salt; ++i) salt = salt << 8U | alloc.bytes[i];
    return salt;
}

bool numbered_by_peer(JobType type) { return type == JobType::system || type == JobType::sysbatch; }

}  // namespace

Draft::Draft(const State& state, const Bundle& bundle, LogIndex index)
    : state_(state), bundle_(bundle), index_(index) {
    const auto job = state.jobs.find(bundle.job);
    if (job != state.jobs.end()) job_ = &job->second;
}

Verdict Draft::judge(const Claim& claim) {
    if (auto verdict = bad(claim)) return *verdict;
    if (auto verdict = stale(claim)) return *verdict;
    if (auto verdict = held(claim)) return *verdict;
    return place(claim);
}

std::optional<Verdict> Draft::bad(const Claim& claim) const {
    if (claim.alloc.empty()) return BadClaim{"it names no allocation id"};
    if (state_.allocs.contains(claim.alloc) || allocs_.contains(claim.alloc))
        return BadClaim{"allocation " + to_string(claim.alloc) + " exists already"};
    if (claim.candidates.empty() || claim.candidates.size() > kCandidatesMax)
        return BadClaim{"it names " + std::to_string(claim.candidates.size()) +
                        " candidates; wanted are 1 to " + std::to_string(kCandidatesMax)};
    if (!claim.job_version && !bundle_.registration)
        return BadClaim{"it names no job version, and its bundle registers none"};
    if (!claim.replaces) return std::nullopt;
    const auto replaced = state_.allocs.find(*claim.replaces);
    if (replaced != state_.allocs.end() && replaced->second.slot != slot_of(claim))
        return BadClaim{"it replaces an allocation of " + to_string(replaced->second.slot)};
    return std::nullopt;
}

std::optional<Verdict> Draft::stale(const Claim& claim) const {
    if (job_ == nullptr) return StaleJob{std::nullopt, "it is gone"};
    const JobVersion& current = job_->current();
    if (current.stopped) return StaleJob{std::nullopt, "it was stopped"};
    if (claim.job_version && *claim.job_version != current.version)
        return StaleJob{current.version, "planned for version " +
                                             std::to_string(*claim.job_version) + ", current is " +
                                             std::to_string(current.version)};
    const TaskGroup* group = find_group(current.job, claim.group);
    if (group == nullptr)
        return StaleJob{current.version, "it has no group \"" + claim.group + "\""};
    if (!numbered_by_peer(current.job.type) && claim.index >= group->count)
        return StaleJob{current.version, to_string(slot_of(claim)) + " is beyond its count of " +
                                             std::to_string(group->count)};
    return std::nullopt;
}

std::optional<Verdict> Draft::held(const Claim& claim) const {
    const Slot slot = slot_of(claim);
    if (const auto mine = taken_.find(slot); mine != taken_.end())
        return SlotHeld{mine->second.alloc, mine->second.peer};
    const auto record = state_.slots.find(slot);
    if (record == state_.slots.end()) return std::nullopt;
    std::optional<AllocId> by = record->second.holder;
    if (by && by == claim.replaces) by.reset();
    // A generation is an index: two writers of one slot from one entry could not be told apart.
    if (!by && record->second.generation.value == index_.value) by = record->second.last;
    if (!by) return std::nullopt;
    const auto alloc = state_.allocs.find(*by);
    INVARIANT(alloc != state_.allocs.end());
    return SlotHeld{*by, alloc->second.peer};
}

Verdict Draft::place(const Claim& claim) {
    const Ask& ask = ask_for(claim.group);
    NoFit none;
    for (const PeerNumber& candidate : claim.candidates) {
        if (auto why = refusal(candidate, ask)) {
            const auto peer = state_.peers.find(candidate);
            CandidateRefusal refused{candidate, std::move(*why), {}};
            if (peer != state_.peers.end()) {
                refused.free = peer->second.books.offer.total;
                refused.free -= books_of(peer->second).used;
            }
            none.candidates.push_back(std::move(refused));
            continue;
        }
        Books& books =
            books_.try_emplace(candidate, state_.peers.at(candidate).books).first->second;
        Accepted accepted{claim.alloc, candidate, take(books, ask, salt_of(claim.alloc)), index_};
        INVARIANT(exceeded(books.offer.total, books.used) == nullptr);
        allocs_.insert(claim.alloc);
        taken_.emplace(slot_of(claim), accepted);
        return accepted;
    }
    return none;
}

std::optional<std::string> Draft::refusal(PeerNumber candidate, const Ask& ask) const {
    const auto peer = state_.peers.find(candidate);
    if (peer == state_.peers.end()) return "unknown peer";
    switch (peer->second.status) {
        case PeerStatus::initializing: return "peer has not offered anything yet";
        case PeerStatus::down: return "peer is lost";
        case PeerStatus::expelled: return "peer is expelled";
        case PeerStatus::ready: return misfit(books_of(peer->second), ask);
    }
    return "unknown peer";
}

const Books& Draft::books_of(const PeerRecord& peer) const {
    const auto touched = books_.find(peer.number);
    return touched == books_.end() ? peer.books : touched->second;
}

const Ask& Draft::ask_for(const std::string& group) {
    const auto known = asks_.find(group);
    if (known != asks_.end()) return known->second;
    return asks_.emplace(group, ask_of(*find_group(job_->current().job, group))).first->second;
}

}  // namespace gaggle::ledger
