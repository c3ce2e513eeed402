// What an allocation's tasks and a peer's machine use, as it is measured where it happens.
//
// Never in the ledger (DESIGN section 6): the peer that runs the allocation is asked. Processor
// time is a total since the task started; a share in percent needs two moments, so whoever measures
// remembers the moment before, and the first answer covers the task's whole life.
#pragma once

#include <cstdint>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "base/ids.h"
#include "base/time.h"

namespace gaggle::node {

constexpr std::size_t kMeasuredMax = 2'000;  ///< allocations in one answer

/// Answer: AllocFigures.
struct MeasureAlloc {
    std::string task;  ///< empty: all that run
    template <class Self>
    static auto wire_fields(Self& s) {
        return std::tie(s.task);
    }
};

/// Answer: HostFigures.
struct MeasureHost {
    template <class Self>
    static auto wire_fields(Self&) {
        return std::tuple<>();
    }
};

/// Of the machine and of every allocation that has tasks there. Answer: PeerFigures.
struct MeasurePeer {
    template <class Self>
    static auto wire_fields(Self&) {
        return std::tuple<>();
    }
};

struct TaskFigures {
    std::string task;
    std::uint64_t user_nanoseconds = 0;  ///< of all its processes, since it started
    std::uint64_t system_nanoseconds = 0;
    double user_percent = 0;  ///< of one processor
    double system_percent = 0;
    std::uint64_t throttled_periods = 0;
    std::uint64_t throttled_nanoseconds = 0;
    std::uint64_t rss = 0;  ///< bytes, also below
    std::uint64_t cache = 0;
    std::uint64_t swap = 0;
    std::uint64_t used = 0;
    std::uint64_t used_max = 0;
    std::uint64_t processes = 0;
    WallTime measured;
    template <class Self>
    static auto wire_fields(Self& s) {
        return std::tie(s.task, s.user_nanoseconds, s.system_nanoseconds, s.user_percent,
                        s.system_percent, s.throttled_periods, s.throttled_nanoseconds, s.rss,
                        s.cache, s.swap, s.used, s.used_max, s.processes, s.measured);
    }
};

struct AllocFigures {
    std::vector<TaskFigures> tasks;  ///< those that run, by name
    double mhz_per_core = 0;         ///< of the machine, to make ticks of percent
    std::uint64_t disk_used = 0;     ///< bytes that count against the group's ephemeral disk
    bool disk_known = false;         ///< it was measured since the agent started
    WallTime measured;
    template <class Self>
    static auto wire_fields(Self& s) {
        return std::tie(s.tasks, s.mhz_per_core, s.disk_used, s.disk_known, s.measured);
    }
};

struct CoreFigures {
    std::string name;  ///< "cpu0"
    double user = 0;   ///< percent, also below; they are 100 together with what is left out
    double system = 0;
    double idle = 0;
    template <class Self>
    static auto wire_fields(Self& s) {
        return std::tie(s.name, s.user, s.system, s.idle);
    }
};

struct DiskFigures {
    std::string device;
    std::string mount_point;
    std::uint64_t size = 0;  ///< bytes, also below
    std::uint64_t used = 0;
    std::uint64_t available = 0;  ///< to the unprivileged
    double inodes_percent = 0;    ///< used
    template <class Self>
    static auto wire_fields(Self& s) {
        return std::tie(s.device, s.mount_point, s.size, s.used, s.available, s.inodes_percent);
    }
};

struct HostFigures {
    std::uint64_t memory_total = 0;  ///< bytes, also below
    std::uint64_t memory_available = 0;
    std::uint64_t memory_used = 0;
    std::uint64_t memory_free = 0;
    std::vector<CoreFigures> cores;
    double mhz_per_core = 0;
    std::vector<DiskFigures> disks;
    DiskFigures alloc_disk;  ///< where allocations have their directories
    std::uint64_t uptime_seconds = 0;
    WallTime measured;
    template <class Self>
    static auto wire_fields(Self& s) {
        return std::tie(s.memory_total, s.memory_available, s.memory_used, s.memory_free, s.cores,
                        s.mhz_per_core, s.disks, s.alloc_disk, s.uptime_seconds, s.measured);
    }
};

struct PeerFigures {
    HostFigures host;
    std::vector<std::pair<AllocId, AllocFigures>> allocs;  ///< kMeasuredMax at most
    template <class Self>
    static auto wire_fields(Self& s) {
        return std::tie(s.host, s.allocs);
    }
};

}  // namespace gaggle::node
