#include "allocrunner/restart.h"

#include <doctest/doctest.h>

#include <set>

namespace gaggle::allocrunner {

namespace {

using Kind = RestartDecision::Kind;
using Mode = RestartPolicy::Mode;

RestartPolicy policy(std::int64_t attempts, Mode mode) {
    return {.attempts = attempts, .interval = 10min, .delay = 20s, .mode = mode};
}

TimePoint at(Duration since) { return TimePoint(since); }

}  // namespace

TEST_CASE("how a task ended, what it is for and its policy decide whether it starts again") {
    struct Row {
        Aim aim;
        Ending ending;
        RestartPolicy policy;
        Kind kind;
        const char* reason;
    };
    const RestartPolicy two = policy(2, Mode::fail);
    for (const auto& row : {
             Row{Aim::to_end, Ending::success, two, Kind::finished,
                 "Task completed successfully"},
             Row{Aim::to_run, Ending::success, two, Kind::restart, "Restart within policy"},
             Row{Aim::to_end, Ending::failure, two, Kind::restart, "Restart within policy"},
             Row{Aim::to_run, Ending::unrecoverable, two, Kind::give_up,
                 "Error was unrecoverable"},
             Row{Aim::to_run, Ending::failure, policy(0, Mode::fail), Kind::give_up,
                 "Policy allows no restarts"},
         }) {
        CAPTURE(row.aim == Aim::to_run);
        CAPTURE(row.reason);
        RestartHistory history;
        Rng rng(1);
        const auto decision = next_restart(row.policy, row.aim, row.ending, at(5s), history, rng);
        CHECK(decision.kind == row.kind);
        CHECK(decision.reason == row.reason);
    }
}

TEST_CASE("the delay grows by at most a quarter, and not always by the same") {
    Rng rng(3);
    std::set<Duration> seen;
    for (int round = 0; round < 200; ++round) {
        RestartHistory history;
        const auto decision = next_restart(policy(1, Mode::fail), Aim::to_run, Ending::failure,
                                           at(0s), history, rng);
        CHECK(decision.wait >= 20s);
        CHECK(decision.wait <= 25s);
        seen.insert(decision.wait);
    }
    CHECK(seen.size() > 100);
}

TEST_CASE("mode fail gives up after its attempts, and a new interval gives new ones") {
    RestartHistory history;
    Rng rng(1);
    const RestartPolicy two = policy(2, Mode::fail);
    const auto fail = [&](Duration when) {
        return next_restart(two, Aim::to_run, Ending::failure, at(when), history, rng);
    };
    CHECK(fail(1min).kind == Kind::restart);
    CHECK(fail(2min).kind == Kind::restart);
    const auto third = fail(11min);
    CHECK(third.kind == Kind::give_up);
    CHECK(third.reason == "Exceeded allowed attempts 2 in interval 10m00s and mode is \"fail\"");
    CHECK(fail(11min + 1s).kind == Kind::restart);  // counted from the first failure, at 1 min
}

TEST_CASE("mode delay waits for the end of the interval, then counts anew") {
    RestartHistory history;
    Rng rng(1);
    const RestartPolicy one = policy(1, Mode::delay);
    const auto fail = [&](Duration when) {
        return next_restart(one, Aim::to_run, Ending::failure, at(when), history, rng);
    };
    CHECK(fail(1min).wait < 26s);
    const auto second = fail(4min);
    CHECK(second.kind == Kind::restart);
    CHECK(second.reason == "Exceeded allowed attempts, applying a delay");
    CHECK(second.wait == 7min);       // from 4 min to 11 min
    CHECK(fail(12min).wait == 9min);  // the start at 11 min was the one attempt until 21 min
}

TEST_CASE("mode delay with no attempts waits a whole interval each time") {
    RestartHistory history;
    Rng rng(1);
    const RestartPolicy none = policy(0, Mode::delay);
    const auto decision =
        next_restart(none, Aim::to_run, Ending::failure, at(3min), history, rng);
    CHECK(decision.kind == Kind::restart);
    CHECK(decision.wait == 10min);
}

TEST_CASE("no wait is longer than the longest") {
    Rng rng(5);
    for (const Mode mode : {Mode::fail, Mode::delay}) {
        const RestartPolicy two = policy(2, mode);
        CHECK(longest_wait(two) == (mode == Mode::delay ? 10min : 25s));
        RestartHistory history;
        for (Duration now{}; now < 10h; now += 10s) {
            const auto decision =
                next_restart(two, Aim::to_run, Ending::failure, at(now), history, rng);
            REQUIRE(decision.wait <= longest_wait(two));
            now += decision.wait;
        }
    }
}

}  // namespace gaggle::allocrunner
