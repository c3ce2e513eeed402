#include "tests/sim/checks.h"

namespace gaggle::sim {

namespace {

constexpr std::uint64_t kStateEvery = 8;  // whole ledgers are compared at every eighth index

std::string peer_name(std::size_t place) { return "peer " + std::to_string(place); }

bool within(const Amounts& used, const Amounts& total) {
    return used.cpu <= total.cpu && used.memory <= total.memory && used.disk <= total.disk;
}

}  // namespace

std::optional<std::string> Checks::after_step(const World& world, std::size_t place) {
    const Machine& machine = world.peers[place]->machine();
    if (const auto& torn = machine.torn()) return peer_name(place) + ": " + *torn;
    if (const auto& doubled = machine.doubled()) return peer_name(place) + ": " + *doubled;
    if (auto overfull = room(world, place)) return overfull;
    const node::Node* node = world.peers[place]->node();
    if (node == nullptr || !node->group().is_replica()) return std::nullopt;
    if (auto broken = one_leader(world, place)) return broken;
    const LogIndex applied = node->group().applied();
    if (applied == seen_[place] || applied.value == 0) return std::nullopt;
    seen_[place] = applied;
    ++checked_;
    const bool first = !log_.contains(applied);
    if (auto broken = same_log(world, place)) return broken;
    return sound_books(world, place, first);
}

/// What runs on a machine fits into what it offers, also what the ledger has given up as lost.
std::optional<std::string> Checks::room(const World& world, std::size_t place) {
    const Machine& machine = world.peers[place]->machine();
    if (std::exchange(started_[place], machine.started()) == machine.started()) return std::nullopt;
    Amounts used;
    std::string which;
    for (const auto& [id, amounts] : machine.running()) {
        used += amounts;
        which += " " + to_string(id);
    }
    if (within(used, offer_of(place))) return std::nullopt;
    return peer_name(place) + " runs more than it offers:" + which;
}

/// Also leader completeness: whoever leads in the latest term so far has all that was applied.
std::optional<std::string> Checks::one_leader(const World& world, std::size_t place) {
    const node::Group& group = world.peers[place]->node()->group();
    if (!group.leading()) return std::nullopt;
    const auto [found, fresh] = leaders_.emplace(group.role().term, place);
    if (!fresh && found->second != place)
        return "two leaders in term " + std::to_string(group.role().term.value) + ": " +
               peer_name(found->second) + " and " + peer_name(place);
    const bool latest = std::next(found) == leaders_.end();
    if (fresh && latest && group.status().last < newest_)
        return peer_name(place) + " leads with a log up to index " +
               std::to_string(group.status().last.value) + ", and " +
               std::to_string(newest_.value) + " was applied";
    return std::nullopt;
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

/// Log matching: two entries of one index and term are the same one, and so is all before them.
std::optional<std::string> Checks::matches(std::size_t place, const raft::Entry& entry) {
    const std::string where = "entry " + std::to_string(entry.index.value) + " of term " +
                              std::to_string(entry.term.value) + " on " + peer_name(place);
    std::map<LogIndex, std::uint64_t>& log = logs_[place];
    const auto before = log.find(LogIndex{entry.index.value - 1});
    const bool known = before != log.end() || entry.index.value == 1;
    const std::uint64_t previous = before != log.end() ? before->second : 0;
    if (known && raft::chained(previous, entry) != entry.checksum)
        return where + " does not follow the one before it";
    const auto [found, fresh] =
        entries_.emplace(std::pair{entry.index, entry.term}, entry.checksum);
    if (!fresh && found->second != entry.checksum)
        return where + " differs from another replica's, or something before it does";
    log[entry.index] = entry.checksum;
    return std::nullopt;
}

std::optional<std::string> Checks::began(std::size_t place, const raft::Restored& found) {
    std::map<LogIndex, std::uint64_t>& log = logs_[place];
    log.clear();
    if (found.snapshot) log[found.snapshot->meta.index] = found.snapshot->meta.checksum;
    for (const raft::Entry& entry : found.entries)
        if (auto broken = matches(place, entry)) return broken;
    return std::nullopt;
}

std::optional<std::string> Checks::wrote(const World& world, std::size_t place,
                                         const raft::Persist& write) {
    std::map<LogIndex, std::uint64_t>& log = logs_[place];
    const node::Node* node = world.peers[place]->node();
    if (write.truncate_from && !write.snapshot && node->group().is_replica() &&
        *write.truncate_from <= node->group().applied())
        return peer_name(place) + " cuts off its log at " +
               std::to_string(write.truncate_from->value) + " and has applied up to " +
               std::to_string(node->group().applied().value);
    if (write.truncate_from) log.erase(log.lower_bound(*write.truncate_from), log.end());
    if (write.snapshot) {
        const raft::SnapshotMeta& meta = write.snapshot->meta;
        const auto same = log.find(meta.index);
        if (same == log.end() || same->second != meta.checksum) log.clear();
        log[meta.index] = meta.checksum;
    }
    for (const raft::Entry& entry : write.append)
        if (auto broken = matches(place, entry)) return broken;
    return std::nullopt;
}

std::optional<std::string> Checks::sound_books(const World& world, std::size_t place, bool first) {
    const ledger::Ledger& ledger = world.peers[place]->node()->group().ledger();
    const LogIndex applied = world.peers[place]->node()->group().applied();
    if (applied.value % kStateEvery == 0) {
        const std::uint64_t state = checksum64(ledger.snapshot());
        const auto [found, fresh] = states_.emplace(applied, state);
        if (!fresh && found->second != state)
            return peer_name(place) + " computed another ledger at index " +
                   std::to_string(applied.value);
    }
    if (!first) return std::nullopt;
    if (auto contradiction = ledger.contradiction())
        return "the ledger of " + peer_name(place) + " contradicts itself: " + *contradiction;
    for (const auto& [number, peer] : ledger.peers()) {
        const Amounts& used = peer.books.used;
        const Amounts& total = peer.books.offer.total;
        if (!within(used, total))
            return "the ledger of " + peer_name(place) + " gives more of peer number " +
                   std::to_string(number.value) + " than it offers";
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
        const std::size_t able = world.peers.size() - world.gone.size() - world.expelled.size();
        const std::size_t wanted =
            std::min<std::size_t>(static_cast<std::size_t>(group->disk.replicas), able - 1);
        std::size_t fresh = 0;
        for (const auto& [peer, generation] : record.copies)
            fresh += generation == alloc->generation && peer != alloc->peer ? 1 : 0;
        if (fresh < wanted)
            return to_string(slot) + " has " + std::to_string(fresh) +
                   " copies of its generation, wanted " + std::to_string(wanted);
    }
    return std::nullopt;
}

/// As many as the region wants, and none that cannot vote.
std::optional<std::string> Checks::voters_at_rest(const World& world,
                                                  const node::Node& leader) const {
    const raft::Configuration& members = leader.group().configuration();
    if (members.joint()) return "the change of the commit group is not finished";
    std::size_t able = 0;
    for (const auto& peer : world.peers) {
        const bool votes = world.votes(members, peer->place());
        if (votes && !world.belongs(peer->place()))
            return peer_name(peer->place()) + " is away for good and still a voter";
        if (votes && peer->store_failed())
            return peer_name(peer->place()) + " has no store and is still a voter";
        able += world.belongs(peer->place()) && !peer->store_failed() ? 1 : 0;
    }
    const std::size_t voters = members.voters.size();
    if (able >= 3 && voters < 3) return "only " + std::to_string(voters) + " voters";
    if (voters % 2 == 0) return std::to_string(voters) + " voters, an even number";
    return std::nullopt;
}

/// What should run on this peer runs, and nothing else.
std::optional<std::string> Checks::tasks_at_rest(const World& world, const Peer& peer,
                                                 const ledger::Ledger& ledger) const {
    const std::string name = peer_name(peer.place());
    const auto record = ledger.peer(peer.id());
    if (record == nullptr) return name + " is not in the ledger";
    std::set<AllocId> wanted;
    for (const AllocId& id : ledger.allocs_on(record->number))
        if (const auto* alloc = ledger.alloc(id); alloc->holds_slot()) wanted.insert(id);
    const bool expelled = world.expelled.contains(peer.place());
    const auto status = expelled                            ? ledger::PeerStatus::expelled
                        : world.gone.contains(peer.place()) ? ledger::PeerStatus::down
                                                            : ledger::PeerStatus::ready;
    if (record->status != status)
        return name + " is " + to_string(record->status) + " in the ledger, not " +
               to_string(status);
    if (!world.belongs(peer.place()))
        return wanted.empty() ? std::nullopt
                              : std::optional(name + " is away for good and holds " +
                                              to_string(*wanted.begin()));
    const auto running = peer.machine().running();
    Amounts used;
    for (const auto& [alloc, amounts] : running) {
        if (!wanted.contains(alloc))
            return name + " runs " + to_string(alloc) + ", which it should not";
        used += amounts;
    }
    if (!within(used, offer_of(peer.place()))) return name + " runs more than it offers";
    for (const AllocId& alloc : peer.machine().set_up())
        if (!wanted.contains(alloc))
            return name + " keeps what was set up around " + to_string(alloc) + ", which has ended";
    for (const AllocId& alloc : wanted)
        if (ledger.alloc(alloc)->client != ledger::ClientStatus::complete &&
            !running.contains(alloc))
            return name + " does not run " + to_string(alloc);
    return std::nullopt;
}

namespace {

/// Nobody needs to fill the slot: it is held, or what it was for is over.
bool filled_or_over(const ledger::Ledger& ledger, const Job& job, const ledger::Slot& slot) {
    const ledger::SlotRecord* record = ledger.slot(slot);
    if (record == nullptr || !record->last) return false;
    if (record->holder) return true;
    const ledger::AllocRecord* last = ledger.alloc(*record->last);
    if (last == nullptr) return false;
    const bool failed = last->client == ledger::ClientStatus::failed;
    return last->client == ledger::ClientStatus::complete ||
           (failed && (last->for_good || job.type == JobType::batch));
}

}  // namespace

/// Each slot that a job wants filled is filled, or an evaluation waits to fill it.
std::optional<std::string> Checks::jobs_at_rest(const ledger::Ledger& ledger) const {
    for (const auto& [key, record] : ledger.jobs()) {
        const ledger::JobVersion& version = record.current();
        if (version.stopped || record.purged) continue;
        const auto open = [&](const EvalId& id) { return !terminal(ledger.eval(id)->status); };
        if (std::ranges::any_of(ledger.evals_of(key), open)) continue;
        for (const TaskGroup& group : version.job.groups)
            for (std::uint32_t index = 0; index < group.count; ++index)
                if (!filled_or_over(ledger, version.job, {key, group.name, index}))
                    return "job " + key.id + " wants slot " + std::to_string(index) +
                           " filled, and no evaluation waits to do it";
    }
    return std::nullopt;
}

std::optional<std::string> Checks::at_rest(const World& world) const {
    for (const auto& peer : world.peers)
        if (peer->node() == nullptr && world.belongs(peer->place()))
            return peer_name(peer->place()) + " does not run";
    const node::Node* leader = world.leader();
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
    if (auto wrong = voters_at_rest(world, *leader)) return wrong;
    if (auto wrong = jobs_at_rest(ledger)) return wrong;
    for (const auto& peer : world.peers)
        if (auto wrong = tasks_at_rest(world, *peer, ledger)) return wrong;
    if (auto missing = copies_at_rest(world, ledger)) return missing;
    for (const auto& [id, eval] : ledger.evals())
        if (eval.status == ledger::EvalStatus::pending && !eval.wait_until)
            return "evaluation " + to_string(id) + " is still pending";
    return std::nullopt;
}

}  // namespace gaggle::sim
