// How far we trust our own senses: Lifeguard's local health multiplier (section IV-A).
//
// A member that is slow itself sees the others as dead. Missing answers that should have come raise
// the score, answers lower it, and our probes wait (score + 1) times as long. A failed probe whose
// helpers all nacked costs nothing, as in memberlist: we hear well, the target is silent.
#pragma once

#include <algorithm>

#include "base/time.h"

namespace gaggle::gossip {

class Awareness {
  public:
    /// `limit` is the highest multiplier, at least 1; the score runs from 0 to limit - 1.
    explicit Awareness(int limit) : limit_(std::max(1, limit)) {}

    void answered() { move(-1); }
    /// A probe of ours ended without an ack; `helpers` were asked and `nacks` of them said so.
    void unanswered(int helpers, int nacks) { move(helpers == 0 ? 1 : helpers - nacks); }
    /// We were suspected although alive, or found that we had been stopped for a while.
    void doubted() { move(+1); }

    int score() const { return score_; }
    Duration scaled(Duration base) const { return base * (score_ + 1); }

  private:
    void move(int by) { score_ = std::clamp(score_ + by, 0, limit_ - 1); }

    int limit_;
    int score_ = 0;
};

}  // namespace gaggle::gossip
