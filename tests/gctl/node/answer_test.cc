#include "gctl/node/answer.h"

#include <doctest/doctest.h>

#include <algorithm>

#include "tests/placement/ledger/world.h"

namespace gaggle::node {

namespace {

using ledger::ClientStatus;

Job parameterized(const std::string& id) {
    Job job = ledger::job_named(id, 1);
    job.type = JobType::batch;
    job.parameterized.emplace();
    return job;
}

Job child(const std::string& parent, const std::string& number) {
    Job job = parameterized(parent + "/dispatch-" + number);
    job.parent = parent;
    return job;
}

Answer ask(const ledger::World& world, QueryKind kind, const std::string& id) {
    return answer_from(world.ledger, {.kind = kind, .id = id});
}

}  // namespace

TEST_CASE("a parameterized job tells how the jobs are that were dispatched from it") {
    ledger::World world;
    world.run(parameterized("sum"), {});
    CHECK(ask(world, QueryKind::job, "sum").children.at(0).pending == 0);
    const auto first = world.run(child("sum", "1"), {1});
    world.run(child("sum", "2"), {2});
    // Neither is a child of "sum", whatever its name.
    world.run(parameterized("sum/other"), {});
    world.run(child("summer", "1"), {3});
    world.report(first.front(), ClientStatus::running);
    world.report(first.front(), ClientStatus::complete);

    const Answer one = ask(world, QueryKind::job, "sum");
    REQUIRE(one.children.size() == 1);
    CHECK(one.children[0].parent == ledger::JobKey{"default", "sum"});
    const auto total = [](const JobChildren& all) { return all.pending + all.running + all.dead; };
    CHECK(one.children[0].dead == 1);
    CHECK(one.children[0].running == 1);
    CHECK(total(one.children[0]) == 2);

    const Answer all = ask(world, QueryKind::jobs, "");
    REQUIRE(all.children.size() == 2);  // of "sum" and of "sum/other"; children have none
    CHECK(all.children[0].parent.id == "sum");
    CHECK(total(all.children[0]) == 2);
    CHECK(total(all.children[1]) == 0);
}

TEST_CASE("who waits for a parameterized job hears of its children") {
    ledger::World world;
    world.run(parameterized("sum"), {});
    const std::uint64_t before = ask(world, QueryKind::job, "sum").index;
    const auto alloc = world.run(child("sum", "1"), {1});
    const std::uint64_t dispatched = ask(world, QueryKind::job, "sum").index;
    CHECK(dispatched > before);
    world.report(alloc.front(), ClientStatus::complete);
    CHECK(ask(world, QueryKind::job, "sum").index > dispatched);
    world.run(child("other", "1"), {2});
    CHECK(ask(world, QueryKind::job, "sum").index < world.index.value);
}

TEST_CASE("an allocation is found by any beginning of its id that no other has") {
    ledger::World world;
    world.run(ledger::job_named("web", 10), {1, 1, 1, 1, 1, 1, 1, 1, 1, 1});
    const auto& allocs = world.ledger.allocs();
    REQUIRE(allocs.size() >= 10);
    for (const auto& [wanted, record] : allocs) {
        const std::string text = to_string(wanted);
        for (std::size_t length = 0; length <= text.size(); ++length) {
            const std::string beginning = text.substr(0, length);
            const auto same = std::count_if(allocs.begin(), allocs.end(), [&](const auto& other) {
                return to_string(other.first).starts_with(beginning);
            });
            const Answer answer = ask(world, QueryKind::allocation, beginning);
            CHECK(answer.found == (length > 0 && same == 1));
            if (answer.found) CHECK(answer.allocs.at(0).id == wanted);
        }
        CHECK_FALSE(ask(world, QueryKind::allocation, text + "0").found);
        CHECK_FALSE(ask(world, QueryKind::allocation, text.substr(0, 35) + "g").found);
    }
}

}  // namespace gaggle::node
