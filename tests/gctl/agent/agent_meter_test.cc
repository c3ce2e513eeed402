#include <doctest/doctest.h>

#include "gctl/agent/meter.h"

namespace gaggle::agent {

namespace {

constexpr TimePoint kStart{1000s};

allocrunner::TaskUsage used(std::uint64_t user_ms, std::uint64_t system_ms) {
    return {.user_nanoseconds = user_ms * 1'000'000, .system_nanoseconds = system_ms * 1'000'000};
}

const std::string kStat =
    "cpu  30 0 30 140 0 0 0 0 0 0\n"
    "cpu0 10 0 20 70 0 0 0 0 0 0\n"
    "cpu1 20 0 10 70 0 0 0 0 0 0\n"
    "intr 99\n";

}  // namespace

TEST_CASE("a task's share is that of its life at first, and since the last look then") {
    Meter meter;
    const Meter::Look look{.name = "web", .alloc = "a", .run = 5, .age = 10s};
    auto figures = meter.task(kStart, look, used(1'000, 500));
    CHECK(figures.user_percent == doctest::Approx(10));
    CHECK(figures.system_percent == doctest::Approx(5));
    figures = meter.task(kStart + 2s, look, used(2'000, 500));
    CHECK(figures.user_percent == doctest::Approx(50));
    CHECK(figures.system_percent == doctest::Approx(0));
    CHECK(figures.user_nanoseconds == 2'000'000'000);
    figures = meter.task(kStart + 2s + 10ms, look, used(2'010, 500));
    CHECK_MESSAGE(figures.user_percent == doctest::Approx(50), "too soon for another");
}

TEST_CASE("a new run, another allocation and one long forgotten begin anew") {
    Meter meter;
    meter.task(kStart, {.name = "web", .alloc = "a", .run = 5, .age = 10s}, used(5'000, 0));
    const auto restarted = meter.task(kStart + 1s, {"web", "a", 6, 1s}, used(500, 0));
    CHECK(restarted.user_percent == doctest::Approx(50));
    const auto other = meter.task(kStart + 1s, {"web", "b", 5, 4s}, used(1'000, 0));
    CHECK(other.user_percent == doctest::Approx(25));
    const auto late = meter.task(kStart + 20min, {"web", "a", 6, 20min}, used(12'000, 0));
    CHECK(late.user_percent == doctest::Approx(1));
}

TEST_CASE("processors as shares") {
    Meter meter;
    auto cores = meter.cores(kStart, kStat);
    REQUIRE(cores.ok());
    REQUIRE(cores->size() == 2);
    CHECK((*cores)[0].user == doctest::Approx(10));
    CHECK((*cores)[0].system == doctest::Approx(20));
    CHECK((*cores)[0].idle == doctest::Approx(70));
    cores = meter.cores(kStart + 1s, "cpu0 10 0 20 170 0\ncpu1 120 0 10 70\n");
    CHECK((*cores)[0].idle == doctest::Approx(100));
    CHECK((*cores)[1].user == doctest::Approx(100));
    CHECK_FALSE(meter.cores(kStart + 2s, "").ok());
    CHECK_FALSE(meter.cores(kStart + 2s, "cpu0 what\n").ok());
}

TEST_CASE("memory as Nomad counts it") {
    node::HostFigures host;
    read_memory(
        "MemTotal: 1000 kB\nMemFree: 100 kB\nMemAvailable: 600 kB\nBuffers: 50 kB\n"
        "Cached: 350 kB\nnonsense\n",
        host);
    CHECK(host.memory_total == 1000 * 1024);
    CHECK(host.memory_available == 600 * 1024);
    CHECK(host.memory_used == 500 * 1024);
}

}  // namespace gaggle::agent
