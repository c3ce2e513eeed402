// The scheduler's explanations as Nomad's AllocMetric.
#pragma once

#include "base/bytes.h"
#include "gctl/agent/json_value.h"
#include "placement/scheduler/metrics.h"

namespace gaggle {

Value render_metrics(const PlacementMetrics& metrics);
/// As the ledger keeps them. Nothing kept, or bytes of another version: zeros.
Value render_metrics(const Bytes& explanation);

}  // namespace gaggle
