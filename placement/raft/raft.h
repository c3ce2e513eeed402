// One replica of a region's commit group: Raft, as a pure state machine that replicates bytes.
//
// Ongaro's thesis with what its users learned since: pre-vote, check-quorum and refusal of votes under a live
// leader, always on; joint consensus, effective when appended; learners first; ReadIndex with a fresh number for
// each round and no leases; nothing said before it is durable. It knows no claim, no clock, no socket and no
// file: time and one input go in, effects come out (input.h, effects.h), the same ones for the same inputs.
// Limits: a snapshot travels as one message (16 MiB); no witnesses, no lease reads, no parallel apply.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "base/ids.h"
#include "base/rng.h"
#include "base/time.h"
#include "placement/raft/effects.h"
#include "placement/raft/entry.h"
#include "placement/raft/input.h"
#include "placement/raft/message.h"

namespace gaggle::raft {

struct Config {
    ReplicaId self;
    RegionId region;
    Epoch epoch;

    Duration heartbeat = 50ms;
    /// T: an election starts in [T, 2T) without a leader. Requires T >= 2 * heartbeat.
    Duration election_timeout = 500ms;
    /// With one voter and a learner that keeps up, `committed` waits for that learner too, so that the answer to
    /// a client survives the voter. A learner that is silent or behind for T no longer counts until it has
    /// caught up: one peer alone goes on, without this protection, and Status::standby says which it is.
    bool standby_ack = true;

    std::size_t append_bytes_max = std::size_t{512} << 10U;     ///< entries in one message
    std::size_t append_entries_max = 4096;
    std::size_t inflight_bytes_max = std::size_t{4} << 20U;     ///< unacknowledged, per peer
    std::size_t inflight_messages_max = 8;
    std::size_t uncommitted_bytes_max = std::size_t{16} << 20U; ///< on the leader; more is refused as busy
    std::size_t unapplied_bytes_max = std::size_t{8} << 20U;    ///< handed out and not yet Applied
    std::size_t entry_bytes_max = std::size_t{1} << 20U;        ///< one proposal
    std::size_t pending_reads_max = 65536;
    std::size_t tail_bytes_max = std::size_t{1} << 20U;         ///< of the log kept behind a snapshot
};

/// Messages that were dropped, by reason.
struct Counters {
    std::uint64_t stray = 0;    ///< another region, epoch or addressee
    std::uint64_t outdated = 0; ///< of an older term
    std::uint64_t malformed = 0;  ///< numbers that no correct replica sends
};

/// What a leader knows of another member, for the planner and for `gctl region status`.
struct Standing {
    ReplicaId id;
    PeerNumber peer;
    bool voter = false;
    LogIndex match;               ///< acknowledged up to here
    std::uint64_t lag_bytes = 0;  ///< of the log beyond `match`
    Duration silent{};            ///< since its last answer
    bool caught_up = false;       ///< is being streamed to and has acknowledged the commit index lately
};

struct Status {
    ReplicaId self;
    Role role = Role::follower;
    Term term;
    std::optional<ReplicaId> leader;
    LogIndex first, last, durable, commit, applied, snapshot;
    std::uint64_t log_bytes = 0;  ///< in memory, behind nothing but the kept tail: when to take a snapshot
    Configuration configuration;
    LogIndex configuration_index;
    /// The effective configuration is committed and not joint, and a leader has committed in its own term.
    bool settled = false;
    /// On a leader with one voter: the learner for whose acknowledgement answers wait.
    std::optional<ReplicaId> standby;
    std::vector<Standing> others;  ///< on a leader, by id
    Counters counters;
};

class Replica {
  public:
    /// Starts as a follower from what verify() accepted. A learner that joins starts from an empty Restored.
    Replica(Config config, Restored restored, Rng rng);
    ~Replica();
    Replica(Replica&&) noexcept;
    Replica& operator=(Replica&&) noexcept;

    /// The only way in. `now` must not go backwards (checked).
    [[nodiscard]] Effects step(TimePoint now, const Input& input);

    /// Latest moment for the next Tick; nullopt when only an input can change anything. Before the first step:
    /// the beginning of time.
    std::optional<TimePoint> next_wakeup() const;

    Status status(TimePoint now) const;

  private:
    class State;
    std::unique_ptr<State> state_;
};

}  // namespace gaggle::raft
