#include "allocrunner/restart.h"

#include <fmt/core.h>

#include <algorithm>

namespace gaggle::allocrunner {

namespace {

constexpr std::uint64_t kJitterFraction = 4;  // up to a quarter of the delay

Duration with_jitter(Duration delay, Rng& rng) {
    const auto most = static_cast<std::uint64_t>(delay.count()) / kJitterFraction;
    return delay + Duration(rng.below(most + 1));
}

}  // namespace

Duration longest_wait(const RestartPolicy& policy) {
    const Duration delay = policy.delay + policy.delay / static_cast<std::int64_t>(kJitterFraction);
    const bool may_wait = policy.mode == RestartPolicy::Mode::delay;
    return may_wait ? std::max(delay, policy.interval) : delay;
}

RestartDecision next_restart(const RestartPolicy& policy, Aim aim, Ending ending,
                             TimePoint now, RestartHistory& history, Rng& rng) {
    using Kind = RestartDecision::Kind;
    if (ending == Ending::success && aim == Aim::to_end)
        return {Kind::finished, 0s, "Task completed successfully"};
    if (ending == Ending::unrecoverable) return {Kind::give_up, 0s, "Error was unrecoverable"};
    const bool may_wait = policy.mode == RestartPolicy::Mode::delay;
    if (policy.attempts <= 0 && !may_wait) return {Kind::give_up, 0s, "Policy allows no restarts"};

    if (history.counted == 0 || now - history.window_start > policy.interval) history = {0, now};
    if (history.counted < policy.attempts) {
        ++history.counted;
        return {Kind::restart, with_jitter(policy.delay, rng), "Restart within policy"};
    }
    if (!may_wait)
        return {Kind::give_up, 0s,
                fmt::format("Exceeded allowed attempts {} in interval {} and mode is \"fail\"",
                            policy.attempts, for_people(policy.interval))};
    const Duration rest = history.window_start + policy.interval - now;
    history = {1, now + rest};  // the restart at the end of this interval is the first of the next
    return {Kind::restart, rest, "Exceeded allowed attempts, applying a delay"};
}

}  // namespace gaggle::allocrunner
