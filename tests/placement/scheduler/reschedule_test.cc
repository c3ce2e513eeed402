#include "placement/scheduler/reschedule.h"

#include <doctest/doctest.h>

namespace gaggle {

namespace {

using Function = ReschedulePolicy::Function;

/// Delays of a series of replacements whose allocations all fail at once.
std::vector<Duration> series(const ReschedulePolicy& policy, int length) {
    std::vector<RescheduleAttempt> attempts;
    std::vector<Duration> delays;
    LogTime failed_at{1h};
    for (int i = 0; i < length; ++i) {
        delays.push_back(next_delay(policy, attempts, failed_at));
        failed_at += delays.back();
        attempts.push_back({failed_at, {1}, delays.back()});
    }
    return delays;
}

}  // namespace

TEST_CASE("delays are constant, doubled, or grow like Fibonacci's numbers, up to the maximum") {
    struct Row {
        Function function;
        Duration most;
        std::vector<Duration> delays;
    };
    for (const Row& row : {Row{Function::constant, 1h, {5s, 5s, 5s, 5s, 5s, 5s}},
                           Row{Function::exponential, 1h, {5s, 10s, 20s, 40s, 80s, 160s}},
                           Row{Function::exponential, 30s, {5s, 10s, 20s, 30s, 30s, 30s}},
                           Row{Function::fibonacci, 1h, {5s, 5s, 10s, 15s, 25s, 40s}},
                           Row{Function::fibonacci, 20s, {5s, 5s, 10s, 15s, 20s, 20s}}}) {
        CAPTURE(static_cast<int>(row.function));
        CHECK(series({.delay = 5s, .function = row.function, .delay_max = row.most}, 6) ==
              row.delays);
    }
}

TEST_CASE("after a run longer than the maximum the series starts anew") {
    const ReschedulePolicy policy{.delay = 5s, .function = Function::exponential, .delay_max = 30s};
    const std::vector<RescheduleAttempt> before = {{LogTime{1h}, {1}, 30s}};
    CHECK(next_delay(policy, before, LogTime{1h} + 10s) == Duration(30s));
    CHECK(next_delay(policy, before, LogTime{1h} + 31s) == Duration(5s));
    const ReschedulePolicy greedy{.delay = 2h, .delay_max = 1h};
    CHECK(next_delay(greedy, {}, LogTime{1h}) == Duration(1h));
}

TEST_CASE("attempts count within the interval before the failure") {
    const ReschedulePolicy twice{.attempts = 2,
                                 .interval = 10min,
                                 .delay = 5s,
                                 .function = Function::constant,
                                 .unlimited = false};
    const LogTime failed_at{2h};
    const RescheduleAttempt recent{failed_at - 1min, {1}, 5s}, old{failed_at - 11min, {1}, 5s};
    CHECK(reschedule_at(twice, {}, failed_at)->when == failed_at + 5s);
    CHECK(reschedule_at(twice, {old, old, recent}, failed_at));
    CHECK(!reschedule_at(twice, {old, recent, recent}, failed_at));
    ReschedulePolicy none = twice;
    none.attempts = 0;
    CHECK(!reschedule_at(none, {}, failed_at));
    none.unlimited = true;
    CHECK(reschedule_at(none, {recent, recent}, failed_at));
}

}  // namespace gaggle
