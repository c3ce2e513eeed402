// All that can happen to a replica of the commit group.
#pragma once

#include <cstdint>
#include <variant>

#include "base/bytes.h"
#include "base/ids.h"
#include "placement/raft/configuration.h"
#include "placement/raft/message.h"

namespace gaggle::raft {

/// Time has passed; due at next_wakeup(), harmless at any other moment.
struct Tick {};

/// A message has arrived. `from` in it must have been checked against the socket's identity by
/// the driver.
struct Received {
    Message message;
};

/// Replicate `payload`. Answered at once by Effects::accepted_at or Effects::dropped with the
/// same `id`, which the caller chooses and keeps unique.
struct Propose {
    std::uint64_t id = 0;
    Bytes payload;
};

/// "From which index on may I answer a read?" Answered later by Effects::read_ready or
/// Effects::dropped. A retry is a new request with a new id; only the leader answers.
struct ReadIndex {
    std::uint64_t id = 0;
};

/// Change the group. Answered as a proposal is.
struct ChangeConfiguration {
    std::uint64_t id = 0;
    Change change;
};

/// Hand leadership to voter `to`. Without effect when that is not possible; given up after an
/// election timeout.
struct TransferTo {
    ReplicaId to;
    bool operator==(const TransferTo&) const = default;
};

/// All that Effects::persist with this token asked for is on stable storage.
struct Persisted {
    std::uint64_t token = 0;
};

/// The state machine has consumed all committed entries up to `index`.
struct Applied {
    LogIndex index;
};

/// The state machine's state after exactly the entries up to `index`, which must have been
/// reported Applied. The core adds what a snapshot must know of the log, has it stored, and cuts
/// the log behind it but for a tail.
struct SnapshotTaken {
    LogIndex index;
    Bytes state;
};

/// The state machine has loaded the snapshot at `index` that Effects::restore gave it.
struct SnapshotInstalled {
    LogIndex index;
};

/// There is evidence that the agent of this replica is gone (its port refuses). A follower
/// forgets it as leader at once, a leader stops waiting for it. Wrong evidence costs at most one
/// needless election round.
struct AgentGone {
    ReplicaId replica;
};

using Input = std::variant<Tick, Received, Propose, ReadIndex, ChangeConfiguration, TransferTo,
                           Persisted, Applied, SnapshotTaken, SnapshotInstalled, AgentGone>;

}  // namespace gaggle::raft
