// What the results of one check mean: its status, and when its task is to be restarted.
//
// A status turns to success after `success_before_passing` successes in a row and to failure after
// `failures_before_critical` failures in a row, each one at least: the rule that Nomad's and
// Consul's documents state. Here it holds for the first results too; Consul lets the very first one
// count at once, which would take a service that is still settling for a good one. `check_restart`
// (Nomad) restarts a task whose check has been failing for (limit - 1) intervals without a break,
// counted from the first failure after the grace time.
#pragma once

#include <optional>

#include "allocrunner/alloc_status.h"
#include "base/time.h"
#include "placement/jobspec/job.h"

namespace gaggle::allocrunner {

class CheckVerdict {
  public:
    CheckVerdict() = default;
    explicit CheckVerdict(const ServiceCheck& check)
        : successes_wanted_(check.success_before_passing),
          failures_wanted_(check.failures_before_critical) {}

    /// The status that this result leads to; nothing when it is not enough to change any.
    std::optional<CheckStatus> heard(bool ok);
    void forget() { in_a_row_ = 0; }
    /// For a changed order: the results so far count under the new rule.
    void go_on_from(const CheckVerdict& before) {
        in_a_row_ = before.in_a_row_;
        last_ok_ = before.last_ok_;
    }

  private:
    std::int64_t successes_wanted_ = 0;
    std::int64_t failures_wanted_ = 0;
    std::int64_t in_a_row_ = 0;
    bool last_ok_ = false;
};

/// Before any result: what `initial_status` says.
CheckStatus status_at_first(const ServiceCheck& check);

class CheckPatience {
  public:
    CheckPatience() = default;
    explicit CheckPatience(const ServiceCheck& check);

    /// The task has begun anew: its grace time runs.
    void begin(TimePoint now);
    /// For a changed order: the task runs on, so its grace time and its failures began when they
    /// did.
    void go_on_from(const CheckPatience& before) {
        began_ = before.began_;
        failing_since_ = before.failing_since_;
    }
    /// True when the task is to be restarted, and then it begins anew.
    bool heard(TimePoint now, bool ok, bool warning);

  private:
    bool active_ = false;
    bool ignore_warnings_ = false;
    Duration grace_{};
    Duration allowed_{};  ///< to fail without a break
    TimePoint began_{};
    std::optional<TimePoint> failing_since_;
};

}  // namespace gaggle::allocrunner
