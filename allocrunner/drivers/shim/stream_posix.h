// One output stream of a task, from its pipe to its log, at the pace that costs least.
//
// A task that says a line now and then is heard at once. One that talks all the time is heard every
// 100 ms, or before a quarter of its pipe is full at the rate it had, whichever is sooner: ten
// megabytes a second in lines would else be a hundred thousand wake-ups. Its pipe is made larger
// then, as far as the system allows; the kernel takes memory only for what is in it.
#pragma once

#include <cstddef>
#include <cstdint>

#include "allocrunner/drivers/shim/log_posix.h"

namespace gaggle::allocrunner::shim {

/// CLOCK_MONOTONIC in nanoseconds.
std::int64_t monotonic_now();

/// When a stream is read again: arithmetic over what was read so far. Times in nanoseconds.
class Pace {
  public:
    /// `bytes` were read now, from a pipe that holds `capacity`. True when a larger pipe would
    /// spare wake-ups.
    bool heard(std::int64_t now, std::size_t bytes, std::size_t capacity);
    /// Until when nothing is read; 0: not at all.
    std::int64_t rest_until() const { return rest_until_; }

  private:
    std::int64_t window_start_ = 0;
    std::size_t bytes_ = 0;  ///< in this window
    std::uint32_t reads_ = 0;
    bool resting_ = false;
    std::int64_t rest_until_ = 0;
};

class Stream {
  public:
    Log log;
    int pipe = -1;

    /// To be polled: the pipe, or -1 while it rests.
    int wanted(std::int64_t now) const { return now < pace_.rest_until() ? -1 : pipe; }
    /// Milliseconds until it wants to be polled again; -1 when it does not rest.
    int rest_ms(std::int64_t now) const;
    /// Reads what is there, a turn's worth at most. False when there is nothing (more).
    bool copy();

  private:
    Pace pace_;
    std::size_t capacity_ = 0;  ///< of the pipe; 0: not asked yet
    bool may_grow_ = true;
};

}  // namespace gaggle::allocrunner::shim
