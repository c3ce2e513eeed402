// Figures for a monitoring system, as Prometheus and as Nomad's clients read them.
//
// A scrape is a snapshot: the list is made anew for each request from what the API knows anyway, so
// there is no registry and nothing is counted in between. Names are Nomad's where it has the
// figure, with dots; ours begin with "gaggle.". Why no library: docs/decisions/0015.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "base/time.h"
#include "gctl/agent/json_value.h"

namespace gaggle {

struct Metric {
    enum class Kind { gauge, counter };
    std::string name;  ///< "nomad.client.host.memory.total"
    Kind kind = Kind::gauge;
    double value = 0;
    std::map<std::string, std::string> labels;
};

/// Prometheus' text format 0.0.4: a name's samples together, in order of name.
std::string prometheus_text(const std::vector<Metric>& metrics);
/// Nomad's MetricsSummary.
Value render_metrics_summary(const std::vector<Metric>& metrics, WallTime now);

}  // namespace gaggle
