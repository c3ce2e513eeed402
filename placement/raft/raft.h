// One replica of a region's commit group: Raft, as a pure state machine that replicates bytes.
//
// Ongaro's thesis with what its users learned since: pre-vote, check-quorum and refusal of votes
// under a live leader, always on; joint consensus, effective when appended; learners first;
// ReadIndex with a fresh number for each round and no leases; nothing said before it is durable.
// It knows no claim, no clock, no socket and no file: time and one input go in, effects come out
// (input.h, effects.h), the same ones for the same inputs. Limits: a snapshot travels as one
// message (16 MiB); no witnesses, no lease reads, no parallel apply.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/ids.h"
#include "base/rng.h"
#include "base/time.h"
#include "placement/raft/effects.h"
#include "placement/raft/entry.h"
#include "placement/raft/input.h"
#include "placement/raft/journal.h"
#include "placement/raft/log.h"
#include "placement/raft/message.h"
#include "placement/raft/roles.h"

namespace gaggle::raft {

struct Config {
    ReplicaId self;
    RegionId region;
    Epoch epoch;

    Duration heartbeat = 50ms;
    /// T: an election starts in [T, 2T) without a leader. Requires T >= 2 * heartbeat.
    Duration election_timeout = 500ms;
    /// With one voter and a learner that keeps up, `committed` waits for that learner too, so
    /// that the answer to a client survives the voter. A learner that is silent or behind for T
    /// no longer counts until it has caught up: one peer alone goes on, without this protection,
    /// and Status::standby says which it is.
    bool standby_ack = true;

    std::size_t append_bytes_max = 512U << 10U;  ///< entries in one message
    std::size_t append_entries_max = 4096;
    std::size_t inflight_bytes_max = 4U << 20U;  ///< unacknowledged, per peer
    std::size_t inflight_messages_max = 8;
    std::size_t uncommitted_bytes_max = 16U << 20U;  ///< on the leader; more is refused as busy
    std::size_t unapplied_bytes_max = 8U << 20U;     ///< handed out and not yet Applied
    std::size_t entry_bytes_max = 1U << 20U;         ///< one proposal
    std::size_t pending_reads_max = 65536;
    std::size_t tail_bytes_max = 1U << 20U;  ///< of the log kept behind a snapshot
    Duration snapshot_retry = 5s;  ///< a snapshot without an answer is sent again after this
};

/// Messages that were dropped, by reason.
struct Counters {
    std::uint64_t stray = 0;      ///< another region, epoch or addressee
    std::uint64_t outdated = 0;   ///< of an older term
    std::uint64_t malformed = 0;  ///< numbers that no correct replica sends
};

/// What a leader knows of another member, for the planner and for `gctl region status`.
struct Standing {
    ReplicaId id;
    PeerNumber peer;
    bool voter = false;
    LogIndex match;               ///< acknowledged up to here
    std::uint64_t lag_bytes = 0;  ///< of the log beyond `match`
    Duration silent{};            ///< since its last answer, as of the last step
    bool caught_up = false;       ///< answers, and lacks no more than one message can carry
};

struct Status {
    ReplicaId self;
    Role role = Role::follower;
    Term term;
    std::optional<ReplicaId> leader;
    TimePoint leader_heard;  ///< last word of any leader, or the first step; of no use on a leader
    LogIndex first, last, durable, commit, applied, snapshot;
    std::uint64_t log_bytes = 0;  ///< held in memory, a kept tail included
    Configuration configuration;
    LogIndex configuration_index;
    /// The effective configuration is committed and not joint, and a leader has committed in its
    /// own term.
    bool settled = false;
    /// On a leader with one voter: the learner for whose acknowledgement answers wait.
    std::optional<ReplicaId> standby;
    std::vector<Standing> others;  ///< on a leader, by id
    Counters counters;
};

class Replica {
  public:
    /// Starts as a follower from what verify() accepts. A learner that joins starts from an empty
    /// Restored.
    Replica(Config config, Restored restored, Rng rng);

    /// The only way in. `now` must not go backwards (checked).
    [[nodiscard]] Effects step(TimePoint now, const Input& input);

    /// Latest moment for the next Tick; nullopt when only an input can change anything. Before
    /// the first step: the beginning of time.
    std::optional<TimePoint> next_wakeup() const;

    /// As of the last step.
    Status status() const;
    /// The entries that are held, oldest first: for checkers and for people.
    const Log& log() const { return log_; }

