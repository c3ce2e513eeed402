// The only place where a peer's time comes from.
#pragma once

#include "gctl/node/io.h"

namespace gaggle::agent {

/// CLOCK_BOOTTIME, which neither jumps with the time of day nor stops while the machine sleeps, and
/// the time of day.
node::Now read_clocks();

}  // namespace gaggle::agent
