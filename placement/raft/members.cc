// Changing who belongs to the group, and who leads it.
#include <algorithm>

#include "placement/raft/raft.h"

namespace gaggle::raft {

/// Nothing when the change may start now.
std::string Replica::why_not_ready(const Leader& leader, const Change& change) const {
    if (commit_ < leader.first_own)
        return "this leader has not yet committed an entry of its own term";
    if (log_.configuration_index() > commit_ || log_.configuration().joint())
        return "another change is under way";
    const auto* set = std::get_if<SetVoters>(&change);
    if (!set) return {};
    for (const ReplicaId id : set->voters) {
        if (log_.configuration().is_voter(id)) continue;
        const auto found = leader.others.find(id);
        if (found != leader.others.end() && !streaming(found->second))
            return "replica " + std::to_string(id.value) + " has not caught up with the log";
    }
    return {};
}

void Replica::on(const ChangeConfiguration& change) {
    auto* leader = std::get_if<Leader>(&role_);
    if (!leader) return drop(change.id, DropReason::not_leader);
    if (leader->transfer)
        return drop(change.id, DropReason::busy, "leadership is being handed over");
    std::string why = why_not_ready(*leader, change.change);
    if (!why.empty()) return drop(change.id, DropReason::not_ready, std::move(why));
    const auto next = changed(log_.configuration(), change.change, {log_.last().value + 1});
    if (!next.ok()) return drop(change.id, DropReason::invalid, next.error().detail);
    const LogIndex index = append_own(EntryKind::configuration, encode_configuration(*next));
    proposals_[index] = {change.id, hard_.term};
    out_.accepted_at.push_back({change.id, index, hard_.term});
}

/// A new member is first asked about the end of our log; who is no longer one stays until
/// retire_members().
void Replica::follow_configuration(Leader& leader) {
    for (const auto& [id, peer] : log_.configuration().peers)
        if (id != config_.self)
            leader.others.try_emplace(id, LogIndex{log_.last().value + 1}, now_);
}

/// Who is out by a committed configuration hears so once more, as far as its log goes, and is
/// then forgotten.
void Replica::retire_members(Leader& leader) {
    if (log_.configuration_index() > commit_) return;
    for (auto each = leader.others.begin(); each != leader.others.end();) {
        if (log_.configuration().contains(each->first)) {
            ++each;
            continue;
        }
        send_heartbeat(leader, each->first);
        each = leader.others.erase(each);
    }
}

/// A leader without a vote has replicated the configuration that says so; now the best of the
/// voters goes on.
void Replica::hand_over(Leader& leader) {
    std::optional<ReplicaId> best;
    for (const ReplicaId id : log_.configuration().voters)
        if (!best || leader.others.at(id).match() > leader.others.at(*best).match()) best = id;
    INVARIANT(best.has_value());
    send(*best, TimeoutNow{.last_index = leader.others.at(*best).match()});
    become_follower(hard_.term, std::nullopt);
}

void Replica::on(const TransferTo& transfer) {
    auto* leader = std::get_if<Leader>(&role_);
    if (!leader || transfer.to == config_.self ||
        !log_.configuration().voters.contains(transfer.to))
        return;
    leader->transfer = Transfer{.to = transfer.to, .deadline = now_ + config_.election_timeout};
}

/// Once the target has everything, it is told to campaign; no proposals are taken meanwhile, so
/// it soon has.
void Replica::transfer_if_ready(Leader& leader) {
    if (!leader.transfer || leader.transfer->asked) return;
    const auto target = leader.others.find(leader.transfer->to);
    if (target == leader.others.end() || target->second.match() != log_.last()) return;
    send(target->first, TimeoutNow{.last_index = log_.last()});
    leader.transfer->asked = true;
}

}  // namespace gaggle::raft
