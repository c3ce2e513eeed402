// What a replica remembers only while it has a role: a follower cannot own a vote count.
#pragma once

#include <map>
#include <optional>
#include <variant>

#include "base/ids.h"
#include "base/time.h"
#include "placement/raft/progress.h"
#include "placement/raft/reads.h"
#include "placement/raft/votes.h"

namespace gaggle::raft {

struct Follower {
    std::optional<ReplicaId> leader;
    TimePoint heard;      ///< last word of `leader`
    TimePoint deadline;   ///< campaign then, unless a leader speaks
    Duration patience{};  ///< this role's own draw from [T, 2T)
};

/// Asks whether an election could be won, before disturbing anybody with a new term.
struct PreCandidate {
    Votes votes;
    TimePoint deadline;
};

struct Candidate {
    Votes votes;
    TimePoint deadline;
};

struct Transfer {
    ReplicaId to;
    TimePoint deadline;
    bool asked = false;  ///< TimeoutNow was sent
};

/// For whose acknowledgement `committed` waits in a group of one voter (Config::standby_ack).
struct StandbyWait {
    bool in_step = false;  ///< has reached the commit index and not fallen behind for T since
    std::optional<TimePoint> behind_since;  ///< while it has not acknowledged what is committed
};

struct Leader {
    LogIndex first_own;  ///< its empty entry; until that commits: no reads, no changes
    std::map<ReplicaId, Progress> others;
    std::map<ReplicaId, StandbyWait> standbys;
    Reads reads;
    TimePoint next_heartbeat;
    TimePoint next_quorum_check;
    std::optional<Transfer> transfer;
};

using RoleState = std::variant<Follower, PreCandidate, Candidate, Leader>;

}  // namespace gaggle::raft
