// What to claim, stop and leave alone so that a job becomes what its file says; and why.
//
// plan() is a pure function: the same input and the same Rng state give the same plan. It compares
// the job with its allocations (reconcile.h), filters peers (feasible.h), scores them by Nomad's
// formulas (score.h) and names up to four candidates per allocation, best first. Candidates are
// drawn from a short list of the best, never simply the best: many planners with the same stale
// view would all claim the same hole (reference: placement simulations, 74 to 87 % of claims
// refused with strict best fit, under 1 % with four drawn from the best twelfth). `job plan` calls
// the same function and claims nothing. The ledger, not this plan, decides what happens.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/rng.h"
#include "placement/jobspec/job.h"
#include "placement/scheduler/existing.h"
#include "placement/scheduler/metrics.h"
#include "placement/scheduler/view.h"

namespace gaggle {

/// A slot within the job that is planned. For system and sysbatch jobs the index is the peer's
/// number.
struct GroupSlot {
    std::string group;
    std::uint32_t index = 0;
    auto operator<=>(const GroupSlot&) const = default;
};

/// A verdict of this round of attempts: the peer refused the slot. It is no candidate for that slot
/// again until the caller forgets the refusal (after a back-off, or when capacity was freed).
struct SlotRefusal {
    GroupSlot slot;
    PeerNumber peer;
    std::string reason;  ///< as misfit() words it
    Amounts free;        ///< what the peer has left in truth
};

struct PlanInput {
    const Job& job;
    std::uint64_t version = 0;
    bool stopped = false;  ///< `job stop`: everything goes
    std::vector<ExistingAlloc> existing;
    /// The job as older versions had it. An allocation whose version is missing here counts as
    /// changed.
    std::map<std::uint64_t, const Job*> versions;
    const View& view;
    /// Who holds a copy of a slot's data, and how fresh: 1 is the newest complete state, falling
    /// towards 0.
    std::map<GroupSlot, std::map<PeerNumber, double>> holders;
    /// Where a slot's last allocation ran. Used by sticky groups; an allocation that is replaced
    /// knows its own.
    std::map<GroupSlot, PeerNumber> previous;
    std::vector<SlotRefusal> refusals;
    LogTime now;
    Rng& rng;
};

struct RankedPeer {
    PeerNumber peer;
    PeerId id;
    double score = 0;
};

enum class PlaceReason { fresh, lost, failed, update, migrate };
const char* to_string(PlaceReason reason);

struct PlannedClaim {
    GroupSlot slot;
    PlaceReason reason = PlaceReason::fresh;
    /// Accepting the claim stops this one; it is not among `stops`.
    std::optional<AllocId> replaces;
    std::vector<RankedPeer> candidates;  ///< one to four, best first
    /// With reason `failed`: how long the replacement waited.
    std::optional<Duration> reschedule_delay;
    PlacementMetrics metrics;
};

struct PlannedStop {
    AllocId alloc;
    std::string reason;
};

/// Nomad's DesiredTGUpdates.
struct GroupUpdates {
    std::int64_t ignore = 0;
    std::int64_t place = 0;
    std::int64_t migrate = 0;
    std::int64_t stop = 0;
    std::int64_t in_place_update = 0;
    std::int64_t destructive_update = 0;
    std::int64_t canary = 0;
    std::int64_t preemptions = 0;
    bool operator==(const GroupUpdates&) const = default;
    template <class Self>
    static auto wire_fields(Self& s) {
        return std::tie(s.ignore, s.place, s.migrate, s.stop, s.in_place_update,
                        s.destructive_update, s.canary, s.preemptions);
    }
};

struct Plan {
    std::vector<PlannedClaim> claims;  ///< by group in the job's order, then by index
    std::vector<PlannedStop> stops;
    std::vector<AllocId> in_place;  ///< run on under the new version
    std::map<std::string, GroupUpdates> updates;
    /// Groups with allocations that found no place, and why.
    std::map<std::string, PlacementMetrics> failed;
    /// How many found none. Every group of the job has an entry.
    std::map<std::string, std::int64_t> queued;
    std::vector<std::string> warnings;
    /// Plan again then: a failed allocation is due for replacement.
    std::optional<LogTime> wake_up;
    std::vector<AllocId> waiting;  ///< failed ones that are due then or later

    bool changes() const { return !claims.empty() || !stops.empty() || !in_place.empty(); }
};

Plan plan(const PlanInput& input);

}  // namespace gaggle
