#include "placement/raft/quorum.h"

#include <algorithm>
#include <functional>
#include <vector>

namespace gaggle::raft {

namespace {

Outcome tally_side(const std::set<ReplicaId>& voters, const std::map<ReplicaId, bool>& votes) {
    std::size_t yes = 0;
    std::size_t no = 0;
    for (const ReplicaId id : voters) {
        const auto vote = votes.find(id);
        if (vote == votes.end()) continue;
        ++(vote->second ? yes : no);
    }
    const std::size_t needed = voters.size() / 2 + 1;
    if (yes >= needed) return Outcome::won;
    return no > voters.size() - needed ? Outcome::lost : Outcome::pending;
}

LogIndex agreed_side(const std::set<ReplicaId>& voters,
                     const std::map<ReplicaId, LogIndex>& acked) {
    std::vector<LogIndex> indexes;
    for (const ReplicaId id : voters) {
        const auto found = acked.find(id);
        indexes.push_back(found == acked.end() ? LogIndex{} : found->second);
    }
    if (indexes.empty()) return LogIndex{};
    std::sort(indexes.begin(), indexes.end(), std::greater<>());
    return indexes[voters.size() / 2];
}

}  // namespace

Outcome tally(const Configuration& configuration, const std::map<ReplicaId, bool>& votes) {
    if (configuration.voters.empty()) return Outcome::lost;
    const Outcome incoming = tally_side(configuration.voters, votes);
    if (!configuration.joint()) return incoming;
    const Outcome outgoing = tally_side(configuration.outgoing, votes);
    if (incoming == Outcome::lost || outgoing == Outcome::lost) return Outcome::lost;
    return incoming == Outcome::won && outgoing == Outcome::won ? Outcome::won : Outcome::pending;
}

LogIndex agreed(const Configuration& configuration, const std::map<ReplicaId, LogIndex>& acked) {
    const LogIndex incoming = agreed_side(configuration.voters, acked);
    return configuration.joint() ? std::min(incoming, agreed_side(configuration.outgoing, acked))
                                 : incoming;
}

bool majority(const Configuration& configuration, const std::set<ReplicaId>& those) {
    std::map<ReplicaId, bool> votes;
    for (const ReplicaId id : those) votes[id] = true;
    return tally(configuration, votes) == Outcome::won;
}

}  // namespace gaggle::raft
