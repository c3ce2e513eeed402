#include "placement/raft/configuration.h"

#include <algorithm>

#include "base/wire.h"

namespace gaggle::raft {

namespace {

std::string text(ReplicaId id) { return std::to_string(id.value); }

std::string joined(const std::set<ReplicaId>& ids) {
    std::string out;
    for (const ReplicaId id : ids) out += " " + text(id);
    return out.empty() ? " none" : out;
}

Result<Configuration> with(Configuration next, const AddLearner& add, LogIndex index) {
    const ReplicaId already = next.replica_of(add.peer);
    if (already != ReplicaId{})
        return Error{Errc::invalid, "add peer " + std::to_string(add.peer.value) +
                                        " as a learner: it is replica " + text(already) +
                                        " already"};
    const ReplicaId id{index.value};
    next.learners.insert(id);
    next.peers[id] = add.peer;
    return next;
}

Result<Configuration> with(Configuration next, const SetVoters& set, LogIndex) {
    if (set.voters.empty())
        return Error{Errc::invalid, "set voters: a group without voters could decide nothing"};
    if (set.voters == next.voters)
        return Error{Errc::invalid, "set voters: these are the voters already"};
    for (const ReplicaId id : set.voters)
        if (!next.contains(id))
            return Error{Errc::invalid,
                         "set voters: replica " + text(id) + " is not a learner yet; add it first"};
    next.outgoing = next.voters;
    next.voters = set.voters;
    for (const ReplicaId id : next.outgoing)
        if (!next.voters.contains(id)) next.learners.insert(id);
    for (const ReplicaId id : next.voters) next.learners.erase(id);
    return next;
}

Result<Configuration> with(Configuration next, const DropLearner& drop, LogIndex) {
    if (next.is_voter(drop.learner))
        return Error{Errc::invalid,
                     "drop replica " + text(drop.learner) + ": it votes; take its vote first"};
    if (next.learners.erase(drop.learner) == 0)
        return Error{Errc::invalid, "drop replica " + text(drop.learner) + ": it is not a member"};
    next.peers.erase(drop.learner);
    return next;
}

}  // namespace

ReplicaId Configuration::replica_of(PeerNumber peer) const {
    const auto found = std::find_if(peers.begin(), peers.end(),
                                    [&](const auto& each) { return each.second == peer; });
    return found == peers.end() ? ReplicaId{} : found->first;
}

Result<Configuration> changed(const Configuration& from, const Change& change, LogIndex index) {
    if (from.joint()) return Error{Errc::invalid, "change the group: another change is under way"};
    return std::visit([&](const auto& what) { return with(from, what, index); }, change);
}

Configuration left_joint(const Configuration& joint) {
    INVARIANT(joint.joint());
    Configuration next = joint;
    next.outgoing.clear();
    return next;
}

bool valid(const Configuration& configuration) {
    std::set<ReplicaId> ids = configuration.voters;
    for (const ReplicaId id : configuration.learners)
        if (!ids.insert(id).second) return false;
    ids.insert(configuration.outgoing.begin(), configuration.outgoing.end());
    if (ids.contains(ReplicaId{}) || ids.size() != configuration.peers.size()) return false;
    std::set<PeerNumber> peers;
    for (const auto& [id, peer] : configuration.peers)
        if (!ids.contains(id) || !peers.insert(peer).second) return false;
    return ids.empty() || !configuration.voters.empty();
}

Bytes encode_configuration(const Configuration& configuration) { return encode(configuration); }

Result<Configuration> decode_configuration(BytesView bytes) {
    Configuration out = TRY(decode<Configuration>(bytes, "group configuration",
                                                  {.fields = Fields::exact, .items = 4096}));
    if (!valid(out))
        return Error{Errc::corrupt, "decode group configuration: its sets contradict each other"};
    return out;
}

std::string to_string(const Configuration& configuration) {
    std::string out = "voters" + joined(configuration.voters);
    if (configuration.joint()) out += " | leaving" + joined(configuration.outgoing);
    if (!configuration.learners.empty()) out += " | learners" + joined(configuration.learners);
    return out;
}

}  // namespace gaggle::raft
