#include "gctl/node/runs.h"

#include <doctest/doctest.h>

#include "gctl/node/copies.h"
#include "tests/crypto/fixture.h"
#include "tests/placement/ledger/world.h"

namespace gaggle::node {

namespace {

Job sleeper(const std::string& id, std::int64_t cpu = 100) {
    Job job = ledger::job_named(id, 1, cpu);
    job.groups.front().tasks.front().config = {{"command", Value{std::string("sleep")}}};
    return job;
}

/// Peer 2's orders as a ledger gives them, obeyed on a machine where directories are ready at once
/// and a task ends when the test says so.
class Machine {
  public:
    Machine() {
        runs.set_number(PeerNumber{2});
        runs.set_offer(ledger::World::offer(2).offer.total);
        REQUIRE(runs.start(now, nullptr).ok());
        give(allocrunner::Recovered{});
    }

    void obey(ledger::Ledger& books) {
        runs.on(now, OrdersFrame{encode(books.orders_for(PeerNumber{2}))}, out);
        sync();
        work();
    }
    template <class What>
    void give(What what) {
        now.time += 1ms;
        runs.on(now, {.wall = now.wall, .what = std::move(what)}, out);
        work();
    }
    void end(const AllocId& alloc) {
        give(allocrunner::TaskExited{.alloc = alloc, .task = "t", .run = started.at(alloc)});
    }
    bool was_started(const AllocId& alloc) const { return started.contains(alloc); }

    Now now{TimePoint(1s), {}};
    std::map<AllocId, std::uint64_t> started;  ///< run number of its task
    bool disk_works = true;

  private:
    void sync() {
        writer.pump(out);
        if (!out.effects.store) return;
        const std::uint64_t token = std::exchange(out.effects.store, std::nullopt)->token;
        if (!disk_works) {
            writer.fail();
            return runs.store_failed(now, out);
        }
        for (const Writer::Then& then : writer.stored(token).then)
            if (then) then(now, out);
    }
    void work() {
        while (!out.effects.tasks.empty()) {
            const allocrunner::Work next = out.effects.tasks.front();
            out.effects.tasks.erase(out.effects.tasks.begin());
            if (const auto* dir = std::get_if<allocrunner::PrepareDir>(&next))
                give(allocrunner::DirReady{.alloc = dir->order.alloc});
            if (const auto* over = std::get_if<allocrunner::TearDown>(&next))
                give(allocrunner::TornDown{.alloc = over->alloc, .error = {}});
            if (const auto* task = std::get_if<allocrunner::StartTask>(&next)) {
                started[task->alloc] = task->run;
                give(allocrunner::TaskStarted{task->alloc, task->task, task->run, 100});
            }
        }
    }

    TestCluster keys_;
    PeerId self_ = gaggle::id_of(keys_.founding.founder);
    Directory directory_{keys_.authority(), keys_.founding.region};
    Courier courier_{directory_, self_, Rng{1}};
    Writer writer;
    Copies copies_{self_, keys_.first.signing, directory_, courier_};
    Outbox out;

  public:
    Runs runs{{}, {}, courier_, writer, copies_, Rng{2}};
};

}  // namespace

TEST_CASE("runs: a newcomer waits for the room of what the ledger has given up already") {
    ledger::World books(3);
    Machine machine;
    const AllocId old = books.run(sleeper("old", 600), {2}).front();
    machine.obey(books.ledger);
    REQUIRE(machine.was_started(old));

    // The peer was out of reach for long: its room counts as free, and is claimed anew.
    books.apply(ledger::PeerLost{PeerNumber{2}, ledger::World::start(2), ledger::World::boot(2)});
    books.pass(1min);
    books.run(sleeper("filler", 600), {1});
    ledger::Bundle stop = books.bundle("old");
    stop.deregistration = ledger::Deregister{};
    books.send(stop);
    books.apply(ledger::PeerBack{PeerNumber{2}, ledger::World::start(2), ledger::World::boot(2)});
    const AllocId big = books.run(sleeper("big", 600), {2}).front();
    const AllocId small = books.run(sleeper("small", 300), {2}).front();
    machine.obey(books.ledger);
    CHECK_FALSE(machine.was_started(big));
    CHECK(machine.was_started(small));
    machine.end(old);
    CHECK(machine.was_started(big));
}

TEST_CASE("runs: an allocation that was given up as lost says once that it is back") {
    ledger::World books(3);
    Machine machine;
    const AllocId id = books.run(sleeper("old", 600), {2}).front();
    machine.obey(books.ledger);
    books.report(id, ledger::ClientStatus::running);
    const auto said = [&] {
        const auto& events = machine.runs.runner().status(id)->tasks.at("t").events;
        return std::count_if(events.begin(), events.end(), [](const auto& event) {
            return event.type == allocrunner::EventType::reconnected;
        });
    };
    machine.obey(books.ledger);
    CHECK(said() == 0);
    for (int times = 1; times < 3; ++times) {
        books.apply(
            ledger::PeerLost{PeerNumber{2}, ledger::World::start(2), ledger::World::boot(2)});
        books.pass(1min);
        CHECK(books.alloc(id).client == ledger::ClientStatus::lost);
        books.apply(
            ledger::PeerBack{PeerNumber{2}, ledger::World::start(2), ledger::World::boot(2)});
        REQUIRE(books.alloc(id).client == ledger::ClientStatus::unknown);
        machine.obey(books.ledger);
        CHECK(said() == times);
        books.run(sleeper("other" + std::to_string(times), 10), {2});
        machine.obey(books.ledger);  // newer orders, before its report was heard
        CHECK(said() == times);
        books.report(id, ledger::ClientStatus::running);
        books.run(sleeper("more" + std::to_string(times), 10), {2});
        machine.obey(books.ledger);
        CHECK(said() == times);
    }
}

TEST_CASE("runs: without a disk nothing new begins, and what is ordered to stop stops") {
    ledger::World books(3);
    Machine machine;
    const AllocId old = books.run(sleeper("old"), {2}).front();
    machine.obey(books.ledger);
    REQUIRE(machine.was_started(old));
    machine.disk_works = false;
    ledger::Bundle stop = books.bundle("old");
    stop.deregistration = ledger::Deregister{};
    books.send(stop);
    const AllocId next = books.run(sleeper("next"), {2}).front();
    machine.obey(books.ledger);
    CHECK_FALSE(machine.was_started(next));
    CHECK(machine.runs.runner().order(old)->desired == allocrunner::Desired::stop);
}

}  // namespace gaggle::node
