#include "gctl/node/planning.h"

#include <doctest/doctest.h>

#include "tests/placement/ledger/world.h"

namespace gaggle::node {

namespace {

/// What the planner is told of a job, read from a ledger as a full copy answers it.
struct Books {
    ledger::World world{3};

    Answer answer(const std::string& job) const {
        Answer out;
        const ledger::JobKey key{"default", job};
        out.jobs.push_back(*world.ledger.job(key));
        for (const AllocId& id : world.ledger.allocs_of(key))
            out.allocs.push_back(*world.ledger.alloc(id));
        const ledger::Slot slot{key, "g", 0};
        if (const ledger::SlotRecord* record = world.ledger.slot(slot))
            out.slots.emplace_back(slot, *record);
        return out;
    }
    void lose(std::uint32_t peer) {
        world.apply(ledger::PeerLost{PeerNumber{peer}, ledger::World::start(peer),
                                     ledger::World::boot(peer)});
        world.pass(1min);
    }
};

}  // namespace

TEST_CASE("planning: an allocation that was lost with its peer is wanted, and known as lost") {
    Books books;
    const AllocId id = books.world.run(ledger::job_named("j", 1), {2}).front();
    books.lose(2);
    const ledger::AllocRecord& record = *books.world.ledger.alloc(id);
    REQUIRE(record.client == ledger::ClientStatus::lost);
    REQUIRE(record.desired == ledger::Desired::stop);  // should its peer return
    const ExistingAlloc existing = existing_from(record);
    CHECK(existing.lost);
    CHECK(existing.desired == ExistingAlloc::Desired::run);
    CHECK_FALSE(existing.replaced);
}

TEST_CASE("planning: with replace = false a peer that vanishes takes its allocation with it") {
    Books books;
    Job job = ledger::job_named("j", 1);
    job.groups.front().disconnect = DisconnectStrategy{.replace = false};
    const AllocId id = books.world.run(job, {2}).front();
    books.lose(2);
    CHECK(books.world.ledger.alloc(id)->client != ledger::ClientStatus::lost);
    CHECK(books.world.ledger.alloc(id)->holds_slot());
}

TEST_CASE(
    "planning: an allocation that somebody stopped is to move, one that fails for good stays") {
    Books books;
    const auto ids = books.world.run(ledger::job_named("j", 2), {1, 2});
    CHECK_FALSE(existing_from(books.world.alloc(ids[0])).migrate);
    books.world.apply(ledger::StopAlloc{ids[0]});
    CHECK(existing_from(books.world.alloc(ids[0])).migrate);
    books.world.apply(ledger::Reports{
        PeerNumber{2},
        {{.alloc = ids[1], .client = ledger::ClientStatus::failed, .for_good = true}}});
    CHECK(existing_from(books.world.alloc(ids[1])).for_good);
}

TEST_CASE("planning: of two old copies the newer one is preferred") {
    Books books;
    const Job job = ledger::job_named("j", 1);
    books.world.run(job, {1});
    Answer answer = books.answer("j");
    REQUIRE(answer.slots.size() == 1);
    answer.slots.front().second.generation = Generation{30};
    answer.slots.front().second.copies = {{PeerNumber{1}, Generation{10}},
                                          {PeerNumber{2}, Generation{20}},
                                          {PeerNumber{3}, Generation{30}}};
    const PlanningInput input(&job, &answer.jobs.front(), answer);
    const auto& holders = input.holders().at({.group = "g", .index = 0});
    CHECK(holders.at(PeerNumber{3}) == 1.0);
    CHECK(holders.at(PeerNumber{2}) > holders.at(PeerNumber{1}));
    CHECK(holders.at(PeerNumber{1}) > 0.0);
}

}  // namespace gaggle::node
