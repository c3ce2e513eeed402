// What was measured, as Nomad's AllocResourceUsage and HostStats.
#pragma once

#include "gctl/agent/json_value.h"
#include "gctl/node/figures.h"

namespace gaggle {

/// With `DiskSize`, which is ours: the bytes that count against `ephemeral_disk.size`; null when
/// they are not known yet.
Value render_alloc_figures(const node::AllocFigures& figures);
Value render_host_figures(const node::HostFigures& figures);

}  // namespace gaggle
