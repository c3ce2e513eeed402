#include "gctl/agent/render_metrics.h"

#include "base/wire.h"

namespace gaggle {

Value render_metrics(const PlacementMetrics& metrics) {
    List scores;
    for (const PeerScore& one : metrics.scores)
        scores.push_back(val(Object{{"NodeID", val(one.peer)},
                                    {"Scores", val(one.scores)},
                                    {"NormScore", val(one.normalized)}}));
    return val(Object{{"NodesEvaluated", val(metrics.nodes_evaluated)},
                      {"NodesFiltered", val(metrics.nodes_filtered)},
                      {"NodesExhausted", val(metrics.nodes_exhausted)},
                      {"NodesAvailable", val(metrics.nodes_available)},
                      {"ClassFiltered", or_null(metrics.class_filtered)},
                      {"ConstraintFiltered", or_null(metrics.constraint_filtered)},
                      {"ClassExhausted", or_null(metrics.class_exhausted)},
                      {"DimensionExhausted", or_null(metrics.dimension_exhausted)},
                      {"QuotaExhausted", null()},
                      {"ResourcesExhausted", null()},
                      {"Scores", null()},
                      {"ScoreMetaData", or_null(scores)},
                      {"AllocationTime", val(0)},
                      {"CoalescedFailures", val(metrics.coalesced_failures)}});
}

Value render_metrics(const Bytes& explanation) {
    if (explanation.empty()) return render_metrics(PlacementMetrics{});
    const auto metrics = decode<PlacementMetrics>(explanation, "placement metrics");
    return render_metrics(metrics.ok() ? *metrics : PlacementMetrics{});
}

}  // namespace gaggle
