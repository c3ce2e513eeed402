#include "allocrunner/drivers/cores.h"

#include <doctest/doctest.h>
#include <sys/resource.h>

#include <algorithm>

#include "allocrunner/drivers/spec_file.h"
#include "tests/allocrunner/scratch.h"

namespace gaggle::allocrunner {

TEST_CASE("a list of processors is written and read") {
    CHECK(text_of_cpus({0, 1, 2, 5, 7, 8}) == "0-2,5,7-8");
    CHECK(cpus_in("0-2,5,7-8\n") == std::vector{0, 1, 2, 5, 7, 8});
    CHECK(text_of_cpus({}).empty());
    for (const char* bad : {"x", "1-", "3-1", "-1", "1,,2", "1-99999999", "1:2"})
        CHECK(cpus_in(bad).empty());
}

TEST_CASE("processors belong to one task until they are given back") {
    const ScratchDir scratch;
    const auto at = [&](const std::string& alloc) {
        const TaskLocation place{
            .alloc = alloc, .alloc_dir = scratch.path() + "/" + alloc, .task = "main"};
        std::filesystem::create_directories(driver_dir(place));
        return place;
    };
    const auto count =
        static_cast<std::int64_t>(cpus_in(*take_cores(scratch.path(), at("a"), 1)).size());
    CHECK(count == 1);
    const std::string mine = *take_cores(scratch.path(), at("a"), 1);
    CHECK(mine == *take_cores(scratch.path(), at("a"), 1));  // the next run has the same
    const auto too_many = take_cores(scratch.path(), at("b"), 100'000);
    REQUIRE(!too_many.ok());
    CHECK(too_many.error().code == Errc::unavailable);
    if (const auto other = take_cores(scratch.path(), at("b"), 1)) CHECK(*other != mine);
    give_back_cores(at("a"));
    give_back_cores(at("b"));
    CHECK(*take_cores(scratch.path(), at("c"), 1) == mine);
}

TEST_CASE("a task learns which processors are its own, and no other task is told any") {
    const ScratchDir scratch;
    const TaskLocation at{.alloc = "a", .alloc_dir = scratch.path() + "/a", .task = "main"};
    std::filesystem::create_directories(driver_dir(at));
    TaskSpec spec;
    CHECK(cores_environment(scratch.path(), at, spec)->empty());
    spec.resources.cores = 1;
    const auto env = cores_environment(scratch.path(), at, spec);
    REQUIRE(env.ok());
    CHECK(env->at("NOMAD_CPU_CORES") == *cpus_for(scratch.path(), at, 1));
    spec.resources.cores = 100'000;
    CHECK(cores_environment(scratch.path(), at, spec).error().code == Errc::unavailable);
    give_back_cores(at);
}

TEST_CASE("tasks without cores share what nobody has taken, and all when nothing is left") {
    const ScratchDir scratch;
    const auto at = [&](const std::string& alloc) {
        const TaskLocation place{
            .alloc = alloc, .alloc_dir = scratch.path() + "/" + alloc, .task = "main"};
        std::filesystem::create_directories(driver_dir(place));
        return place;
    };
    const CpuPool whole = *cpu_pool(scratch.path());
    CHECK_FALSE(whole.reserved);
    const auto all = static_cast<std::int64_t>(cpus_in(whole.shared).size());
    CHECK(cpus_for(scratch.path(), at("shares"), 0)->empty());  // kept nowhere
    CHECK(*cpus_for(scratch.path(), at("all"), all) == whole.shared);
    CHECK(cpu_pool(scratch.path())->reserved);
    CHECK(*cpus_for(scratch.path(), at("shares"), 0) == whole.shared);
    give_back_cores(at("all"));
    if (all < 2) return;
    const std::string own = *cpus_for(scratch.path(), at("one"), 1);
    const std::vector<int> rest = cpus_in(*cpus_for(scratch.path(), at("shares"), 0));
    CHECK(rest.size() == static_cast<std::size_t>(all - 1));
    CHECK(std::count(rest.begin(), rest.end(), cpus_in(own).front()) == 0);
}

TEST_CASE("processors stay their task's while files cannot be opened") {
    const ScratchDir before;
    const ScratchDir scratch;
    const auto at = [&](const ScratchDir& root) {
        const TaskLocation place{.alloc = "a", .alloc_dir = root.path() + "/a", .task = "main"};
        std::filesystem::create_directories(driver_dir(place));
        return place;
    };
    std::ofstream(driver_dir(at(before)) + "/cores") << "0";  // of an earlier agent
    REQUIRE(take_cores(scratch.path(), at(scratch), 1).ok());
    rlimit files{};
    REQUIRE(getrlimit(RLIMIT_NOFILE, &files) == 0);
    const rlimit none{0, files.rlim_max};
    REQUIRE(setrlimit(RLIMIT_NOFILE, &none) == 0);
    const auto not_known = cpu_pool(before.path());
    const auto known = cpu_pool(scratch.path());
    REQUIRE(setrlimit(RLIMIT_NOFILE, &files) == 0);
    REQUIRE(!not_known.ok());
    CHECK(not_known.error().code == Errc::io);
    CHECK(known->reserved);
    CHECK(cpu_pool(before.path())->reserved);
    CHECK(cpu_pool(scratch.path())->reserved);
    std::filesystem::remove_all(scratch.path() + "/a");  // collected
    CHECK_FALSE(cpu_pool(scratch.path())->reserved);
}

}  // namespace gaggle::allocrunner
