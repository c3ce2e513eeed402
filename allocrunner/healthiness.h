// When an allocation becomes healthy, as arithmetic over its update strategy.
//
// It is healthy once all its tasks and, with `health_check = "checks"`, all its checks have been
// well for `min_healthy_time` without a break; it is unhealthy when it fails, or is not healthy by
// `healthy_deadline` after it was made (Nomad's update block; its defaults without one). With
// "manual" nobody judges but people.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "allocrunner/alloc_status.h"
#include "allocrunner/lifecycle.h"
#include "placement/jobspec/job.h"

namespace gaggle::allocrunner {

class Healthiness {
  public:
    Healthiness(const TaskGroup& group, TimePoint made);
    /// After a start of the agent: what was judged before holds.
    void recover(std::optional<bool> verdict) { verdict_ = verdict; }

    /// `tasks_well`: those that should run do, those that should have ended have. Given once, it
    /// stays.
    std::optional<bool> judge(TimePoint now, bool tasks_well,
                              const std::vector<CheckHealth>& checks, bool failed);
    std::optional<bool> verdict() const { return verdict_; }
    std::optional<TimePoint> next_wakeup() const;

    /// Why this task kept the allocation from being healthy, in Nomad's words; nothing when it did
    /// not.
    std::optional<std::string> reason(const std::string& task, Role role, const TaskState& state,
                                      const std::vector<CheckHealth>& checks) const;

  private:
    bool manual_ = false;
    bool with_checks_ = true;
    Duration min_healthy_time_;
    Duration healthy_deadline_;
    TimePoint deadline_;
    std::optional<TimePoint> well_since_;
    std::optional<bool> verdict_;
};

}  // namespace gaggle::allocrunner
