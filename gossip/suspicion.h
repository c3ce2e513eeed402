// How long a suspect may stay silent before we call it dead.
//
// One accuser may be wrong (its own link may be down); many rarely are. So the wait starts at `max`
// and falls to `min` with the logarithm of the independent accusers (Lifeguard, section IV-B). Pure
// arithmetic: the member table owns the accusations, this file only computes.
#pragma once

#include <cstddef>

#include "base/time.h"

namespace gaggle::gossip {

struct SuspicionBounds {
    Duration min;
    Duration max;
};

/// From the first suspicion to death. `confirmations` are the distinct accusers beyond the first;
/// with `wanted` of them (or when none can be wanted) it is `min`. Whole milliseconds, never below
/// `min`.
Duration suspicion_time(int confirmations, int wanted, SuspicionBounds bounds);

/// The bounds for a cluster of `members`: as given up to 100, then growing with log10(members) / 2,
/// for a rumour takes that much longer to reach a refuting subject and to come back.
SuspicionBounds scaled_bounds(SuspicionBounds base, std::size_t members);

}  // namespace gaggle::gossip