  private:
    // One overload for each input. raft.cc
    void on(const Tick&);
    void on(const Received& received);
    void on(const Propose& propose);
    void on(const ReadIndex& read);
    void on(const ChangeConfiguration& change);
    void on(const TransferTo& transfer);
    void on(const Persisted& persisted);
    void on(const Applied& applied);
    void on(const SnapshotTaken& taken);
    void on(const SnapshotInstalled& installed);
    void on(const AgentGone& gone);

    // What every role does. raft.cc
    void start();
    void settle();
    void announce_role();
    void give_restore();
    void deliver();
    void announce_committed_configurations();
    void advance_commit(LogIndex to);
    LogIndex reportable() const;
    void halt(std::string why);
    std::optional<ReplicaId> known_leader() const;
    Role role() const;
    void drop(std::uint64_t id, DropReason reason, std::string why = {});

    // Messages: the gate, and one overload for each kind. dispatch.cc, then the files of the
    // roles
    void receive(const Message& message);
    bool admit_later_term(const Message& message);
    void answer_earlier_term(const Message& message);
    bool protects_leader(ReplicaId from) const;
    void send(ReplicaId to, Body body);
    enum class After { hard_state, everything };
    void send(After what, ReplicaId to, Term term, Body body);
    void handle(const Message& message, const PreVote& body);
    void handle(const Message& message, const PreVoteReply& body);
    void handle(const Message& message, const Vote& body);
    void handle(const Message& message, const VoteReply& body);
    void handle(const Message& message, const Append& body);
    void handle(const Message& message, const AppendReply& body);
    void handle(const Message& message, const Heartbeat& body);
    void handle(const Message& message, const HeartbeatReply& body);
    void handle(const Message& message, const InstallSnapshot& body);
    void handle(const Message& message, const SnapshotReply& body);
    void handle(const Message& message, const TimeoutNow& body);

    // follower.cc
    void become_follower(Term term, std::optional<ReplicaId> leader);
    bool hear_leader(ReplicaId from);
    bool contradicts_committed(const Append& body);
    bool append_from_leader(const std::vector<Entry>& entries);
    void truncate(LogIndex from);
    void lose_proposals(LogIndex from, DropReason reason);

    // candidate.cc
    bool may_campaign() const;
    bool alone() const;
    void campaign();
    void become_candidate(bool transfer);
    Duration draw_patience();

    // leader.cc
    void become_leader();
    LogIndex append_own(EntryKind kind, Bytes payload);
    void commit_by_counting(Leader& leader);
    void duties(Leader& leader);
    void serve_reads(Leader& leader);
    void check_quorum(Leader& leader);
    void heartbeat_all(Leader& leader);
    void tick(Leader& leader);
    void acknowledged(Leader& leader, ReplicaId from, LogIndex index);
    void watch_standbys(Leader& leader);
    std::optional<ReplicaId> standby() const;

    // replicate.cc
    void replicate_all(Leader& leader);
    void replicate(Leader& leader, ReplicaId to, Progress& progress);
    void send_append(ReplicaId to, Progress& progress, std::vector<Entry> entries);
    void send_heartbeat(Leader& leader, ReplicaId to);
    bool commit_is_news(const Progress& progress) const;
    void send_snapshot(ReplicaId to, Progress& progress);
    bool streaming(const Progress& progress) const;
    bool is_real(ReplicaId id) const;

    // members.cc
    void follow_configuration(Leader& leader);
    void retire_members(Leader& leader);
    void hand_over(Leader& leader);
    void transfer_if_ready(Leader& leader);
    std::string why_not_ready(const Leader& leader, const Change& change) const;

    Config config_;
    Rng rng_;
    HardState hard_;
    Log log_;
    Journal journal_;
    std::optional<Snapshot> snapshot_;
    RoleState role_;

    LogIndex commit_;
    LogIndex handed_;                   ///< given to the state machine
    LogIndex applied_;                  ///< consumed by it
    LogIndex announced_configuration_;  ///< the last one reported as committed
    struct Restoring {
        LogIndex index;
        Journal::Version durable_at = 0;
        bool given = false;
    };
    std::optional<Restoring> restoring_;
    struct Proposal {
        std::uint64_t id = 0;
        Term term;
    };
    std::map<LogIndex, Proposal> proposals_;  ///< of this replica, not yet decided
    std::uint64_t read_number_ = 0;
    std::optional<TimePoint> forgot_leader_;
    Counters counters_;
    std::optional<std::string> halted_;

    bool started_ = false;
    TimePoint now_;
    TimePoint leader_heard_;
    std::optional<RoleChanged> announced_role_;
    Effects out_;
};

}  // namespace gaggle::raft
