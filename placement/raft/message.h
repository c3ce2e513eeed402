// What the replicas of a commit group say to each other.
//
// Every message names its region, epoch, sender, addressee and term; one that is not meant for
// this very replica is dropped and counted, whoever sent it. Requests and answers are those of
// Ongaro's thesis (section 3, 4, 9.6), with the additions of etcd's raft: rejection hints, a
// commit field in heartbeats that never names what the follower has not acknowledged, and read
// numbers. Messages may be lost, doubled and reordered.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <tuple>
#include <variant>
#include <vector>

#include "base/bytes.h"
#include "base/ids.h"
#include "base/result.h"
#include "placement/raft/entry.h"

namespace gaggle::raft {

/// "Would you vote for me in `Message::term`?" Nobody's term changes by it.
struct PreVote {
    LogIndex last_index;
    Term last_term;
    bool operator==(const PreVote&) const = default;
    template <class Self>
    static auto wire_fields(Self& s) {
        return std::tie(s.last_index, s.last_term);
    }
};

/// Carries the term that was asked for when granted, the answerer's own term when refused.
struct PreVoteReply {
    bool granted = false;
    bool operator==(const PreVoteReply&) const = default;
    template <class Self>
    static auto wire_fields(Self& s) {
        return std::tie(s.granted);
    }
};

struct Vote {
    LogIndex last_index;
    Term last_term;
    bool transfer = false;  ///< the leader itself asked for this election: do not protect it
    bool operator==(const Vote&) const = default;
    template <class Self>
    static auto wire_fields(Self& s) {
        return std::tie(s.last_index, s.last_term, s.transfer);
    }
};

struct VoteReply {
    bool granted = false;
    bool operator==(const VoteReply&) const = default;
    template <class Self>
    static auto wire_fields(Self& s) {
        return std::tie(s.granted);
    }
};

struct Append {
    LogIndex previous;  ///< the entry just before `entries`
    Term previous_term;
    LogIndex commit;
    std::vector<Entry> entries;  ///< may be empty: a question whether `previous` matches
    bool operator==(const Append&) const = default;
    template <class Self>
    static auto wire_fields(Self& s) {
        return std::tie(s.previous, s.previous_term, s.commit, s.entries);
    }
};

struct AppendReply {
    bool rejected = false;
    LogIndex index;       ///< accepted: everything up to here matches and is durable; rejected:
                          ///< Append::previous
    LogIndex hint_index;  ///< rejected: the log may match here, not above
    Term hint_term;       ///< of the follower's entry at hint_index
    bool operator==(const AppendReply&) const = default;
    template <class Self>
    static auto wire_fields(Self& s) {
        return std::tie(s.rejected, s.index, s.hint_index, s.hint_term);
    }
};

struct Heartbeat {
    LogIndex commit;         ///< min(what the addressee acknowledged, commit index)
    std::uint64_t read = 0;  ///< newest read round of this leader
    bool operator==(const Heartbeat&) const = default;
    template <class Self>
    static auto wire_fields(Self& s) {
        return std::tie(s.commit, s.read);
    }
};

struct HeartbeatReply {
    std::uint64_t read = 0;  ///< as in the heartbeat
    bool operator==(const HeartbeatReply&) const = default;
    template <class Self>
    static auto wire_fields(Self& s) {
        return std::tie(s.read);
    }
};

struct InstallSnapshot {
    Snapshot snapshot;
    bool operator==(const InstallSnapshot&) const = default;
    template <class Self>
    static auto wire_fields(Self& s) {
        return std::tie(s.snapshot);
    }
};

struct SnapshotReply {
    LogIndex index;  ///< everything up to here is durable at the sender, by snapshot or by log
    bool operator==(const SnapshotReply&) const = default;
    template <class Self>
    static auto wire_fields(Self& s) {
        return std::tie(s.index);
    }
};

/// Leadership transfer: campaign now. `last_index` is the leader's last entry.
struct TimeoutNow {
    LogIndex last_index;
    bool operator==(const TimeoutNow&) const = default;
    template <class Self>
    static auto wire_fields(Self& s) {
        return std::tie(s.last_index);
    }
};

using Body = std::variant<PreVote, PreVoteReply, Vote, VoteReply, Append, AppendReply, Heartbeat,
                          HeartbeatReply, InstallSnapshot, SnapshotReply, TimeoutNow>;

struct Message {
    RegionId region;
    Epoch epoch;
    ReplicaId from;
    ReplicaId to;
    Term term;
    Body body;
    bool operator==(const Message&) const = default;
    template <class Self>
    static auto wire_fields(Self& s) {
        return std::tie(s.region, s.epoch, s.from, s.to, s.term, s.body);
    }
};

/// Largest state of a snapshot that travels as one message, in bytes.
inline constexpr std::size_t kSnapshotBytesMax = std::size_t{16} << 20U;
/// Largest encoded message, in bytes: a snapshot and its frame.
inline constexpr std::size_t kMessageBytesMax = kSnapshotBytesMax + (std::size_t{1} << 20U);

/// True for what belongs on the bulk carrier: a snapshot. All else is small and urgent.
bool is_bulk(const Message& message);

Bytes encode_message(const Message& message);
/// Errc::corrupt for anything but a message of this version, within the limits above.
Result<Message> decode_message(BytesView bytes);

/// One line for traces: "1->2 t3 append prev=4/2 commit=4 entries=5,6".
std::string to_string(const Message& message);

}  // namespace gaggle::raft
