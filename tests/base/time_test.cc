#include "base/time.h"

#include <doctest/doctest.h>

namespace gaggle {

TEST_CASE("a span for people has at most two units, and nothing is 0s") {
    struct Row {
        Duration span;
        const char* text;
    };
    for (const Row& row : {
             Row{0us, "0s"},
             Row{1us, "1us"},
             Row{999us, "999us"},
             Row{850ms, "850ms"},
             Row{2'500ms, "2.5s"},
             Row{200s, "3m20s"},
             Row{4h + 5min, "4h05m"},
             Row{51h, "2d3h"},
             Row{-2'500ms, "-2.5s"},
         }) {
        CAPTURE(row.text);
        CHECK(for_people(row.span) == row.text);
    }
}

TEST_CASE("a time of day has nanoseconds, before 1970 too") {
    CHECK(to_rfc3339({0}) == "1970-01-01T00:00:00.000000000Z");
    CHECK(to_rfc3339({1'795'420'065'123'456'789}) == "2026-11-23T07:47:45.123456789Z");
    CHECK(to_rfc3339({-1}) == "1969-12-31T23:59:59.999999999Z");
}

}  // namespace gaggle
