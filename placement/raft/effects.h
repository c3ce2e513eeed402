// All that a replica may ask of the world.
//
// The core itself holds back what may not be said before something is durable, and puts it into
// `now` of the step that hears Persisted; so a driver sends `now` at once and never has to
// remember anything. At most one Persist is on its way at a time: what changes meanwhile goes
// into the next one, which is the whole group commit. Order for a driver: start `persist`, send
// `now`, then `restore`, then `committed`, then the rest.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/ids.h"
#include "placement/raft/entry.h"
#include "placement/raft/message.h"

namespace gaggle::raft {

/// One atomic, synced write, done in the order of the fields; then Persisted{token} is the
/// answer. Any failure of it ends this replica: no retry (a failed fsync may have dropped the
/// pages), no further step.
struct Persist {
    std::uint64_t token = 0;  ///< grows by one each time
    std::optional<HardState> hard;
    std::optional<Snapshot> snapshot;  ///< replaces the stored one
    /// Remove all entries at or above; may lie below the first.
    std::optional<LogIndex> truncate_from;
    std::vector<Entry> append;           ///< follow what is left without a gap, or the snapshot
    std::optional<LogIndex> drop_until;  ///< remove all entries at or below
};

struct ReadReady {
    std::uint64_t id = 0;
    LogIndex index;  ///< answer when the state machine has applied up to here
};

/// Where a proposal stands in the log. It is decided when the committed entry at `index` has this
/// `term`; a committed entry there with another term means that it is lost (Dropped says so too).
struct AcceptedAt {
    std::uint64_t id = 0;
    LogIndex index;
    Term term;
};

enum class DropReason : std::uint8_t {
    not_leader,  ///< ask the replica in Dropped::leader, if any
    busy,        ///< too much is uncommitted, or leadership is being handed over: later
    invalid,     ///< the request makes no sense, see `why`
    not_ready,   ///< a change of configuration must wait, see `why`
    lost,        ///< its entry was overwritten: it was not and will not be applied
    unknown,     ///< a snapshot covers its place: it may have been applied
};
const char* to_string(DropReason reason);

struct Dropped {
    std::uint64_t id = 0;
    DropReason reason = DropReason::not_leader;
    std::optional<ReplicaId> leader;  ///< whom to ask instead
    std::string why;
};

enum class Role : std::uint8_t { follower, pre_candidate, candidate, leader };
const char* to_string(Role role);

struct RoleChanged {
    Role role = Role::follower;
    Term term;
    std::optional<ReplicaId> leader;  ///< as far as known here
    bool operator==(const RoleChanged&) const = default;
};

/// Said twice for each configuration that lasts: when it takes effect (appended) and when it is
/// committed.
struct ConfigurationChanged {
    Configuration configuration;
    LogIndex index;
    bool committed = false;
};

struct Effects {
    std::optional<Persist> persist;
    std::vector<Message> now;  ///< may be lost, doubled, reordered
    /// Load it, then answer SnapshotInstalled; also after a start.
    std::optional<Snapshot> restore;
    /// Apply in order (all kinds; only commands mean anything), then Applied.
    std::vector<Entry> committed;
    std::vector<AcceptedAt> accepted_at;
    std::vector<ReadReady> read_ready;
    std::vector<Dropped> dropped;
    std::vector<ConfigurationChanged> configuration;
    std::optional<RoleChanged> role;
    /// The replica met what cannot happen unless a disk lies or a replica is damaged: it has
    /// stopped for good, takes no further step and must be replaced. The text says what was seen.
    std::optional<std::string> halted;
};

}  // namespace gaggle::raft
