// A job against the allocations it has: what stays, stops, changes and is missing, slot by slot.
//
// Nothing here knows a peer's capacity or chooses a place; this says only what should exist. The
// rules are those of Nomad's reconciler for what we build so far (reference/nomad.md sections 1.1,
// 1.2, 1.4, 3): scale down from the highest index; lost allocations are replaced unless the job
// forbids it; failed ones by the reschedule policy; completed batch allocations stay done for their
// version; a changed task is replaced at once, without Nomad's max_parallel, canaries or
// deployments.
#pragma once

#include <optional>
#include <set>
#include <string>
#include <vector>

#include "placement/scheduler/plan.h"

namespace gaggle {

/// An allocation that should exist and does not.
struct Missing {
    std::uint32_t index = 0;
    PlaceReason reason = PlaceReason::fresh;
    const ExistingAlloc* previous = nullptr;  ///< what it takes over from; into the input
    /// Was told to leave this slot and has not ended yet; still holds its room. Into the input.
    const ExistingAlloc* leaving = nullptr;
    std::optional<Duration> reschedule_delay;
    std::vector<PeerNumber> failed_on;  ///< where earlier attempts failed, for the penalty
};

struct GroupChanges {
    std::vector<const ExistingAlloc*> keep;      ///< unchanged; also done and finally failed ones
    std::vector<const ExistingAlloc*> in_place;  ///< run on under the new version
    std::vector<PlannedStop> stops;
    std::vector<Missing> missing;    ///< by index; at most kMissingMax without a predecessor
    std::int64_t beyond = 0;         ///< how many more are missing; the next plan has them
    std::string why_destructive;     ///< what changed, when something is replaced for it
    std::optional<LogTime> wake_up;  ///< failed ones that are due soon after share one
    std::vector<AllocId> waiting;    ///< those failed ones
};

/// Of one group of a service or batch job. `group` is nullptr when the job has none of that name
/// any more.
GroupChanges reconcile(const PlanInput& input, const TaskGroup* group,
                       const std::vector<const ExistingAlloc*>& allocs);

/// Where a system job's group may start, and which peers it may not even stay on. A peer that is
/// neither (not alive, ineligible) keeps what it has.
struct SystemPeers {
    std::vector<PeerNumber> place_on;  ///< ascending
    std::set<PeerNumber> not_on;
};

/// Of one group of a system or sysbatch job, which wants one allocation per peer, at the peer's
/// number.
GroupChanges reconcile_system(const PlanInput& input, const TaskGroup* group,
                              const std::vector<const ExistingAlloc*>& allocs,
                              const SystemPeers& peers);

/// Replacements that become due within this time of the first are planned together.
inline constexpr Duration kRescheduleWindow = 5s;
/// A plan fills at most so many vacant slots of a group, so that a mistyped count costs no memory.
inline constexpr std::size_t kMissingMax = 4096;

}  // namespace gaggle
