// Why a placement came out as it did: Nomad's AllocMetric as plain data.
//
// One per placed allocation and one per group that found no place. Peers are counted once, under
// the first reason that spoke against them. What the API shows, `job plan` prints and the ledger
// keeps with an allocation is this struct; the scheduler only ever writes it.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <tuple>
#include <vector>

#include "base/ids.h"

namespace gaggle {

/// One candidate's scores by Nomad's names ("binpack", "job-anti-affinity", ...; ours: "copy").
/// Only those that contributed are present; `normalized` is their mean.
struct PeerScore {
    PeerId peer;
    std::map<std::string, double> scores;
    double normalized = 0;
    bool operator==(const PeerScore&) const = default;
    template <class Self>
    static auto wire_fields(Self& s) {
        return std::tie(s.peer, s.scores, s.normalized);
    }
};

struct PlacementMetrics {
    std::int64_t nodes_evaluated = 0;
    /// By what a peer is: constraints, datacenter, pool, drivers.
    std::int64_t nodes_filtered = 0;
    /// By what is left there: amounts and ports.
    std::int64_t nodes_exhausted = 0;
    /// By datacenter: alive and eligible.
    std::map<std::string, std::int64_t> nodes_available;
    std::map<std::string, std::int64_t> class_filtered;
    /// Such as "${attr.kernel.name} = windows": so many peers.
    std::map<std::string, std::int64_t> constraint_filtered;
    std::map<std::string, std::int64_t> class_exhausted;
    /// Such as "memory", or "network: reserved port collision http=80": so many peers.
    std::map<std::string, std::int64_t> dimension_exhausted;
    /// Further allocations of the group that found no place either.
    std::int64_t coalesced_failures = 0;
    /// The best few, best first; at most kScoresKept.
    std::vector<PeerScore> scores;
    bool operator==(const PlacementMetrics&) const = default;
    template <class Self>
    static auto wire_fields(Self& s) {
        return std::tie(s.nodes_evaluated, s.nodes_filtered, s.nodes_exhausted, s.nodes_available,
                        s.class_filtered, s.constraint_filtered, s.class_exhausted,
                        s.dimension_exhausted, s.coalesced_failures, s.scores);
    }
};

/// As many as Nomad keeps in ScoreMetaData.
inline constexpr std::size_t kScoresKept = 5;

}  // namespace gaggle
