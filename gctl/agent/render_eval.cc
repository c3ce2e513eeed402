#include "gctl/agent/render_eval.h"

#include <algorithm>

#include "gctl/agent/render_metrics.h"

namespace gaggle {

namespace {

Value render_failed_groups(const ledger::EvalRecord& eval) {
    Object groups;
    for (const auto& [group, explanation] : eval.failed_groups)
        groups[group] = render_metrics(explanation);
    return or_null(groups);
}

/// Go's zero time where there is nothing to wait for.
Value wait_until(const ledger::EvalRecord& eval) {
    const bool waits = eval.wait_until && eval.wait_until_wall.nanoseconds != 0;
    return waits ? val(to_rfc3339(eval.wait_until_wall)) : val("0001-01-01T00:00:00Z");
}

}  // namespace

Value render_eval(const ledger::EvalRecord& eval) {
    return val(Object{{"ID", val(eval.id)},
                      {"Namespace", val(eval.job.name_space)},
                      {"Priority", val(eval.priority)},
                      {"Type", val(to_string(eval.type))},
                      {"TriggeredBy", val(ledger::to_string(eval.trigger))},
                      {"JobID", val(eval.job.id)},
                      {"JobModifyIndex", val(0)},
                      {"NodeID", val("")},
                      {"NodeModifyIndex", val(0)},
                      {"DeploymentID", val("")},
                      {"Status", val(ledger::to_string(eval.status))},
                      {"StatusDescription", val(eval.description)},
                      {"Wait", val(0)},
                      {"WaitUntil", wait_until(eval)},
                      {"NextEval", or_empty(eval.next)},
                      {"PreviousEval", or_empty(eval.previous)},
                      {"BlockedEval", or_empty(eval.blocked)},
                      {"FailedTGAllocs", render_failed_groups(eval)},
                      {"ClassEligibility", null()},
                      {"EscapedComputedClass", val(false)},
                      {"QuotaLimitReached", val("")},
                      {"AnnotatePlan", val(false)},
                      {"QueuedAllocations", val(eval.queued)},
                      {"SnapshotIndex", val(eval.create_index)},
                      {"CreateIndex", val(eval.create_index)},
                      {"ModifyIndex", val(eval.modify_index)},
                      {"CreateTime", val(eval.create_time)},
                      {"ModifyTime", val(eval.modify_time)}});
}

void newest_first(std::vector<ledger::EvalRecord>& evals) {
    std::sort(evals.begin(), evals.end(), [](const auto& a, const auto& b) {
        return std::tie(b.create_index, a.id) < std::tie(a.create_index, b.id);
    });
}

}  // namespace gaggle
