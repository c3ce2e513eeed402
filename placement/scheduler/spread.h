// Allocation spread: how much placing one more on a peer serves the group's `spread` blocks.
//
// Each block counts the group's allocations by the value of one attribute, towards target shares or
// evenly (reference/nomad.md section 1.6). The boost depends only on a peer's values, so it is
// computed once per distinct value and placement, not once per peer.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "placement/scheduler/feasible.h"

namespace gaggle {

/// Counts of a group's allocations by the value of an attribute.
using ValueCounts = std::map<std::string, std::int64_t>;

/// The least and the most used value of those that were seen; nothing before the first.
struct CountRange {
    std::int64_t least = 0;
    std::int64_t most = 0;
};
std::optional<CountRange> range_of(const ValueCounts& counts);

/// Even spread, for one more on a value that `used` already have.
double even_spread_boost(const std::optional<CountRange>& range, std::int64_t used);

/// Of one spread block with targets, for one more on a value that `used` already have. `lowest` is
/// the lowest boost so far, which a target of 0 percent gets; it starts at -1.
double target_spread_boost(double desired, std::int64_t used, double weight_share, double& lowest);

/// The boost of all spread blocks of a job and a group together.
class SpreadScorer {
  public:
    explicit SpreadScorer(const Wanted& wanted);

    bool empty() const { return blocks_.empty(); }
    /// An allocation of the group is (to be) on the peer.
    void count(const PeerView& peer);
    /// Sum over the blocks; contributes to a peer's scores when it is not 0.
    double boost(const PeerView& peer);

  private:
    struct Block {
        const Spread* spread;
        double weight_share;                    ///< of all blocks' weights
        std::map<std::string, double> desired;  ///< counts by value, with "*" for the rest
        ValueCounts counts;
        std::optional<CountRange> range;       ///< of counts
        std::map<std::string, double> boosts;  ///< remembered until the next count()
    };
    double boost_of(Block& block, const PeerView& peer);

    std::vector<Block> blocks_;
    double lowest_ = -1;
};

}  // namespace gaggle
