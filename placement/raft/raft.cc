#include "placement/raft/raft.h"

#include <algorithm>
#include <utility>

#include "base/log.h"

namespace gaggle::raft {

Replica::Replica(Config config, Restored restored, Rng rng)
    : config_(config), rng_(rng), hard_(restored.hard), log_(restored), journal_(log_.last()) {
    INVARIANT(config_.self != ReplicaId{});
    INVARIANT(config_.election_timeout >= 2 * config_.heartbeat &&
              config_.heartbeat > Duration::zero());
    INVARIANT(verify(restored).ok());
    if (!restored.snapshot) return;
    snapshot_ = std::move(restored.snapshot);
    commit_ = handed_ = applied_ = snapshot_->meta.index;
}

Effects Replica::step(TimePoint now, const Input& input) {
    INVARIANT(!started_ || now >= now_);
    if (halted_) return Effects{.halted = halted_};
    now_ = now;
    if (!started_) start();
    std::visit([&](const auto& what) { on(what); }, input);
    settle();
    return std::exchange(out_, {});
}

void Replica::start() {
    started_ = true;
    leader_heard_ = now_;
    become_follower(hard_.term, std::nullopt);
    // Nobody else could be heard, so there is nobody to wait for.
    if (alone()) std::get<Follower>(role_).deadline = now_;
    if (snapshot_) restoring_ = Restoring{.index = snapshot_->meta.index};
    if (log_.configuration_index() > commit_)
        out_.configuration.push_back({log_.configuration(), log_.configuration_index(), false});
}

/// What every step ends with: the consequences of what it changed, in the one order that is
/// right.
void Replica::settle() {
    if (auto* leader = std::get_if<Leader>(&role_)) {
        commit_by_counting(*leader);
        duties(*leader);
    }
    announce_committed_configurations();
    give_restore();
    out_.persist = journal_.next(log_, hard_);
    deliver();
    announce_role();
    INVARIANT(commit_ <= log_.last() && applied_ <= handed_ && handed_ <= commit_);
    if (halted_) out_ = Effects{.halted = halted_};
}

void Replica::announce_role() {
    const RoleChanged present{.role = role(), .term = hard_.term, .leader = known_leader()};
    if (announced_role_ == present) return;
    announced_role_ = present;
    out_.role = present;
    log::debug("raft: replica {} is {} in term {}", config_.self.value, to_string(present.role),
               present.term.value);
}

void Replica::announce_committed_configurations() {
    for (const auto& [index, configuration] : log_.configurations()) {
        if (index <= announced_configuration_ || index > commit_) continue;
        announced_configuration_ = index;
        out_.configuration.push_back({configuration, index, true});
    }
}

void Replica::give_restore() {
    if (!restoring_ || restoring_->given || !journal_.is_durable(restoring_->durable_at)) return;
    restoring_->given = true;
    out_.restore = *snapshot_;
}

void Replica::deliver() {
    if (restoring_) return;
    const LogIndex limit = reportable();
    while (handed_ < limit && log_.bytes_between(applied_, handed_) < config_.unapplied_bytes_max) {
        ++handed_.value;
        out_.committed.push_back(log_.at(handed_));
        const auto proposal = proposals_.find(handed_);
        if (proposal == proposals_.end()) continue;
        INVARIANT(proposal->second.term == out_.committed.back().term);
        proposals_.erase(proposal);
    }
}

/// How far the state machine may go: what is committed, durable here, and, where there is one
/// voter, safe with the standby too. A follower could apply before its own fsync; then a snapshot
/// could be ahead of the log behind it.
LogIndex Replica::reportable() const {
    LogIndex limit = std::min(commit_, journal_.durable());
    if (const auto id = standby())
        limit = std::min(limit, std::get<Leader>(role_).others.at(*id).match());
    return limit;
}

void Replica::advance_commit(LogIndex to) {
    INVARIANT(to <= log_.last());
    commit_ = std::max(commit_, to);
}

void Replica::halt(std::string why) {
    log::debug("raft: replica {} stops: {}", config_.self.value, why);
    halted_ = std::move(why);
}

void Replica::drop(std::uint64_t id, DropReason reason, std::string why) {
    out_.dropped.push_back(
        {.id = id, .reason = reason, .leader = known_leader(), .why = std::move(why)});
}

std::optional<ReplicaId> Replica::known_leader() const {
    if (std::holds_alternative<Leader>(role_)) return config_.self;
    const auto* follower = std::get_if<Follower>(&role_);
    return follower ? follower->leader : std::nullopt;
}

Role Replica::role() const {
    static_assert(std::is_same_v<std::variant_alternative_t<3, RoleState>, Leader>);
    return static_cast<Role>(role_.index());
}

void Replica::on(const Tick&) {
    if (auto* leader = std::get_if<Leader>(&role_)) return tick(*leader);
    const TimePoint deadline = std::visit(
        [](const auto& state) -> TimePoint {
            if constexpr (requires { state.deadline; })
                return state.deadline;
            else
                return TimePoint::max();
        },
        role_);
    if (now_ < deadline) return;
    if (may_campaign()) return campaign();
    if (!std::holds_alternative<Follower>(role_)) become_follower(hard_.term, std::nullopt);
}

void Replica::on(const Propose& propose) {
    auto* leader = std::get_if<Leader>(&role_);
    if (!leader) return drop(propose.id, DropReason::not_leader);
    if (leader->transfer)
        return drop(propose.id, DropReason::busy, "leadership is being handed over");
    if (propose.payload.size() > config_.entry_bytes_max)
        return drop(propose.id, DropReason::invalid,
                    "an entry may have " + std::to_string(config_.entry_bytes_max) +
                        " bytes, this one has " + std::to_string(propose.payload.size()));
    if (log_.bytes_between(commit_, log_.last()) + propose.payload.size() >
        config_.uncommitted_bytes_max)
        return drop(propose.id, DropReason::busy, "too many bytes wait to be committed");
    const LogIndex index = append_own(EntryKind::command, propose.payload);
    proposals_[index] = {propose.id, hard_.term};
    out_.accepted_at.push_back({propose.id, index, hard_.term});
}

void Replica::on(const ReadIndex& read) {
    auto* leader = std::get_if<Leader>(&role_);
    if (!leader) return drop(read.id, DropReason::not_leader);
    if (leader->reads.pending() >= config_.pending_reads_max)
        return drop(read.id, DropReason::busy, "too many reads wait");
    leader->reads.ask(read.id);
}

void Replica::on(const Persisted& persisted) {
    for (Message& message : journal_.persisted(persisted.token)) {
        if (message.term < hard_.term) continue;  // void: said in a term that is over
        if (message.to == config_.self)
            receive(message);
        else
            out_.now.push_back(std::move(message));
    }
}

void Replica::on(const Applied& applied) {
    if (restoring_) return;  // about the state before the snapshot
    INVARIANT(applied.index <= handed_);
    applied_ = std::max(applied_, applied.index);
}

void Replica::on(const SnapshotTaken& taken) {
    const LogIndex previous = snapshot_ ? snapshot_->meta.index : LogIndex{};
    if (restoring_ || taken.index <= previous) return;
    INVARIANT(taken.index <= applied_);
    if (taken.state.size() > kSnapshotBytesMax) {
        log::debug("raft: snapshot at {} not kept: {} bytes, at most {} can travel",
                   taken.index.value, taken.state.size(), kSnapshotBytesMax);
        return;
    }
    LogIndex cut = taken.index;
    while (cut.value + 1 > log_.first().value &&
           log_.bytes_between({cut.value - 1}, taken.index) <= config_.tail_bytes_max)
        --cut.value;
    snapshot_ = Snapshot{.meta = log_.describe(taken.index), .state = taken.state};
    journal_.took(*snapshot_, cut);
    log_.cut(cut);
}

void Replica::on(const SnapshotInstalled& installed) {
    if (restoring_ && restoring_->given && restoring_->index == installed.index) restoring_.reset();
}

void Replica::on(const AgentGone& gone) {
    if (auto* leader = std::get_if<Leader>(&role_)) {
        const auto found = leader->others.find(gone.replica);
        if (found != leader->others.end()) found->second.lost();
        leader->standbys[gone.replica].in_step = false;
        return;
    }
    auto* follower = std::get_if<Follower>(&role_);
    if (!follower || follower->leader != gone.replica) return;
    if (forgot_leader_ && now_ - *forgot_leader_ < config_.election_timeout) return;
    forgot_leader_ = now_;
    follower->leader.reset();
    // Everybody hears of it at about the same time; going one after another, by id, avoids a
    // split vote.
    std::int64_t rank = 0;
    for (const ReplicaId id : log_.configuration().voters)
        rank += id < config_.self && id != gone.replica;
    const Duration jitter{
        static_cast<std::int64_t>(rng_.below(config_.election_timeout.count() / 100 + 1))};
    follower->deadline =
        std::min(follower->deadline, now_ + rank * (config_.election_timeout / 20) + jitter);
}

std::optional<TimePoint> Replica::next_wakeup() const {
    if (!started_) return TimePoint::min();
    if (halted_) return std::nullopt;
    if (const auto* leader = std::get_if<Leader>(&role_)) {
        if (leader->others.empty()) return std::nullopt;
        const TimePoint due = std::min(leader->next_heartbeat, leader->next_quorum_check);
        return leader->transfer ? std::min(due, leader->transfer->deadline) : due;
    }
    if (const auto* pre = std::get_if<PreCandidate>(&role_)) return pre->deadline;
    if (const auto* candidate = std::get_if<Candidate>(&role_)) return candidate->deadline;
    if (!may_campaign()) return std::nullopt;
    return std::get<Follower>(role_).deadline;
}

}  // namespace gaggle::raft
