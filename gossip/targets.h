// Whom to probe, to ask, to tell: every choice of a partner is made here.
//
// Probing is SWIM's randomised round robin (section 4.3): a shuffled list, walked to its end, so
// that a member is probed at least once in 2n - 1 periods; newcomers enter at a random place. The
// hashed rings of observers will replace this file.
#pragma once

#include <deque>
#include <initializer_list>
#include <optional>
#include <vector>

#include "base/rng.h"
#include "gossip/members.h"

namespace gaggle::gossip {

class Targets {
  public:
    /// The next alive or suspect member; nullopt when there is none.
    std::optional<PeerId> next_probe(const Members& members, Rng& rng);
    /// Will be probed within what is left of this walk.
    void added(const PeerId& peer, Rng& rng);
    /// Will be probed next.
    void hurry(const PeerId& peer);

  private:
    std::deque<PeerId> walk_;
};

/// Up to `count` distinct members in `state`, none of `but`.
std::vector<PeerId> some(const Members& members, MemberState state, std::size_t count, Rng& rng,
                         std::initializer_list<PeerId> but = {});

}  // namespace gaggle::gossip
