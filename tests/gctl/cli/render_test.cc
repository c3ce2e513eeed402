#include "gctl/cli/render.h"

#include <doctest/doctest.h>

#include "gctl/cli/render_diff.h"

namespace gaggle::cli {

namespace {

constexpr std::int64_t kSecond = 1'000'000'000;
const Console kPlain([](std::string_view) {}, [](std::string_view) {}, false);
const Console kColoured([](std::string_view) {}, [](std::string_view) {}, true);

}  // namespace

TEST_CASE("ages are told as people tell them") {
    const WallTime now{1'000'000 * kSecond};
    struct Row {
        std::int64_t seconds_before;
        const char* text;
    };
    for (const auto& row :
         {Row{0, "just now"}, Row{5, "5s ago"}, Row{59, "59s ago"}, Row{200, "3m20s ago"},
          Row{7500, "2h05m ago"}, Row{90'000, "1d1h ago"}, Row{-5, "in 5s"}}) {
        CAPTURE(row.seconds_before);
        CHECK(ago({now.nanoseconds - row.seconds_before * kSecond}, now) == row.text);
    }
    CHECK(ago({0}, now).empty());
}

TEST_CASE("times of the API are cut to seconds, and Go's zero time is no time") {
    CHECK(when({1'700'000'000LL * kSecond + 5}) == "2023-11-14T22:13:20Z");
    CHECK(when({0}).empty());
    CHECK(when_or_na("2023-11-14T22:13:20.123456Z") == "2023-11-14T22:13:20Z");
    CHECK(when_or_na("0001-01-01T00:00:00Z") == "N/A");
    CHECK(when_or_na("") == "N/A");
}

TEST_CASE("sizes") {
    CHECK(mebibytes(0) == "0 MiB");
    CHECK(mebibytes(1023) == "1023 MiB");
    CHECK(mebibytes(1024) == "1 GiB");
    CHECK(mebibytes(1536) == "1.5 GiB");
}

TEST_CASE("columns are as wide as their widest cell, whatever its bytes") {
    CHECK(table({{"ID", "Name"}, {"1", "x"}, {"", "long name"}}) ==
          "ID      Name\n"
          "1       x\n"
          "<none>  long name\n");
    CHECK(table({{"A", "B"}, {"\xC3\xA9\xC3\xA9", "b"}}) ==
          "A   B\n"
          "\xC3\xA9\xC3\xA9  b\n");
    const std::string green = kColoured.paint(Tone::good, "ok");
    CHECK(table({{"S", "B"}, {green, "b"}, {"bad", "b"}}) == "S    B\n" + green + "   b\nbad  b\n");
}

TEST_CASE("fields have their signs in one column") {
    CHECK(field_list({{"ID", "x"}, {"Status", ""}}) == "ID     = x\nStatus = <none>\n");
}

TEST_CASE("without colours a text stays as it is") {
    CHECK(kPlain.paint(Tone::bad, "no") == "no");
    CHECK(kColoured.paint(Tone::bad, "no") == "\x1b[31mno\x1b[0m");
    CHECK(kColoured.paint(Tone::plain, "no") == "no");
    CHECK(status_text(kColoured, "running") == "\x1b[32mrunning\x1b[0m");
}

TEST_CASE("why a group could not be placed, one line for each reason") {
    Metrics metrics;
    metrics.evaluated = 3;
    metrics.exhausted = 2;
    metrics.available = {{"dc1", 3}, {"dc9", 0}};
    metrics.constraint_filtered = {{"${attr.kernel.name} = windows", 1}};
    metrics.dimension_exhausted = {{"memory", 2}};
    CHECK(failure_reasons(metrics, "  ") ==
          "  * No nodes are available in datacenter \"dc9\"\n"
          "  * Constraint \"${attr.kernel.name} = windows\": 1 node excluded by filter\n"
          "  * Resources exhausted on 2 nodes\n"
          "  * Dimension \"memory\" exhausted on 2 nodes\n");
    CHECK(failure_reasons({}, "") == "* No nodes were eligible for evaluation\n");
}

TEST_CASE("scores, best first") {
    Metrics metrics;
    metrics.scores = {{"aaaa", 0.25, {{"binpack", 0.5}}},
                      {"bbbb", 0.75, {{"binpack", 1}, {"job-anti-affinity", -0.5}}}};
    CHECK(score_table(metrics, 4) ==
          "Node  binpack  job-anti-affinity  final score\n"
          "bbbb  1        -0.5               0.75\n"
          "aaaa  0.5      0                  0.25\n");
    CHECK(score_table({}, 4).empty());
}

TEST_CASE("the changes of a job") {
    Diff job{.type = "Edited", .name = "redis"};
    Diff& group = job.parts.emplace_back(Diff{.type = "Edited", .name = "cache"});
    group.updates = {{"create", 1}, {"in-place update", 0}};
    group.fields = {{.type = "Edited",
                     .name = "Count",
                     .before = "1",
                     .after = "2",
                     .annotations = {"forces create"}},
                    {.type = "None", .name = "Name", .before = "cache", .after = "cache"}};
    group.objects = {{.type = "Deleted",
                      .name = "Service",
                      .fields = {{.type = "Deleted", .name = "Port", .before = "db"}}}};
    Diff& task = group.parts.emplace_back(Diff{.type = "Added", .name = "side"});
    task.fields = {{.type = "Added", .name = "Driver", .after = "raw_exec"}};
    CHECK(diff_text(kPlain, job, false) ==
          "+/- Job: \"redis\"\n"
          "+/-   Task Group: \"cache\" (1 create)\n"
          "+/-     Count: \"1\" => \"2\" (forces create)\n"
          "-       Service {\n"
          "-         Port: \"db\"\n"
          "-       }\n"
          "+       Task: \"side\"\n");
    CHECK(diff_text(kPlain, job, true).find("+         Driver: \"raw_exec\"\n") !=
          std::string::npos);
    CHECK(diff_text(kPlain, job, true).find("Name:  \"cache\"") != std::string::npos);
}

TEST_CASE("a plan changes allocations unless all of them are ignored or updated in place") {
    PlanView plan;
    plan.updates["a"] = {.ignore = 3, .in_place = 1};
    CHECK(!changes_allocations(plan));
    plan.updates["b"] = {.destructive = 1};
    CHECK(changes_allocations(plan));
}

}  // namespace gaggle::cli
