// Bringing the other members' logs up to the leader's, within the limits of each one's window.
#include <algorithm>

#include "placement/raft/raft.h"

namespace gaggle::raft {

namespace {

// A probe asks where the logs part; most of what it carries is wasted when the answer is no.
constexpr std::size_t kProbeBytesMax = std::size_t{16} << 10U;

std::size_t payload_bytes(const std::vector<Entry>& entries) {
    std::size_t out = 0;
    for (const Entry& entry : entries) out += entry.payload.size() + 32;
    return out;
}

}  // namespace

void Replica::replicate_all(Leader& leader) {
    for (auto& [id, progress] : leader.others) replicate(leader, id, progress);
}

/// Whether the entry that added the member is committed. Until then nobody speaks to it: the
/// entry may be lost and its index, the member's id, be given to another peer. A voter was added
/// long ago.
bool Replica::is_real(ReplicaId id) const {
    return id.value <= commit_.value || log_.configuration().is_voter(id);
}

void Replica::replicate(Leader&, ReplicaId to, Progress& progress) {
    if (!is_real(to)) return;
    const LogIndex base{log_.first().value - 1};
    if (progress.mode() == Progress::Mode::snapshot &&
        (progress.match() >= base || now_ - progress.snapshot_sent() >= config_.snapshot_retry))
        progress.lost();
    const Progress::Window window{.messages = config_.inflight_messages_max,
                                  .bytes = config_.inflight_bytes_max};
    while (progress.may_send(window)) {
        if (progress.next() <= base) return send_snapshot(to, progress);
        const bool probing = progress.mode() == Progress::Mode::probe;
        auto entries =
            log_.slice(progress.next(), probing ? kProbeBytesMax : config_.append_bytes_max,
                       config_.append_entries_max);
        if (entries.empty() && !probing && !commit_is_news(progress)) return;
        const bool last = entries.empty();
        send_append(to, progress, std::move(entries));
        if (last) return;
    }
}

/// Whether an empty append would tell the member of a commit that it can act on.
bool Replica::commit_is_news(const Progress& progress) const {
    return std::min(commit_.value, progress.next().value - 1) > progress.sent_commit().value;
}

/// Requires that the entry before progress.next() is known here.
void Replica::send_append(ReplicaId to, Progress& progress, std::vector<Entry> entries) {
    const LogIndex previous{progress.next().value - 1};
    const LogIndex last{previous.value + entries.size()};
    const std::size_t bytes = payload_bytes(entries);
    send(to, Append{.previous = previous,
                    .previous_term = log_.term_at(previous).value(),
                    .commit = commit_,
                    .entries = std::move(entries)});
    progress.sent(last, bytes);
    progress.told_commit(std::max(progress.sent_commit(), std::min(commit_, last)));
}

void Replica::send_snapshot(ReplicaId to, Progress& progress) {
    INVARIANT(snapshot_.has_value());  // the log is only ever cut behind one
    if (now_ - progress.heard() >= config_.election_timeout) return;  // large, and nobody there
    send(to, InstallSnapshot{*snapshot_});
    progress.sent_snapshot(snapshot_->meta.index, now_);
}

void Replica::send_heartbeat(Leader& leader, ReplicaId to) {
    if (!is_real(to)) return;
    Progress& progress = leader.others.at(to);
    const LogIndex commit = std::min(progress.match(), commit_);
    send(to, Heartbeat{.commit = commit, .read = read_number_});
    progress.told_commit(std::max(progress.sent_commit(), commit));
}

/// Answers, gets a stream and lacks no more than one message can carry: ready to vote, or to
/// lead.
bool Replica::streaming(const Progress& progress) const {
    return progress.mode() == Progress::Mode::replicate &&
           now_ - progress.heard() < config_.election_timeout &&
           log_.bytes_between(progress.match(), log_.last()) <= config_.append_bytes_max;
}

}  // namespace gaggle::raft
