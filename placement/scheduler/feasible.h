// Which peers a group may run on for what they are, and the reasons of the others in Nomad's words.
//
// Two kinds of no. A peer is *filtered* for what it is: dead, ineligible, in another pool or
// datacenter, without a driver, against a constraint. It is *exhausted* for what it has left:
// amounts and ports, which misfit() judges for planner and ledger alike. Each refused peer is
// counted once, under the first reason, so that `job plan` can say "3 peers: memory".
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "placement/scheduler/metrics.h"
#include "placement/scheduler/view.h"

namespace gaggle {

/// What a group asks of a peer, gathered once: amounts, ports and drivers, and the constraints and
/// affinities of job, group and tasks. Refers to the job.
struct Wanted {
    Wanted(const Job& job, const TaskGroup& group);

    const Job& job;
    const TaskGroup& group;
    Ask ask;
    std::vector<Constraint> constraints;
    std::vector<Affinity> affinities;
};

/// Why the peer is filtered; nothing when it may be used.
std::optional<std::string> filter_reason(const Wanted& wanted, const PeerView& peer);
/// The same without "not alive" and "ineligible": what already runs there may stay through those.
std::optional<std::string> mismatch_reason(const Wanted& wanted, const PeerView& peer);

/// "dc*" against "dc1". A star stands for any text.
bool glob_matches(std::string_view glob, std::string_view text);

void count_filtered(PlacementMetrics& metrics, const PeerView& peer, const std::string& reason);
void count_exhausted(PlacementMetrics& metrics, const PeerView& peer, const std::string& reason);

/// Peers that are alive and eligible in the job's pool, by datacenter; zero for one that the job
/// names and nobody is in.
std::map<std::string, std::int64_t> available_by_datacenter(const Job& job, const View& view);

}  // namespace gaggle
