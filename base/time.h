// Three kinds of time, which cannot be mixed up.
//
// A core lives in TimePoint: microseconds of a clock that only the driver can read (CLOCK_BOOTTIME
// in the agent, a counter in the simulator), so time cannot leak into a core. LogTime is the commit
// group's own time: carried in log entries, never going back, pausing without a leader. WallTime is
// for people.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <tuple>

namespace gaggle {

using Duration = std::chrono::microseconds;

struct VirtualClock {
    using duration = Duration;
    using rep = duration::rep;
    using period = duration::period;
    static constexpr bool is_steady = true;
    // Deliberately no now(): time is an argument.
};
using TimePoint = std::chrono::time_point<VirtualClock, Duration>;

struct LogClock {
    using duration = Duration;
    using rep = duration::rep;
    using period = duration::period;
    static constexpr bool is_steady = true;
};
using LogTime = std::chrono::time_point<LogClock, Duration>;

/// Nanoseconds since 1970-01-01 UTC. For displays, cron and admission only; 0 means "not known".
struct WallTime {
    std::int64_t nanoseconds = 0;
    constexpr auto operator<=>(const WallTime&) const = default;
    template <class Self>
    static auto wire_fields(Self& s) {
        return std::tie(s.nanoseconds);
    }
};

/// RFC 3339 with nanoseconds in UTC, "2026-11-23T07:47:45.123456789Z".
std::string to_rfc3339(WallTime time);

/// For people: "0s", "850ms", "2.5s", "3m20s", "4h05m", "2d3h". Never more than two units.
std::string for_people(Duration span);

using namespace std::chrono_literals;

}  // namespace gaggle
