// A moment in the layout of Go's time.Format, always in UTC.
//
// The layout is an example of the moment 2006-01-02 15:04:05: "02.01.06 15:04". Known are the year,
// month, day, weekday, hour (24 and 12), minute, second, fractions .000 and the zone; other text
// stays.
#pragma once

#include <string>
#include <string_view>

#include "base/time.h"

namespace gaggle::setup {

inline constexpr const char* kRfc3339Layout = "2006-01-02T15:04:05Z07:00";

std::string go_time(WallTime time, std::string_view layout);

}  // namespace gaggle::setup
