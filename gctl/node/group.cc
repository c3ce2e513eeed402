#include "gctl/node/group.h"

#include <algorithm>

namespace gaggle::node {

namespace {

// Raft is told even numbers for entries and odd ones for reads.
constexpr std::size_t kBundlesPerEntry = 256;
constexpr std::size_t kBundleBytesPerEntry = 512U << 10U;
constexpr std::size_t kBundlesWaitingMax = 4096;

}  // namespace

Group::Group(GroupConfig config, Rng rng) : config_(std::move(config)), rng_(rng) {}

GroupOutput Group::start(Now now, raft::ReplicaId self, raft::Restored restored) {
    INVARIANT(!replica_);
    self_ = self;
    raft::Config config;
    config.self = self;
    config.region = config_.region;
    config.epoch = config_.epoch;
    config.heartbeat = config_.heartbeat;
    config.election_timeout = config_.election_timeout;
    config.tail_bytes_max = config_.log_tail_bytes;
    replica_.emplace(config, std::move(restored), rng_.fork());
    GroupOutput out;
    absorb(now, replica_->step(now.time, raft::Tick{}), out);
    return out;
}

void Group::end() {
    replica_.reset();
    ledger_ = ledger::Ledger();
    role_ = {};
    configuration_ = {};
    entries_.clear();
    waiting_.clear();
    reads_.clear();
    bundles_under_way_ = false;
    applied_ = {};
    snapshot_at_ = 0;
}

std::optional<TimePoint> Group::next_wakeup() const {
    return replica_ ? replica_->next_wakeup() : std::nullopt;
}

GroupOutput Group::step(Now now, const raft::Input& input) {
    GroupOutput out;
    if (replica_) absorb(now, replica_->step(now.time, input), out);
    return out;
}

LogTime Group::log_time(Now now) const {
    const LogTime clock = led_from_log_ + (now.time - led_from_);
    return std::max(clock, ledger_.time());
}

GroupOutput Group::propose(Now now, std::uint64_t id, ledger::Command::What what) {
    GroupOutput out;
    auto* bundles = std::get_if<ledger::Bundles>(&what);
    if (!leading()) {
        fail({id}, Submitted::Outcome::not_leader, out);
    } else if (bundles == nullptr || bundles->bundles.size() != 1) {
        propose_entry(now, std::move(what), {id}, out);
    } else if (waiting_.size() >= kBundlesWaitingMax) {
        fail({id}, Submitted::Outcome::busy, out);
    } else {
        waiting_.emplace_back(id, std::move(bundles->bundles.front()));
        propose_bundles(now, out);
    }
    return out;
}

/// One entry of bundles is on its way at a time: what arrives meanwhile shares the next one.
void Group::propose_bundles(Now now, GroupOutput& out) {
    if (bundles_under_way_ || waiting_.empty()) return;
    ledger::Bundles bundles;
    std::vector<std::uint64_t> ids;
    std::size_t bytes = 0;
    while (!waiting_.empty() && ids.size() < kBundlesPerEntry) {
        const std::size_t size = encode(waiting_.front().second).size();
        if (!ids.empty() && bytes + size > kBundleBytesPerEntry) break;
        bytes += size;
        ids.push_back(waiting_.front().first);
        bundles.bundles.push_back(std::move(waiting_.front().second));
        waiting_.pop_front();
    }
    bundles_under_way_ = true;
    propose_entry(now, std::move(bundles), std::move(ids), out);
}

void Group::propose_entry(Now now, ledger::Command::What what, std::vector<std::uint64_t> ids,
                          GroupOutput& out) {
    const bool bundles = std::holds_alternative<ledger::Bundles>(what);
    const auto bytes =
        ledger::encode_command({.now = log_time(now), .wall = now.wall, .what = std::move(what)});
    if (!bytes.ok()) {
        refuse(ids, bytes.error().detail, out);
        if (bundles) bundles_under_way_ = false;
        return;
    }
    const std::uint64_t entry = next_entry_++;
    entries_[entry] = {.ids = std::move(ids), .bundles = bundles, .index = {}, .term = {}};
    absorb(now, replica_->step(now.time, raft::Propose{entry * 2, *bytes}), out);
}

GroupOutput Group::read(Now now, std::uint64_t id) {
    GroupOutput out;
    if (!leading()) {
        out.reads.push_back({id, false});
    } else {
        absorb(now, replica_->step(now.time, raft::ReadIndex{id * 2 + 1}), out);
    }
    return out;
}

void Group::absorb(Now now, raft::Effects effects, GroupOutput& out) {
    if (effects.persist) {
        INVARIANT(!out.persist);
        out.persist = std::move(effects.persist);
    }
    std::move(effects.now.begin(), effects.now.end(), std::back_inserter(out.messages));
    for (auto& changed : effects.configuration) {
        configuration_ = std::move(changed.configuration);
        // A replica is named by the entry that added it: an older configuration cannot know it.
        const bool later = changed.committed && changed.index.value > self_.value;
        if (later && !configuration_.contains(self_)) out.halted = "it was removed from the group";
    }
    if (effects.role) {
        const bool led = leading();
        role_ = *effects.role;
        out.role_changed = true;
        if (leading() && !led) {
            led_from_ = now.time;
            led_from_log_ = ledger_.time();
            led_from_index_ = replica_->status().last;
        }
    }
    if (effects.halted) out.halted = effects.halted;
    for (const raft::AcceptedAt& at : effects.accepted_at) {
        if (const auto found = entries_.find(at.id / 2); found != entries_.end()) {
            found->second.index = at.index;
            found->second.term = at.term;
        }
    }
    for (const raft::Dropped& dropped : effects.dropped) drop(dropped, out);
    if (effects.restore) {
        auto restored = ledger::Ledger::restore(effects.restore->state);
        if (!restored.ok()) {
            out.halted = restored.error().detail;
            return;
        }
        ledger_ = std::move(*restored);
        out.restored = true;
        applied_ = effects.restore->meta.index;
        applied_checksum_ = effects.restore->meta.checksum;
        absorb(now, replica_->step(now.time, raft::SnapshotInstalled{effects.restore->meta.index}),
               out);
    }
    for (const raft::ReadReady& ready : effects.read_ready)
        reads_.push_back({ready.id / 2, ready.index});
    if (!effects.committed.empty()) apply(now, effects.committed, out);
    release_reads(out);
    if (!leading()) {
        std::vector<std::uint64_t> ids;
        for (const auto& [id, bundle] : waiting_) ids.push_back(id);
        waiting_.clear();
        fail(ids, Submitted::Outcome::not_leader, out);
    }
}

void Group::drop(const raft::Dropped& dropped, GroupOutput& out) {
    if (dropped.id == kChangeId) {
        out.change_dropped = true;
        return;
    }
    if (dropped.id % 2 == 1) {
        out.reads.push_back({dropped.id / 2, false});
        return;
    }
    const auto found = entries_.find(dropped.id / 2);
    if (found == entries_.end()) return;
    if (found->second.bundles) bundles_under_way_ = false;
    if (dropped.reason == raft::DropReason::invalid)
        refuse(found->second.ids, dropped.why, out);
    else if (dropped.reason == raft::DropReason::busy)
        fail(found->second.ids, Submitted::Outcome::busy, out);
    else
        fail(found->second.ids, Submitted::Outcome::not_leader, out);
    entries_.erase(found);
}

void Group::apply(Now now, const std::vector<raft::Entry>& entries, GroupOutput& out) {
    for (const raft::Entry& entry : entries) {
        if (entry.kind != raft::EntryKind::command) continue;
        ledger::Applied applied = ledger_.apply(entry.index, entry.payload);
        if (applied.upgrade_needed) {
            out.halted = applied.why;
            return;
        }
        finish(entry, applied, out);
        out.applied.push_back(std::move(applied));
    }
    applied_ = entries.back().index;
    applied_checksum_ = entries.back().checksum;
    absorb(now, replica_->step(now.time, raft::Applied{applied_}), out);
    if (out.halted) return;
    propose_bundles(now, out);
    take_snapshot(now, out);
}

void Group::finish(const raft::Entry& entry, const ledger::Applied& applied, GroupOutput& out) {
    const auto found = std::find_if(entries_.begin(), entries_.end(), [&](const auto& item) {
        return item.second.index == entry.index && item.second.term == entry.term;
    });
    if (found == entries_.end()) return;
    const Entry& mine = found->second;
    for (std::size_t at = 0; at < mine.ids.size(); ++at) {
        CommandResult result{.index = entry.index,
                             .refused = applied.refused,
                             .why = applied.why,
                             .admitted = applied.admitted,
                             .bundle = std::nullopt,
                             .eval = applied.eval};
        if (mine.bundles && at < applied.answers.size()) result.bundle = applied.answers[at];
        out.finished.push_back({mine.ids[at], Submitted::Outcome::applied, std::move(result)});
    }
    if (mine.bundles) bundles_under_way_ = false;
    entries_.erase(found);
}

void Group::fail(const std::vector<std::uint64_t>& ids, Submitted::Outcome outcome,
                 GroupOutput& out) {
    for (const std::uint64_t id : ids) out.finished.push_back({id, outcome, {}});
}

void Group::refuse(const std::vector<std::uint64_t>& ids, const std::string& why,
                   GroupOutput& out) {
    for (const std::uint64_t id : ids)
        out.finished.push_back(
            {id, Submitted::Outcome::applied, {.index = {}, .refused = true, .why = why}});
}

void Group::release_reads(GroupOutput& out) {
    std::erase_if(reads_, [&](const WaitingRead& read) {
        const bool ready = applied_ >= read.index;
        if (ready) out.reads.push_back({read.id, true});
        return ready;
    });
}

void Group::take_snapshot(Now now, GroupOutput& out) {
    const raft::Status status = replica_->status();
    if (status.log_bytes < std::max(snapshot_at_, config_.snapshot_log_bytes)) return;
    Bytes state = ledger_.snapshot();
    if (state.size() > raft::kSnapshotBytesMax) {
        snapshot_at_ = status.log_bytes + config_.snapshot_log_bytes;
        out.warnings.push_back("the region's state has " + std::to_string(state.size()) +
                               " bytes, and a snapshot may have " +
                               std::to_string(raft::kSnapshotBytesMax) +
                               ": the log is kept and grows; stop and purge jobs that are over");
        return;
    }
    snapshot_at_ = 0;
    absorb(now, replica_->step(now.time, raft::SnapshotTaken{status.applied, std::move(state)}),
           out);
}

}  // namespace gaggle::node
