#include "tests/sim/checks.h"

namespace gaggle::sim {

namespace {

constexpr std::uint64_t kStateEvery = 8;  // whole ledgers are compared at every eighth index

std::string peer_name(std::size_t place) { return "peer " + std::to_string(place); }

}  // namespace

std::optional<std::string> Checks::after_step(const World& world, std::size_t place) {
    if (const auto& torn = world.peers[place]->machine().torn())
        return peer_name(place) + ": " + *torn;
    const node::Node* node = world.peers[place]->node();
    if (node == nullptr || !node->group().is_replica()) return std::nullopt;
    if (auto broken = one_leader(world, place)) return broken;
    const LogIndex applied = node->group().applied();
    if (applied == seen_[place]) return std::nullopt;
    seen_[place] = applied;
    ++checked_;
    if (auto broken = same_log(world, place)) return broken;
    return sound_books(world, place);
}

std::optional<std::string> Checks::one_leader(const World& world, std::size_t place) {
    const node::Group& group = world.peers[place]->node()->group();
    if (!group.leading()) return std::nullopt;
    const auto [found, fresh] = leaders_.emplace(group.role().term, place);
    if (fresh || found->second == place) return std::nullopt;
    return "two leaders in term " + std::to_string(group.role().term.value) + ": " +
           peer_name(found->second) + " and " + peer_name(place);
}

/// Each entry's checksum covers all entries before it: equal checksums mean equal prefixes.
std::optional<std::string> Checks::same_log(const World& world, std::size_t place) {
    const node::Group& group = world.peers[place]->node()->group();
    const auto [found, fresh] = log_.emplace(group.applied(), group.applied_checksum());
    if (!fresh && found->second != group.applied_checksum())
        return peer_name(place) + " applied another log up to index " +
               std::to_string(group.applied().value);
    newest_ = std::max(newest_, group.applied());
    return std::nullopt;
}

std::optional<std::string> Checks::sound_books(const World& world, std::size_t place) {
    const node::Group& group = world.peers[place]->node()->group();
    const LogIndex applied = group.applied();
    if (applied.value % kStateEvery == 0) {
        const std::uint64_t state = checksum64(group.ledger().snapshot());
        const auto [found, fresh] = states_.emplace(applied, state);
        if (!fresh && found->second != state)
            return peer_name(place) + " computed another ledger at index " +
                   std::to_string(applied.value);
        if (!fresh) return std::nullopt;
        if (auto contradiction = group.ledger().contradiction())
            return "the ledger of " + peer_name(place) + " contradicts itself: " + *contradiction;
    }
    return std::nullopt;
}

void Checks::acknowledged(const ledger::JobKey& job, LogIndex index, bool stopped) {
    Promise& promise = promises_[job];
    if (index >= promise.index) promise = {index, stopped};
}

/// Every running allocation that wants copies has them, of its own generation.
std::optional<std::string> Checks::copies_at_rest(const World& world,
                                                  const ledger::Ledger& ledger) const {
    for (const auto& [slot, record] : ledger.slots()) {
        const auto* alloc = record.holder ? ledger.alloc(*record.holder) : nullptr;
        if (alloc == nullptr || alloc->client != ledger::ClientStatus::running) continue;
        const auto* version = ledger.job_version(slot.job, alloc->job_version);
        const TaskGroup* group =
            version != nullptr ? find_group(version->job, slot.group) : nullptr;
        if (group == nullptr || !group->disk.sticky) continue;
        const std::size_t wanted = std::min<std::size_t>(
            static_cast<std::size_t>(group->disk.replicas), world.peers.size() - 1);
        std::size_t fresh = 0;
        for (const auto& [peer, generation] : record.copies)
            fresh += generation == alloc->generation && peer != alloc->peer ? 1 : 0;
        if (fresh < wanted)
            return to_string(slot) + " has " + std::to_string(fresh) +
                   " copies of its generation, wanted " + std::to_string(wanted);
    }
    return std::nullopt;
}

std::optional<std::string> Checks::at_rest(const World& world) const {
    const node::Node* leader = nullptr;
    for (const auto& peer : world.peers) {
        const node::Node* node = peer->node();
        if (node == nullptr) return peer_name(peer->place()) + " does not run";
        if (node->group().leading()) leader = node;
    }
    if (leader == nullptr) return "no peer leads";
    const ledger::Ledger& ledger = leader->group().ledger();
    if (auto contradiction = ledger.contradiction())
        return "the leader's ledger contradicts itself: " + *contradiction;
    for (const auto& [key, promise] : promises_) {
        const ledger::JobRecord* job = ledger.job(key);
        if (job == nullptr && !promise.stopped)
            return "job " + key.id + " was acknowledged and is not in the ledger";
        if (job != nullptr && job->job_modify_index < promise.index)
            return "job " + key.id + " is older than what was acknowledged";
    }
    std::size_t voters = 0;
    for (const auto& [id, number] : leader->group().configuration().peers)
        voters += leader->group().configuration().is_voter(id) ? 1 : 0;
    if (world.peers.size() >= 3 && voters < 3) return "only " + std::to_string(voters) + " voters";
    for (const auto& peer : world.peers) {
        const auto record = ledger.peer(peer->id());
        if (record == nullptr) return peer_name(peer->place()) + " is not in the ledger";
        if (record->status != ledger::PeerStatus::ready)
            return peer_name(peer->place()) + " is " + to_string(record->status) + " in the ledger";
        std::set<AllocId> wanted;
        for (const AllocId& id : ledger.allocs_on(record->number))
            if (const auto* alloc = ledger.alloc(id); alloc->holds_slot()) wanted.insert(id);
        for (const auto& [alloc, tasks] : peer->machine().running())
            if (!wanted.contains(alloc))
                return peer_name(peer->place()) + " runs " + to_string(alloc) +
                       ", which it should not";
        const auto running = peer->machine().running();
        for (const AllocId& alloc : wanted)
            if (ledger.alloc(alloc)->client != ledger::ClientStatus::complete &&
                !running.contains(alloc))
                return peer_name(peer->place()) + " does not run " + to_string(alloc);
    }
    if (auto missing = copies_at_rest(world, ledger)) return missing;
    for (const auto& [id, eval] : ledger.evals())
        if (eval.status == ledger::EvalStatus::pending && !eval.wait_until)
            return "evaluation " + to_string(id) + " is still pending";
    return std::nullopt;
}

}  // namespace gaggle::sim
