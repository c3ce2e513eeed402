#include "allocrunner/check_verdict.h"

#include <algorithm>

namespace gaggle::allocrunner {

std::optional<CheckStatus> CheckVerdict::heard(bool ok) {
    in_a_row_ = ok == last_ok_ ? in_a_row_ + 1 : 1;
    last_ok_ = ok;
    if (in_a_row_ < (ok ? successes_wanted_ : failures_wanted_)) return std::nullopt;
    return ok ? CheckStatus::success : CheckStatus::failure;
}

CheckStatus status_at_first(const ServiceCheck& check) {
    if (check.initial_status == "critical") return CheckStatus::failure;
    const bool passes = check.initial_status == "passing" || check.initial_status == "warning";
    return passes ? CheckStatus::success : CheckStatus::pending;
}

CheckPatience::CheckPatience(const ServiceCheck& check) {
    if (!check.check_restart || check.check_restart->limit <= 0) return;
    active_ = true;
    ignore_warnings_ = check.check_restart->ignore_warnings;
    grace_ = check.check_restart->grace;
    allowed_ = check.interval * (check.check_restart->limit - 1);
}

void CheckPatience::begin(TimePoint now) {
    began_ = now;
    failing_since_.reset();
}

bool CheckPatience::heard(TimePoint now, bool ok, bool warning) {
    if (!active_) return false;
    if (ok && (!warning || ignore_warnings_)) {
        failing_since_.reset();
        return false;
    }
    if (now < began_ + grace_) return false;
    if (!failing_since_) failing_since_ = now;
    if (now < *failing_since_ + allowed_) return false;
    begin(now);
    return true;
}

}  // namespace gaggle::allocrunner
