#include "base/time.h"

#include <array>
#include <cstdio>
#include <ctime>

namespace gaggle {

std::string to_rfc3339(WallTime time) {
    constexpr std::int64_t kSecond = 1'000'000'000;
    std::int64_t seconds = time.nanoseconds / kSecond;
    std::int64_t rest = time.nanoseconds % kSecond;
    if (rest < 0) {
        rest += kSecond;
        --seconds;
    }
    const std::time_t whole = static_cast<std::time_t>(seconds);
    std::tm utc{};
    gmtime_r(&whole, &utc);
    std::array<char, 64> text{};
    std::snprintf(text.data(), text.size(), "%04d-%02d-%02dT%02d:%02d:%02d.%09lldZ",
                  utc.tm_year + 1900, utc.tm_mon + 1, utc.tm_mday, utc.tm_hour, utc.tm_min,
                  utc.tm_sec, static_cast<long long>(rest));
    return text.data();
}

std::string for_people(Duration span) {
    if (span == Duration::zero()) return "0s";
    const bool negative = span < Duration::zero();
    const long long us = negative ? -span.count() : span.count();
    std::array<char, 48> text{};
    const long long seconds = us / 1'000'000;
    if (us < 1'000) {
        std::snprintf(text.data(), text.size(), "%lldus", us);
    } else if (us < 1'000'000) {
        std::snprintf(text.data(), text.size(), "%lldms", us / 1'000);
    } else if (seconds < 60) {
        std::snprintf(text.data(), text.size(), "%lld.%llds", seconds, us / 100'000 % 10);
    } else if (seconds < 3'600) {
        std::snprintf(text.data(), text.size(), "%lldm%02llds", seconds / 60, seconds % 60);
    } else if (seconds < 86'400) {
        std::snprintf(text.data(), text.size(), "%lldh%02lldm", seconds / 3'600, seconds / 60 % 60);
    } else {
        std::snprintf(text.data(), text.size(), "%lldd%lldh", seconds / 86'400,
                      seconds / 3'600 % 24);
    }
    return (negative ? "-" : "") + std::string(text.data());
}

}  // namespace gaggle
