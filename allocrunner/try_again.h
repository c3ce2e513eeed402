// When to try once more what the machine did not do.
//
// A lock or a full table of processes passes in seconds; what hangs costs a thread its whole
// patience each time. So each pause is twice the one before, up to five minutes. Arithmetic only.
#pragma once

#include <algorithm>
#include <optional>

#include "base/time.h"

namespace gaggle::allocrunner {

struct TryAgain {
    static constexpr Duration kPauseFirst = 2s;
    static constexpr Duration kPauseMax = 5min;

    std::optional<TimePoint> due;    ///< nothing: it did not fail, or a try is under way
    std::optional<TimePoint> since;  ///< the first failure
    Duration pause{};                ///< the last

    void failed(TimePoint now) {
        if (!since) since = now;
        pause = std::clamp(pause * 2, kPauseFirst, kPauseMax);
        due = now + pause;
    }
    /// Whether it is to be tried now; the try is under way then.
    bool take_due(TimePoint now) {
        if (!due || now < *due) return false;
        due.reset();
        return true;
    }
};

}  // namespace gaggle::allocrunner
