// From totals to shares: how busy something was between two looks at it.
//
// A share needs the look before. The meter remembers it per thing, and forgets things that nobody
// asked about for a while; the first look covers the time since the thing began. Pure arithmetic:
// who looks, and when, is told.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "allocrunner/drivers/driver.h"
#include "base/result.h"
#include "gctl/node/figures.h"

namespace gaggle::agent {

constexpr Duration kLookMin = 250ms;         ///< a look sooner than that renews nothing
constexpr Duration kLooksForgotten = 10min;  ///< nobody asked for that long

class Meter {
  public:
    /// The figures of a task, with its shares. `run` tells one life of it from the next; `age` is
    /// how long that life is.
    struct Look {
        std::string name;  ///< of the task; unique with `alloc`
        std::string alloc;
        std::int64_t run = 0;
        Duration age{};
    };
    node::TaskFigures task(TimePoint now, const Look& look, const allocrunner::TaskUsage& usage);

    /// /proc/stat as shares per core. Errc::corrupt when it is not that.
    Result<std::vector<node::CoreFigures>> cores(TimePoint now, const std::string& proc_stat);

  private:
    struct TaskLook {
        std::int64_t run = 0;
        TimePoint at;
        TimePoint asked;
        std::uint64_t user = 0;
        std::uint64_t system = 0;
        double user_percent = 0;
        double system_percent = 0;
    };
    struct Ticks {
        std::uint64_t user = 0, system = 0, idle = 0, total = 0;
    };
    void forget(TimePoint now);

    std::map<std::pair<std::string, std::string>, TaskLook> tasks_;
    std::map<std::string, Ticks> ticks_;
    std::map<std::string, node::CoreFigures> cores_;
    TimePoint cores_at_{};
};

/// Of /proc/meminfo: bytes in all, available, used, free.
void read_memory(const std::string& proc_meminfo, node::HostFigures& out);

}  // namespace gaggle::agent
