// The answers of one election or one round of pre-votes.
//
// The first answer of each voter counts: a doubled or contradicting message changes nothing.
#pragma once

#include <map>

#include "placement/raft/quorum.h"

namespace gaggle::raft {

class Votes {
  public:
    void record(ReplicaId from, bool granted) { votes_.emplace(from, granted); }
    Outcome outcome(const Configuration& configuration) const {
        return tally(configuration, votes_);
    }

  private:
    std::map<ReplicaId, bool> votes_;
};

}  // namespace gaggle::raft
