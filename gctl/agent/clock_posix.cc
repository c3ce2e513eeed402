#include <time.h>

#include "gctl/agent/clock.h"

namespace gaggle::agent {

namespace {

std::int64_t nanoseconds_of(clockid_t clock) {
    timespec time{};
    INVARIANT(clock_gettime(clock, &time) == 0);  // both exist on every Linux that we run on
    return static_cast<std::int64_t>(time.tv_sec) * 1'000'000'000 + time.tv_nsec;
}

}  // namespace

node::Now read_clocks() {
    return {.time = TimePoint(Duration(nanoseconds_of(CLOCK_BOOTTIME) / 1'000)),
            .wall = {nanoseconds_of(CLOCK_REALTIME)}};
}

}  // namespace gaggle::agent
