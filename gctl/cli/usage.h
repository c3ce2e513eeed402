// What tasks and machines use, as tables for people.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "gctl/cli/json.h"

namespace gaggle::cli {

struct TaskUse {
    double percent = 0, user = 0, system = 0;  ///< of one processor
    double mhz = 0;
    std::int64_t throttled_periods = 0, throttled_ns = 0;
    std::int64_t rss = 0, cache = 0, swap = 0, used = 0, used_max = 0;  ///< bytes
};

struct AllocUse {
    std::map<std::string, TaskUse> tasks;
    std::int64_t disk = -1;  ///< bytes; -1: not known
};

/// Of /v1/client/allocation/:id/stats.
AllocUse alloc_use_of(const Json& json);

/// Nomad's "Memory Stats" and "CPU Stats" of a task.
std::string use_tables(const TaskUse& use);
/// Of /v1/client/stats: processors, memory and disks.
std::string host_tables(const Json& json);
/// "CPU", "Memory" and "Disk" of a machine in a word each, then its uptime.
std::vector<std::pair<std::string, std::string>> host_summary(const Json& json);

}  // namespace gaggle::cli
