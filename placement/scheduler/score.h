// How good a place is: Nomad's scores, each in about -1..1, and their mean over those that
// contribute.
//
// The formulas are those of reference/nomad.md section 1.6 and agree with Nomad's to 1e-9 for the
// same candidate and state. `copy` is ours: a peer that already holds the slot's data scores by how
// fresh it is. Spreads depend on the whole group and live in spread.h.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "placement/scheduler/view.h"

namespace gaggle {

/// BestFit v3: 0 for an empty peer, 1 for one filled to the brim in cpu and memory. `used` includes
/// the candidate. Nothing offered counts as nothing free.
double binpack_score(const Amounts& offered, const Amounts& used);

/// -(here + 1) / desired, for `here` > 0 allocations of the same job and group on the peer.
double anti_affinity_score(std::int64_t here, std::int64_t desired);

/// Sum of the weights that match over the sum of all magnitudes; 0 without affinities.
double affinity_score(const std::vector<Affinity>& affinities, const PeerView& peer);

/// One candidate's scores. Only what was set contributes to the mean.
class Scores {
  public:
    enum Name : std::uint8_t { binpack, anti_affinity, reschedule_penalty, affinity, spread, copy };
    static constexpr std::size_t kNames = 6;

    void set(Name name, double value);
    void clear(Name name);
    /// Mean of the contributing scores; 0 when there are none.
    double normalized() const;
    /// By Nomad's names: "binpack", "job-anti-affinity", "node-reschedule-penalty",
    /// "node-affinity", "allocation-spread", and our "copy".
    std::map<std::string, double> named() const;

  private:
    std::array<double, kNames> values_{};
    std::array<bool, kNames> contributes_{};
};

}  // namespace gaggle
