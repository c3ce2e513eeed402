// Who belongs to the commit group, and with which voice.
//
// A configuration is joint while `outgoing` is not empty: then every decision needs a majority of
// `voters` and a majority of `outgoing` (Ongaro's thesis, section 4.3). It is effective as soon
// as it stands in the log, not when it commits. A peer comes in as a learner; only learners
// become voters; a voter that leaves first becomes a learner again. Pure data and set arithmetic:
// the log keeps the history, the leader keeps the rules about when a change may start.
#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <tuple>
#include <variant>

#include "base/ids.h"
#include "base/result.h"

namespace gaggle::raft {

/// One life of a peer in the group: the log index of the entry that added it as a learner (a
/// founder: from 1). Never used again, so a peer that left and came back is somebody else. 0 is
/// nobody.
using ReplicaId = Strong<struct ReplicaTag>;

struct Configuration {
    std::set<ReplicaId> voters;    ///< of the new side while joint
    std::set<ReplicaId> outgoing;  ///< voters of the old side; empty unless joint
    std::set<ReplicaId> learners;  ///< disjoint from `voters`; may share ids with `outgoing`
    std::map<ReplicaId, PeerNumber>
        peers;  ///< exactly the ids of the three sets: which peer each one is

    bool operator==(const Configuration&) const = default;
    template <class Self>
    static auto wire_fields(Self& s) {
        return std::tie(s.voters, s.outgoing, s.learners, s.peers);
    }

    bool joint() const { return !outgoing.empty(); }
    /// Has a vote in at least one side.
    bool is_voter(ReplicaId id) const { return voters.contains(id) || outgoing.contains(id); }
    bool contains(ReplicaId id) const { return peers.contains(id); }
    /// The replica that `peer` is now; id 0 when it is none.
    ReplicaId replica_of(PeerNumber peer) const;
};

/// Peer `peer` becomes a learner; its ReplicaId will be the index of the entry that says so.
struct AddLearner {
    PeerNumber peer;
    bool operator==(const AddLearner&) const = default;
};
/// The voters shall be exactly these, by way of a joint configuration. Each is a voter or learner
/// now. Voters that are not named become learners.
struct SetVoters {
    std::set<ReplicaId> voters;
    bool operator==(const SetVoters&) const = default;
};
struct DropLearner {
    ReplicaId learner;
    bool operator==(const DropLearner&) const = default;
};
using Change = std::variant<AddLearner, SetVoters, DropLearner>;

/// The configuration that an entry at `index` with this change makes. Errc::invalid with the
/// reason when the change makes no sense (already a member, nobody left to vote, not a learner).
Result<Configuration> changed(const Configuration& from, const Change& change, LogIndex index);

/// What follows a committed joint configuration: the old side is gone.
Configuration left_joint(const Configuration& joint);

/// Sets disjoint as promised, every id has a peer, somebody votes. An empty configuration (a
/// replica that has not yet heard of its group) is valid too.
bool valid(const Configuration& configuration);

Bytes encode_configuration(const Configuration& configuration);
/// Errc::corrupt unless the bytes are a valid configuration, with nothing added.
Result<Configuration> decode_configuration(BytesView bytes);

/// For people: "voters 1 4 | leaving 1 2 3 | learners 9".
std::string to_string(const Configuration& configuration);

}  // namespace gaggle::raft
