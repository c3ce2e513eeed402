// Choosing peers for the missing allocations of one group.
//
// Filtering and affinities are judged once per group, scores once per change: a placement touches
// only the peer that it takes, so a thousand allocations cost little more than one. What is placed
// counts at once for those that follow: room, anti-affinity, spread, distinct_hosts and
// distinct_property. A choice is the previous peer of a sticky slot, then holders of its data by
// freshness, then the short list (shortlist.h). Scores are exact for all of up to kPoolMax peers;
// beyond, for a random sample of that size.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "placement/scheduler/feasible.h"
#include "placement/scheduler/reconcile.h"
#include "placement/scheduler/score.h"
#include "placement/scheduler/shortlist.h"
#include "placement/scheduler/spread.h"

namespace gaggle {

inline constexpr std::size_t kPoolMax = 512;  ///< peers that are scored for a placement

/// A peer while a plan is made: its books with all that the plan put there so far.
struct Site {
    const PeerView* peer = nullptr;
    Books books;
    std::int64_t of_job = 0;  ///< the job's allocations that stay or were placed here
};

/// All peers of the view with own unanswered claims and this round's refusals taken in.
std::vector<Site> sites_of(const PlanInput& input);

struct Placed {
    enum class Outcome {
        claimed,
        make_room,  ///< wait for the old one's room: nowhere else is any, or the slot is sticky
        nowhere,
    };
    Outcome outcome = Outcome::nowhere;
    std::vector<RankedPeer> candidates;
    PlacementMetrics metrics;
};

class GroupPlacer {
  public:
    /// `staying` are the job's allocations, of all groups, that will run on. `sites` outlives the
    /// placer.
    GroupPlacer(const PlanInput& input, const Wanted& wanted, std::vector<Site>& sites,
                const std::vector<const ExistingAlloc*>& staying);

    Placed place(const Missing& missing);
    /// On that peer or nowhere, as system jobs are.
    Placed place_on(const Missing& missing, PeerNumber peer);

  private:
    struct Option {
        Site* site;
        Scores scores;  ///< those that do not depend on the slot
        std::int64_t of_group = 0;
        std::optional<std::string> exhausted;
    };
    struct DistinctProperty {
        const Constraint* constraint;
        bool group_only;
        std::int64_t most;  ///< allocations per value
        ValueCounts counts;
    };

    void count_staying(const ExistingAlloc& alloc);
    void count(Option& option);
    void refresh(Option& option);
    std::optional<std::string> distinct_reason(const Option& option) const;
    Scores scores_of(const Option& option, const Missing& missing);
    std::vector<Ranked> rank(const Missing& missing, std::size_t pool, PlacementMetrics& metrics);
    bool usable(const Option& option, const Missing& missing, PlacementMetrics* metrics) const;
    std::vector<std::size_t> preferred(const Missing& missing) const;
    static const ExistingAlloc* in_the_way(const Missing& missing);
    bool room_without(const ExistingAlloc& old) const;
    PeerNumber peer_of(std::size_t option) const { return options_[option].site->peer->number; }
    void explain(const std::vector<std::size_t>& chosen, const std::vector<Ranked>& ranked,
                 const Missing& missing, Placed& out);
    GroupSlot slot_of(const Missing& missing) const { return {wanted_.group.name, missing.index}; }

    const PlanInput& input_;
    const Wanted& wanted_;
    std::vector<Option> options_;  ///< shuffled when there are more than kPoolMax
    std::map<PeerNumber, std::size_t> option_of_;
    std::map<std::pair<GroupSlot, PeerNumber>, const SlotRefusal*> refusals_;
    SpreadScorer spread_;
    bool distinct_hosts_job_ = false;
    bool distinct_hosts_group_ = false;
    std::vector<DistinctProperty> distinct_properties_;
    PlacementMetrics base_;  ///< what is the same for every placement of the group
};

}  // namespace gaggle
