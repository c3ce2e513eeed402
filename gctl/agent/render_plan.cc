#include "gctl/agent/render_plan.h"

#include "gctl/agent/job_diff.h"
#include "gctl/agent/render_metrics.h"

namespace gaggle {

namespace {

Value render_updates(const GroupUpdates& updates) {
    return val(Object{{"Ignore", val(updates.ignore)},
                      {"Place", val(updates.place)},
                      {"Migrate", val(updates.migrate)},
                      {"Stop", val(updates.stop)},
                      {"InPlaceUpdate", val(updates.in_place_update)},
                      {"DestructiveUpdate", val(updates.destructive_update)},
                      {"Canary", val(updates.canary)},
                      {"Preemptions", val(updates.preemptions)}});
}

/// Where each new allocation would be tried first; the commit group may take another candidate.
Value render_placements(const Job& job, const node::Planned& planned) {
    List out;
    for (const PlannedClaim& claim : planned.plan.claims) {
        if (claim.candidates.empty()) continue;
        const RankedPeer& first = claim.candidates.front();
        const auto name = planned.names.find(first.peer);
        const std::string place = "[" + std::to_string(claim.slot.index) + "]";
        out.push_back(val(Object{{"Name", val(job.id + "." + claim.slot.group + place)},
                                 {"Group", val(claim.slot.group)},
                                 {"Index", val(claim.slot.index)},
                                 {"NodeID", val(first.id)},
                                 {"NodeName", val(name == planned.names.end() ? "" : name->second)},
                                 {"Score", val(first.score)},
                                 {"Reason", val(to_string(claim.reason))}}));
    }
    return val(std::move(out));
}

}  // namespace

std::string joined_warnings(const std::vector<std::string>& warnings) {
    if (warnings.empty()) return "";
    std::string text = std::to_string(warnings.size()) + " warning(s):\n";
    for (const std::string& warning : warnings) text += "\n* " + warning;
    return text;
}

Value render_plan(const Job& wanted, const node::Planned& planned, bool diff) {
    Object updates, failed;
    for (const auto& [group, counts] : planned.plan.updates)
        updates[group] = render_updates(counts);
    for (const auto& [group, metrics] : planned.plan.failed)
        failed[group] = render_metrics(metrics);
    const DiffedJob before{.job = planned.present ? &*planned.present : nullptr,
                           .stopped = planned.present_stopped};
    const Object annotations{{"DesiredTGUpdates", val(std::move(updates))},
                             {"PreemptedAllocs", null()}};
    return val(
        Object{{"Annotations", val(annotations)},
               {"FailedTGAllocs", or_null(failed)},
               {"Diff", diff ? diff_jobs(before, {.job = &wanted}, planned.plan.updates) : null()},
               {"JobModifyIndex", val(planned.job_modify_index)},
               {"Index", val(std::max<std::uint64_t>(planned.job_modify_index, 1))},
               {"CreatedEvals", null()},
               {"NextPeriodicLaunch", null()},
               {"Warnings", val(joined_warnings(planned.plan.warnings))},
               {"Placements", render_placements(wanted, planned)}});
}

}  // namespace gaggle
