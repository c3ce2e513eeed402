// When the directories of finished allocations go.
#pragma once

#include <cstddef>

#include "base/time.h"

namespace gaggle::allocrunner {

struct Config {
    /// Directories of finished allocations that no order names (Nomad's gc_max_allocs: 50).
    std::size_t finished_kept_max = 50;
    Duration finished_kept_for = 24h;
    int disk_percent_max = 80;    ///< fuller, and the oldest of them go (gc_disk_usage_threshold)
    int inodes_percent_max = 70;  ///< likewise (gc_inode_usage_threshold)
    Duration pressure_pause = 5s;  ///< after some went, before more do: removing takes time
    /// Sticky data of a finished allocation is left alone so long, even under pressure: its
    /// successor may be on its way here. Unless somebody asks for that very one.
    Duration sticky_kept_for = 1h;
};

}  // namespace gaggle::allocrunner
