// Majorities, also of two configurations at once.
//
// While a configuration is joint every question needs a yes from a majority of each side;
// counting the union, or being content with either side, lets two leaders decide past each other.
// Pure functions. A side without voters agrees to nothing.
#pragma once

#include <map>
#include <set>

#include "base/ids.h"
#include "placement/raft/configuration.h"

namespace gaggle::raft {

enum class Outcome { pending, won, lost };

/// The state of an election: lost as soon as a majority can no longer be reached.
Outcome tally(const Configuration& configuration, const std::map<ReplicaId, bool>& votes);

/// The highest index that a majority of each side has acknowledged; who is missing in `acked` has
/// nothing.
LogIndex agreed(const Configuration& configuration, const std::map<ReplicaId, LogIndex>& acked);

/// Whether `those` are a majority of each side.
bool majority(const Configuration& configuration, const std::set<ReplicaId>& those);

}  // namespace gaggle::raft
