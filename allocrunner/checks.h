// Health: the checks of an allocation's services, and whether the allocation counts as healthy.
//
// Checks run while all tasks run, each at its interval, one probe of a check at a time. An
// allocation is healthy once all its tasks and checks have been well for `min_healthy_time` without
// a break; it is unhealthy when it fails, or is not healthy by `healthy_deadline` after it was made
// (Nomad's update block; its defaults without one).
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "allocrunner/context.h"
#include "allocrunner/input.h"
#include "allocrunner/interpolate.h"

namespace gaggle::allocrunner {

class Checks {
  public:
    /// A check whose port cannot be found fails from the start and says so.
    Checks(const Host& host, const Order& order);

    /// All tasks run: probes that are due go out. Else nothing is probed and the checks are pending
    /// again. True when it changed `health`.
    bool advance(Context& context, bool all_running, std::vector<CheckHealth>& health);
    /// True when it changed `health`. Requires the `health` that initial() began.
    bool on_done(Context& context, const CheckDone& done, std::vector<CheckHealth>& health);

    std::optional<TimePoint> next_wakeup() const;
    std::vector<CheckHealth> initial() const;

    /// For a changed order: takes the place of `before`, whose results are `health`. A check that
    /// still asks the same of the same port keeps its result and its turn; the others begin anew.
    /// Returns the results to go on with.
    std::vector<CheckHealth> succeed(const Checks& before, const std::vector<CheckHealth>& health);

  private:
    struct Probe {
        CheckHealth health;  ///< as it starts
        RunCheck work;
        Duration interval;
        TimePoint next{};
        std::optional<std::uint64_t> out;  ///< id of the probe under way
    };
    static bool ask_the_same(const Probe& one, const Probe& other);
    void add(const Host& host, const Order& order, const std::string& task, const Service& service,
             const Names& names);

    std::vector<Probe> probes_;
    bool active_ = false;
    std::uint64_t last_id_ = 0;
};

/// When an allocation becomes healthy, as arithmetic over its update strategy.
class Healthiness {
  public:
    Healthiness(const TaskGroup& group, TimePoint made);
    /// After a start of the agent: what was judged before holds.
    void recover(std::optional<bool> verdict) { verdict_ = verdict; }
    /// `well`: all tasks run and no check is other than success.
    std::optional<bool> judge(TimePoint now, bool well, bool failed);
    std::optional<TimePoint> next_wakeup() const;

  private:
    Duration min_healthy_time_;
    TimePoint deadline_;
    std::optional<TimePoint> well_since_;
    std::optional<bool> verdict_;
};

}  // namespace gaggle::allocrunner
