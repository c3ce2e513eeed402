// Whether and when a task that ended starts again on its peer: Nomad's restart policy as
// arithmetic.
//
// Within `interval`, counted from the first failure in it, up to `attempts` restarts happen after
// `delay` and up to a quarter more by chance (so that tasks that fell together do not rise
// together). Beyond that, mode "fail" gives up and leaves the rest to rescheduling, mode "delay"
// waits for the interval to end. A task that is there to end is finished when it ends with 0; one
// that is there to run has failed its purpose by ending and counts like any other.
#pragma once

#include <optional>
#include <string>
#include <tuple>

#include "allocrunner/lifecycle.h"
#include "base/rng.h"
#include "base/time.h"
#include "placement/jobspec/job.h"

namespace gaggle::allocrunner {

/// Restarts used up in the present interval.
struct RestartHistory {
    std::int64_t counted = 0;
    TimePoint window_start{};  ///< means something only when counted > 0
};

enum class Ending {
    success,        ///< exit code 0
    failure,        ///< any other exit, or a start that may work next time
    unrecoverable,  ///< no restart can help: missing executable, invalid config
};

struct RestartDecision {
    enum class Kind { restart, finished, give_up };
    Kind kind = Kind::restart;
    Duration wait{};     ///< before the restart
    std::string reason;  ///< in Nomad's words, for the event
};

/// Decides and, for a restart, counts it. One draw of chance per restart with a delay.
RestartDecision next_restart(const RestartPolicy& policy, Aim aim, Ending ending,
                             TimePoint now, RestartHistory& history, Rng& rng);

/// The longest `wait` that next_restart gives.
Duration longest_wait(const RestartPolicy& policy);

}  // namespace gaggle::allocrunner
