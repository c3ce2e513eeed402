#include "placement/scheduler/reschedule.h"

#include <algorithm>

namespace gaggle {

namespace {

/// As the function gives it, before the maximum and the restart of the series.
Duration grown_delay(const ReschedulePolicy& policy, const std::vector<RescheduleAttempt>& before) {
    if (before.empty() || policy.function == ReschedulePolicy::Function::constant)
        return policy.delay;
    const Duration last = before.back().delay;
    if (policy.function == ReschedulePolicy::Function::exponential) return last * 2;
    if (before.size() < 2) return policy.delay;
    const Duration last_but_one = before[before.size() - 2].delay;
    const bool series_restarted = last_but_one == policy.delay_max && last == policy.delay;
    return series_restarted ? last : last + last_but_one;
}

}  // namespace

Duration next_delay(const ReschedulePolicy& policy, const std::vector<RescheduleAttempt>& before,
                    LogTime failed_at) {
    const Duration delay = grown_delay(policy, before);
    if (policy.delay_max <= Duration{0} || delay <= policy.delay_max) return delay;
    const bool ran_longer = !before.empty() && failed_at - before.back().at > policy.delay_max;
    return ran_longer ? policy.delay : policy.delay_max;
}

std::optional<RescheduleAt> reschedule_at(const ReschedulePolicy& policy,
                                          const std::vector<RescheduleAttempt>& before,
                                          LogTime failed_at) {
    if (!policy.unlimited) {
        const auto recent =
            std::count_if(before.begin(), before.end(), [&](const RescheduleAttempt& attempt) {
                return failed_at - attempt.at < policy.interval;
            });
        if (policy.attempts <= 0 || recent >= policy.attempts) return std::nullopt;
    }
    const Duration delay = next_delay(policy, before, failed_at);
    return RescheduleAt{failed_at + delay, delay};
}

}  // namespace gaggle
