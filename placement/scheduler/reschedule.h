// When a failed allocation may be replaced: the `reschedule` block as arithmetic.
//
// Semantics are Nomad's (reference/nomad.md section 1.4): a limited number of attempts within an
// interval, or without limit; a delay that is constant, doubles, or grows like Fibonacci's numbers
// up to a maximum, and starts anew when the last replacement ran for longer than the delay. All
// times are log time.
#pragma once

#include <optional>

#include "placement/jobspec/job.h"
#include "placement/scheduler/existing.h"

namespace gaggle {

/// How long the next replacement waits, from the moment of the failure.
Duration next_delay(const ReschedulePolicy& policy, const std::vector<RescheduleAttempt>& before,
                    LogTime failed_at);

struct RescheduleAt {
    LogTime when;
    Duration delay{0};
};

/// Nothing when the policy allows no further attempt.
std::optional<RescheduleAt> reschedule_at(const ReschedulePolicy& policy,
                                          const std::vector<RescheduleAttempt>& before,
                                          LogTime failed_at);

}  // namespace gaggle
