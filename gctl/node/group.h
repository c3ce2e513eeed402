// This peer's part in the commit group: a raft replica and the ledger that it feeds.
//
// A spare has neither. The group turns proposals into entries (bundles that arrive while one entry
// is on its way share the next one), applies what is committed, and says what changed; who is told,
// and what is proposed, is decided elsewhere. It owns log time: the leader's clock, never going
// back, pausing without a leader.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/rng.h"
#include "gctl/node/io.h"
#include "gctl/node/message.h"
#include "placement/ledger/ledger.h"
#include "placement/raft/raft.h"

namespace gaggle::node {

/// Of a raft::ChangeConfiguration that is given to Group::step; the group's own ids are greater.
constexpr std::uint64_t kChangeId = 1;

struct GroupConfig {
    RegionId region;
    Epoch epoch;
    Duration heartbeat = 50ms;
    Duration election_timeout = 500ms;
    std::size_t snapshot_log_bytes = 4U << 20U;  ///< of log in memory: then a snapshot is taken
    std::size_t log_tail_bytes = 1U << 20U;  ///< kept behind a snapshot, for those a little behind
};

/// What one step of the group did, in the order in which it must be acted upon.
struct GroupOutput {
    std::optional<raft::Persist> persist;
    std::vector<raft::Message> messages;
    std::vector<ledger::Applied> applied;
    struct Finished {
        std::uint64_t proposal = 0;
        Submitted::Outcome outcome = Submitted::Outcome::not_leader;
        CommandResult result;
    };
    std::vector<Finished> finished;
    struct Read {
        std::uint64_t id = 0;
        bool ok = false;  ///< the ledger is new enough now; false: not the leader
    };
    std::vector<Read> reads;
    bool role_changed = false;
    bool change_dropped = false;        ///< the change of configuration that was asked for
    bool restored = false;              ///< the whole ledger was replaced by a snapshot
    std::vector<std::string> warnings;  ///< for the operator
    std::optional<std::string> halted;  ///< this replica has ended for good
};

class Group {
  public:
    Group(GroupConfig config, Rng rng);

    /// Becomes a replica. Requires that it is none and that raft::verify(restored) is ok.
    GroupOutput start(Now now, raft::ReplicaId self, raft::Restored restored);
    /// Ends the replica: its disk failed, or it was told so. The ledger is forgotten.
    void end();

    GroupOutput step(Now now, const raft::Input& input);
    std::optional<TimePoint> next_wakeup() const;

    /// Answered by GroupOutput::finished with the id, which the caller keeps unique.
    GroupOutput propose(Now now, std::uint64_t id, ledger::Command::What what);
    /// Answered by GroupOutput::reads.
    GroupOutput read(Now now, std::uint64_t id);

    bool is_replica() const { return replica_.has_value(); }
    /// Has the whole ledger: a replica that has applied the founding.
    bool full_copy() const { return replica_ && ledger_.founded(); }
    bool leading() const { return role_.role == raft::Role::leader; }
    /// Leads, and its ledger has all that was accepted before it began to.
    bool ready() const { return leading() && full_copy() && applied_ >= led_from_index_; }
    const raft::RoleChanged& role() const { return role_; }
    raft::ReplicaId self() const { return self_; }
    raft::Status status() const { return replica_->status(); }
    const raft::Configuration& configuration() const { return configuration_; }
    const ledger::Ledger& ledger() const { return ledger_; }
    LogIndex applied() const { return applied_; }
    /// Of the last applied entry; covers the whole log up to it.
    std::uint64_t applied_checksum() const { return applied_checksum_; }
    /// What the leader would stamp on a command now.
    LogTime log_time(Now now) const;

  private:
    void absorb(Now now, raft::Effects effects, GroupOutput& out);
    void drop(const raft::Dropped& dropped, GroupOutput& out);
    void apply(Now now, const std::vector<raft::Entry>& entries, GroupOutput& out);
    void finish(const raft::Entry& entry, const ledger::Applied& applied, GroupOutput& out);
    void fail(const std::vector<std::uint64_t>& ids, Submitted::Outcome outcome, GroupOutput& out);
    void refuse(const std::vector<std::uint64_t>& ids, const std::string& why, GroupOutput& out);
    void propose_bundles(Now now, GroupOutput& out);
    void propose_entry(Now now, ledger::Command::What what, std::vector<std::uint64_t> ids,
                       GroupOutput& out);
    void release_reads(GroupOutput& out);
    void take_snapshot(Now now, GroupOutput& out);

    GroupConfig config_;
    Rng rng_;
    std::optional<raft::Replica> replica_;
    raft::ReplicaId self_;
    raft::RoleChanged role_;
    raft::Configuration configuration_;
    ledger::Ledger ledger_;
    std::uint64_t applied_checksum_ = 0;
    LogIndex applied_;             ///< also of raft's own entries, which the ledger never sees
    std::size_t snapshot_at_ = 0;  ///< bytes of log in memory; 0: the configured ones
    std::uint64_t next_entry_ = 1;

    /// An entry of ours on its way: whose proposals it carries, in the order of its bundles.
    struct Entry {
        std::vector<std::uint64_t> ids;
        bool bundles = false;
        LogIndex index;
        Term term;
    };
    std::map<std::uint64_t, Entry> entries_;
    std::deque<std::pair<std::uint64_t, ledger::Bundle>> waiting_;  ///< bundles for the next entry
    bool bundles_under_way_ = false;
    struct WaitingRead {
        std::uint64_t id = 0;
        LogIndex index;
    };
    std::vector<WaitingRead> reads_;  ///< ready, but not applied so far
    LogTime led_from_log_;            ///< log time and clock when leadership began
    TimePoint led_from_;
    LogIndex led_from_index_;  ///< last entry of the log then
};

}  // namespace gaggle::node
