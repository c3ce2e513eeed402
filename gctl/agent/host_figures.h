// What this machine uses of itself, read from the system. May block.
#pragma once

#include <string>

#include "base/result.h"
#include "gctl/agent/meter.h"

namespace gaggle::agent {

/// `alloc_root` is where allocations have their directories. Errc::io names what could not be read.
Result<node::HostFigures> read_host(Meter& meter, TimePoint now, const std::string& alloc_root);

/// What one core does in a second, in MHz; 0 when the system does not say.
double mhz_per_core();

}  // namespace gaggle::agent
