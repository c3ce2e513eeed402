// What a replica does because a leader says so.
#include <algorithm>

#include "placement/raft/raft.h"

namespace gaggle::raft {

namespace {

/// Whether a correct leader can have sent this: entries without gaps, terms that never fall,
/// readable configurations.
bool well_formed(const Message& message, const Append& body) {
    LogIndex index = body.previous;
    Term term = body.previous_term;
    for (const Entry& entry : body.entries) {
        ++index.value;
        if (entry.index != index || entry.term < term || entry.term > message.term) return false;
        if (entry.kind == EntryKind::configuration && !decode_configuration(entry.payload).ok())
            return false;
        term = entry.term;
    }
    return body.previous_term <= message.term;
}

}  // namespace

void Replica::become_follower(Term term, std::optional<ReplicaId> leader) {
    INVARIANT(term >= hard_.term);
    if (term > hard_.term) {  // only a later term frees the vote (hazelcast#16643)
        hard_ = {.term = term};
        journal_.changed_hard_state();
    }
    std::vector<std::uint64_t> reads;
    if (auto* was = std::get_if<Leader>(&role_)) reads = was->reads.take_all();
    const Duration patience = draw_patience();
    role_ = Follower{
        .leader = leader, .heard = now_, .deadline = now_ + patience, .patience = patience};
    for (const std::uint64_t id : reads) drop(id, DropReason::not_leader);
}

/// A message of the present term that only its leader sends. False when that cannot be.
bool Replica::hear_leader(ReplicaId from) {
    if (std::holds_alternative<Leader>(role_)) {
        halt("replica " + std::to_string(from.value) + " leads in term " +
             std::to_string(hard_.term.value) +
             " and so does this one: a vote was given twice; replace the voter whose disk was lost "
             "or copied");
        return false;
    }
    if (!std::holds_alternative<Follower>(role_)) become_follower(hard_.term, from);
    auto& follower = std::get<Follower>(role_);
    follower.leader = from;
    follower.heard = leader_heard_ = now_;
    follower.deadline = now_ + follower.patience;
    return true;
}

void Replica::handle(const Message& message, const Append& body) {
    if (!well_formed(message, body)) {
        ++counters_.malformed;
        return;
    }
    if (!hear_leader(message.from)) return;
    if (body.previous < commit_) {  // old or doubled: all that it could tell is committed here
        if (contradicts_committed(body)) return;
        return send(After::everything, message.from, hard_.term, AppendReply{.index = commit_});
    }
    if (log_.term_at(body.previous) != body.previous_term) {
        const LogIndex hint = log_.last_possible_match(body.previous, body.previous_term);
        return send(After::hard_state, message.from, hard_.term,
                    AppendReply{.rejected = true,
                                .index = body.previous,
                                .hint_index = hint,
                                .hint_term = log_.term_at(hint).value_or(Term{})});
    }
    if (!append_from_leader(body.entries)) return;
    const LogIndex verified{body.previous.value + body.entries.size()};
    // Not beyond what this very message verified: a longer tail of ours may be another leader's.
    advance_commit(std::min(body.commit, verified));
    send(After::everything, message.from, hard_.term, AppendReply{.index = verified});
}

/// Whether the leader of this very term has another entry where we have a committed one. That
/// cannot be, so it is the end of this replica.
bool Replica::contradicts_committed(const Append& body) {
    for (const Entry& entry : body.entries) {
        if (entry.index < log_.first() || entry.index > commit_) continue;
        if (log_.at(entry.index).checksum == entry.checksum) continue;
        halt("the leader of term " + std::to_string(hard_.term.value) + " has another entry " +
             std::to_string(entry.index.value) +
             " than the one that is committed here: a voter "
             "lost what it had acknowledged; compare the replicas before anything is removed");
        return true;
    }
    return false;
}

/// Takes what is new and cuts off what contradicts it, and nothing else: a shorter message
/// removes nothing. False when an entry does not have the checksum it should; then nothing was
/// changed.
bool Replica::append_from_leader(const std::vector<Entry>& entries) {
    auto fresh = entries.begin();
    while (fresh != entries.end() && log_.term_at(fresh->index) == fresh->term) ++fresh;
    if (fresh == entries.end()) return true;
    std::uint64_t before = log_.describe({fresh->index.value - 1}).checksum;
    for (auto entry = fresh; entry != entries.end(); ++entry) {
        if (entry->checksum != chained(before, *entry)) {
            ++counters_.malformed;
            return false;
        }
        before = entry->checksum;
    }
    if (fresh->index <= log_.last()) truncate(fresh->index);
    const LogIndex configuration = log_.configuration_index();
    for (; fresh != entries.end(); ++fresh) log_.append(*fresh);
    journal_.appended();
    if (log_.configuration_index() != configuration)
        out_.configuration.push_back({log_.configuration(), log_.configuration_index(), false});
    return true;
}

void Replica::truncate(LogIndex from) {
    INVARIANT(from > commit_);
    lose_proposals(from, DropReason::lost);
    const LogIndex configuration = log_.configuration_index();
    log_.truncate(from);
    journal_.truncated(from);
    if (log_.configuration_index() != configuration)
        out_.configuration.push_back({log_.configuration(), log_.configuration_index(),
                                      log_.configuration_index() <= commit_});
}

void Replica::lose_proposals(LogIndex from, DropReason reason) {
    const auto first = proposals_.lower_bound(from);
    for (auto each = first; each != proposals_.end(); ++each) drop(each->second.id, reason);
    proposals_.erase(first, proposals_.end());
}

void Replica::handle(const Message& message, const Heartbeat& body) {
    if (!hear_leader(message.from)) return;
    if (body.commit > log_.last())
        return halt("the leader holds that this replica has entry " +
                    std::to_string(body.commit.value) + ", but its log ends at " +
                    std::to_string(log_.last().value) +
                    ": what it acknowledged is gone from its disk; empty the data directory and "
                    "join again");
    advance_commit(body.commit);
    send(After::hard_state, message.from, hard_.term, HeartbeatReply{.read = body.read});
}

void Replica::handle(const Message& message, const InstallSnapshot& body) {
    const SnapshotMeta& meta = body.snapshot.meta;
    if (!valid(meta.configuration) || meta.configuration.voters.empty() ||
        meta.term > message.term || meta.configuration_index > meta.index ||
        meta.index.value == 0) {
        ++counters_.malformed;
        return;
    }
    if (!hear_leader(message.from)) return;
    if (meta.index <= commit_)
        return send(After::everything, message.from, hard_.term, SnapshotReply{.index = commit_});
    if (log_.term_at(meta.index) ==
        meta.term) {  // we have it all, only not the news that it is committed
        advance_commit(meta.index);
        return send(After::everything, message.from, hard_.term,
                    SnapshotReply{.index = meta.index});
    }
    lose_proposals({}, DropReason::unknown);
    log_.reset(meta);
    snapshot_ = body.snapshot;
    journal_.installed(body.snapshot);
    commit_ = handed_ = applied_ = meta.index;
    restoring_ = Restoring{.index = meta.index, .durable_at = journal_.version()};
    send(After::everything, message.from, hard_.term, SnapshotReply{.index = meta.index});
}

void Replica::handle(const Message& message, const TimeoutNow& body) {
    if (!std::holds_alternative<Follower>(role_) ||
        !log_.configuration().voters.contains(config_.self))
        return;
    // Without what the leader holds that we have we could only lose. A tail that is not on disk
    // yet is no matter: the requests for votes wait for it.
    if (message.term != hard_.term || log_.last() < body.last_index) return;
    become_candidate(true);
}

}  // namespace gaggle::raft
