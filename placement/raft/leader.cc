// Leading: taking proposals, counting acknowledgements, and noticing when nobody follows any
// more.
#include <algorithm>

#include "placement/raft/quorum.h"
#include "placement/raft/raft.h"

namespace gaggle::raft {

void Replica::become_leader() {
    INVARIANT(std::holds_alternative<Candidate>(role_));
    // The vote that made us leader is on disk, and with it our tail.
    INVARIANT(journal_.hard_state_durable() && hard_.vote == config_.self);
    role_ = Leader{.first_own = LogIndex{log_.last().value + 1},
                   .next_heartbeat = now_ + config_.heartbeat,
                   .next_quorum_check = now_ + config_.election_timeout};
    auto& leader = std::get<Leader>(role_);
    follow_configuration(leader);
    // A standby may hold what the last leader's clients were promised: it gets T to answer before
    // we go on alone.
    for (const ReplicaId id : log_.configuration().learners)
        leader.standbys[id] = {.in_step = true, .behind_since = now_};
    append_own(EntryKind::empty, {});
}

LogIndex Replica::append_own(EntryKind kind, Bytes payload) {
    Entry entry{.index = LogIndex{log_.last().value + 1},
                .term = hard_.term,
                .kind = kind,
                .payload = std::move(payload)};
    entry.checksum = chained(log_.last_checksum(), entry);
    log_.append(std::move(entry));
    journal_.appended();
    if (kind == EntryKind::configuration) {
        follow_configuration(std::get<Leader>(role_));
        out_.configuration.push_back({log_.configuration(), log_.configuration_index(), false});
    }
    return log_.last();
}

/// Only an entry of the present term is committed by counting; older ones follow with it (Raft
/// paper, figure 8). Our own log counts as far as it is on disk.
void Replica::commit_by_counting(Leader& leader) {
    std::map<ReplicaId, LogIndex> acked;
    for (const auto& [id, progress] : leader.others) acked[id] = progress.match();
    acked[config_.self] = journal_.durable();
    const LogIndex index = agreed(log_.configuration(), acked);
    if (index > commit_ && log_.term_at(index) == hard_.term) advance_commit(index);
}

/// What the present state obliges a leader to do. The last of these may end its leadership.
void Replica::duties(Leader& leader) {
    const bool own_committed = commit_ >= leader.first_own;
    const bool configuration_committed = log_.configuration_index() <= commit_;
    if (own_committed && configuration_committed && log_.configuration().joint())
        append_own(EntryKind::configuration,
                   encode_configuration(left_joint(log_.configuration())));
    watch_standbys(leader);
    serve_reads(leader);
    replicate_all(leader);
    transfer_if_ready(leader);
    retire_members(leader);
    if (own_committed && log_.configuration_index() <= commit_ &&
        !log_.configuration().is_voter(config_.self))
        hand_over(leader);
}

void Replica::tick(Leader& leader) {
    if (leader.transfer && now_ >= leader.transfer->deadline) leader.transfer.reset();
    if (now_ >= leader.next_heartbeat) {
        heartbeat_all(leader);
        leader.next_heartbeat = now_ + config_.heartbeat;
    }
    if (now_ >= leader.next_quorum_check) check_quorum(leader);
}

/// A leader that a majority has not answered for T may have been replaced already: it stops, so
/// that its followers need not protect it and its clients look elsewhere.
void Replica::check_quorum(Leader& leader) {
    leader.next_quorum_check = now_ + config_.election_timeout;
    std::set<ReplicaId> heard{config_.self};
    for (const auto& [id, progress] : leader.others)
        if (now_ - progress.heard() < config_.election_timeout) heard.insert(id);
    if (!majority(log_.configuration(), heard)) become_follower(hard_.term, std::nullopt);
}

void Replica::heartbeat_all(Leader& leader) {
    for (const auto& [id, progress] : leader.others) send_heartbeat(leader, id);
}

void Replica::handle(const Message& message, const HeartbeatReply& body) {
    auto* leader = std::get_if<Leader>(&role_);
    if (!leader || !leader->others.contains(message.from)) return;
    Progress& progress = leader->others.at(message.from);
    progress.hear(now_);
    progress.nudge();
    leader->reads.answered(message.from, body.read);
    // What is missing there may be lost on the way, and the window may be full of it
    // (etcd#14633): an empty append asks, and its rejection starts the repair.
    if (progress.mode() != Progress::Mode::replicate || progress.match() >= log_.last()) return;
    if (progress.next() >= log_.first())
        send_append(message.from, progress, {});
    else
        progress.lost();  // the log was cut past it; a snapshot will follow
}

void Replica::handle(const Message& message, const AppendReply& body) {
    auto* leader = std::get_if<Leader>(&role_);
    if (!leader || !leader->others.contains(message.from)) return;
    if (!body.rejected) return acknowledged(*leader, message.from, body.index);
    Progress& progress = leader->others.at(message.from);
    progress.hear(now_);
    progress.rejected(body.index, log_.last_possible_match(body.hint_index, body.hint_term));
}

void Replica::handle(const Message& message, const SnapshotReply& body) {
    auto* leader = std::get_if<Leader>(&role_);
    if (leader && leader->others.contains(message.from))
        acknowledged(*leader, message.from, body.index);
}

void Replica::acknowledged(Leader& leader, ReplicaId from, LogIndex index) {
    if (index > log_.last()) {
        ++counters_.malformed;
        return;
    }
    Progress& progress = leader.others.at(from);
    progress.hear(now_);
    if (!progress.acknowledged(index)) return;
    const auto standby = leader.standbys.find(from);
    if (standby != leader.standbys.end()) standby->second.behind_since.reset();
}

void Replica::serve_reads(Leader& leader) {
    while (true) {
        for (const ReadReady& ready : leader.reads.take_ready(log_.configuration()))
            out_.read_ready.push_back(ready);
        // Before an entry of its own term commits, a leader does not know what is committed.
        if (!leader.reads.may_start() || commit_ < leader.first_own) return;
        leader.reads.start(++read_number_, commit_, config_.self);
        heartbeat_all(leader);
    }
}

/// Decides which learners a single voter waits for (Config::standby_ack).
void Replica::watch_standbys(Leader& leader) {
    const Configuration& configuration = log_.configuration();
    if (!config_.standby_ack || configuration.joint() || configuration.voters.size() != 1) {
        leader.standbys.clear();
        return;
    }
    std::erase_if(leader.standbys,
                  [&](const auto& each) { return !configuration.learners.contains(each.first); });
    const LogIndex target = std::min(commit_, journal_.durable());
    for (const ReplicaId id : configuration.learners) {
        const auto progress = leader.others.find(id);
        if (progress == leader.others.end()) continue;
        StandbyWait& wait = leader.standbys[id];
        if (progress->second.match() >= target) {
            if (progress->second.match() >= leader.first_own) wait.in_step = true;
            wait.behind_since.reset();
        } else if (!wait.behind_since) {
            wait.behind_since = now_;
        } else if (now_ - *wait.behind_since >= config_.election_timeout) {
            wait.in_step = false;
        }
    }
}

/// The learner whose acknowledgement counts: of those in step the one that has most.
std::optional<ReplicaId> Replica::standby() const {
    const auto* leader = std::get_if<Leader>(&role_);
    if (!leader) return std::nullopt;
    std::optional<ReplicaId> best;
    for (const auto& [id, wait] : leader->standbys) {
        if (!wait.in_step || !leader->others.contains(id)) continue;
        if (!best || leader->others.at(id).match() > leader->others.at(*best).match()) best = id;
    }
    return best;
}

}  // namespace gaggle::raft
