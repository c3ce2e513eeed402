#include "allocrunner/setup/go_time.h"

#include <array>
#include <chrono>

namespace gaggle::setup {

namespace {

constexpr std::array<std::string_view, 12> kMonths = {
    "January", "February", "March",     "April",   "May",      "June",
    "July",    "August",   "September", "October", "November", "December"};
constexpr std::array<std::string_view, 7> kDays = {"Sunday",   "Monday", "Tuesday", "Wednesday",
                                                   "Thursday", "Friday", "Saturday"};

std::string digits(std::int64_t number, std::size_t width) {
    std::string out = std::to_string(number);
    return out.size() < width ? std::string(width - out.size(), '0') + out : out;
}

struct Moment {
    std::chrono::year_month_day date;
    std::chrono::weekday day;
    std::int64_t hour, minute, second, nanoseconds;
};

Moment moment_of(WallTime time) {
    using namespace std::chrono;
    const sys_time<nanoseconds> at{nanoseconds(time.nanoseconds)};
    const auto midnight = floor<days>(at);
    const hh_mm_ss clock{at - midnight};
    return {year_month_day{midnight}, weekday{midnight},       clock.hours().count(),
            clock.minutes().count(),  clock.seconds().count(), clock.subseconds().count()};
}

/// What one mark of a layout stands for. Longer marks come before their beginnings.
std::string shown(std::string_view mark, const Moment& at) {
    const auto month = static_cast<unsigned>(at.date.month());
    const auto day = static_cast<unsigned>(at.date.day());
    const int year = static_cast<int>(at.date.year());
    const std::int64_t twelve = at.hour % 12 == 0 ? 12 : at.hour % 12;
    if (mark == "2006") return digits(year, 4);
    if (mark == "06") return digits(year % 100, 2);
    if (mark == "January") return std::string(kMonths.at(month - 1));
    if (mark == "Jan") return std::string(kMonths.at(month - 1).substr(0, 3));
    if (mark == "Monday") return std::string(kDays.at(at.day.c_encoding()));
    if (mark == "Mon") return std::string(kDays.at(at.day.c_encoding()).substr(0, 3));
    if (mark == "MST") return "UTC";
    if (mark == "Z07:00") return "Z";
    if (mark == "-07:00") return "+00:00";
    if (mark == "-0700") return "+0000";
    if (mark == "01") return digits(month, 2);
    if (mark == "02") return digits(day, 2);
    if (mark == "15") return digits(at.hour, 2);
    if (mark == "03") return digits(twelve, 2);
    if (mark == "04") return digits(at.minute, 2);
    if (mark == "05") return digits(at.second, 2);
    if (mark == "PM") return at.hour < 12 ? "AM" : "PM";
    if (mark == "pm") return at.hour < 12 ? "am" : "pm";
    if (mark == "1") return std::to_string(month);
    if (mark == "2") return std::to_string(day);
    if (mark == "3") return std::to_string(twelve);
    if (mark == "4") return std::to_string(at.minute);
    return std::to_string(at.second);
}

constexpr std::array<std::string_view, 24> kMarks = {
    "2006", "January", "Jan", "Monday", "Mon", "MST", "Z07:00", "-07:00", "-0700", "01", "02", "03",
    "04",   "05",      "06",  "15",     "PM",  "pm",  "1",      "2",      "3",     "4",  "5",  ""};

/// Bytes of a fraction such as ".000" at the layout's beginning.
std::size_t fraction(std::string_view layout) {
    if (layout.size() < 2 || layout[0] != '.' || layout[1] != '0') return 0;
    const std::size_t end = std::min(layout.find_first_not_of('0', 1), layout.size());
    const bool digit_follows = end < layout.size() && layout[end] >= '0' && layout[end] <= '9';
    return digit_follows || end > 10 ? 0 : end;
}

}  // namespace

std::string go_time(WallTime time, std::string_view layout) {
    const Moment at = moment_of(time);
    std::string out;
    while (!layout.empty()) {
        if (const std::size_t bytes = fraction(layout); bytes > 0) {
            out += "." + digits(at.nanoseconds, 9).substr(0, bytes - 1);
            layout.remove_prefix(bytes);
            continue;
        }
        std::string_view found;
        for (const std::string_view mark : kMarks)
            if (found.empty() && layout.starts_with(mark)) found = mark;
        out += found.empty() ? std::string(1, layout.front()) : shown(found, at);
        layout.remove_prefix(found.empty() ? 1 : found.size());
    }
    return out;
}

}  // namespace gaggle::setup
