#include "placement/ledger/bounds.h"
#include "placement/ledger/tables.h"

namespace gaggle::ledger {

namespace {

std::string name(PeerNumber peer) { return "peer " + std::to_string(peer.value); }

/// The peer's books, computed again from its allocations.
std::optional<std::string> wrong_books(const State& state,
                                       const std::map<PeerNumber, Amounts>& used,
                                       const std::map<PeerNumber, std::set<std::uint16_t>>& ports) {
    for (const auto& [number, peer] : state.peers) {
        const auto amounts = used.find(number);
        if (peer.books.used != (amounts == used.end() ? Amounts{} : amounts->second))
            return name(number) + ": its books do not add up to its allocations";
        const auto given = ports.find(number);
        if (peer.books.ports != (given == ports.end() ? std::set<std::uint16_t>{} : given->second))
            return name(number) + ": the ports in its books are not those of its allocations";
        for (const auto& [port, stranger] : peer.books.strangers)
            if (!peer.resting.contains(port))
                return name(number) + ": port " + std::to_string(port) +
                       " has a stranger and does not rest";
        if (peer.books.eligible != (peer.eligible && peer.status == PeerStatus::ready))
            return name(number) + ": its books are open and it is not, or the reverse";
    }
    return std::nullopt;
}

std::optional<std::string> overspent(const State& state) {
    for (const auto& [number, peer] : state.peers)
        if (!reasonable(peer.books.offer.total))
            return name(number) + " offers amounts out of range";
    std::map<PeerNumber, Amounts> used;
    std::map<PeerNumber, std::set<std::uint16_t>> ports;
    for (const auto& [number, peer] : state.peers)
        for (const auto& [port, until] : peer.resting) ports[number].insert(port);
    for (const auto& [id, alloc] : state.allocs) {
        if (!alloc.holds_resources()) continue;
        if (!state.peers.contains(alloc.peer)) return to_string(id) + " runs on an unknown peer";
        if (!reasonable(alloc.ask.amounts)) return to_string(id) + " has amounts out of range";
        used[alloc.peer] += alloc.ask.amounts;
        for (const AssignedPort& port : alloc.ports)
            if (!ports[alloc.peer].insert(port.value).second)
                return name(alloc.peer) + ": port " + std::to_string(port.value) +
                       " was given twice";
    }
    return wrong_books(state, used, ports);
}

std::optional<std::string> wrong_slots(const State& state) {
    std::map<Slot, AllocId> holders;
    for (const auto& [id, alloc] : state.allocs)
        if (alloc.holds_slot() && !holders.emplace(alloc.slot, id).second)
            return "slot " + to_string(alloc.slot) + " has two holders";
    for (const auto& [slot, record] : state.slots) {
        const auto holder = holders.find(slot);
        const bool same = record.holder
                              ? holder != holders.end() && holder->second == *record.holder
                              : holder == holders.end();
        if (!same)
            return "slot " + to_string(slot) + ": its holder is not the allocation that holds it";
        holders.erase(slot);
    }
    if (!holders.empty())
        return "slot " + to_string(holders.begin()->first) + " is held but has no record";
    return std::nullopt;
}

std::optional<std::string> wrong_jobs(const Tables& tables) {
    for (const auto& [key, job] : tables.state.jobs) {
        if (job.versions.empty()) return "job " + key.id + " has no version";
        auto counted = count(tables, key);
        for (const auto& [group, told] : job.summary) counted[group].queued = told.queued;
        if (counted != job.summary) return "job " + key.id + ": its summary is wrong";
    }
    for (const auto& [id, alloc] : tables.state.allocs) {
        const auto job = tables.state.jobs.find(alloc.slot.job);
        if (job == tables.state.jobs.end() || !job->second.versions.contains(alloc.job_version))
            return "allocation " + to_string(id) + " runs a version that is not kept";
    }
    return std::nullopt;
}

/// Keys that are also in the records, and references that apply() follows without asking.
std::optional<std::string> wrong_keys(const State& state) {
    for (const auto& [number, peer] : state.peers)
        if (number.value == 0 || number > state.last_peer || peer.number != number)
            return name(number) + " has a number that was never given";
    for (const auto& [id, alloc] : state.allocs)
        if (alloc.id != id || alloc.generation.value > state.applied.value)
            return "allocation " + to_string(id) + " is kept under another name or from the future";
    for (const auto& [id, eval] : state.evals)
        if (eval.id != id) return "evaluation " + to_string(id) + " is kept under another name";
    for (const auto& [id, session] : state.sessions)
        if (!state.peers.contains(session.claimant))
            return "session " + to_string(id) + " is of an unknown peer";
    for (const auto& [slot, record] : state.slots)
        if (record.generation.value > state.applied.value)
            return "slot " + to_string(slot) + " was given in the future";
    return std::nullopt;
}

}  // namespace

std::optional<std::string> contradiction(const Tables& tables) {
    const State& state = tables.state;
    if (auto what = wrong_keys(state)) return what;
    if (auto what = overspent(state)) return what;
    if (auto what = wrong_slots(state)) return what;
    if (auto what = wrong_jobs(tables)) return what;
    if (tables.indexes != indexes_of(state)) return "an index differs from what it indexes";
    return std::nullopt;
}

}  // namespace gaggle::ledger
