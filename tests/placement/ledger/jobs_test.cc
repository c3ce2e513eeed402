// Jobs: versions, status, what is opened, what is forgotten.
#include "tests/placement/ledger/world.h"

namespace gaggle::ledger {

namespace {

const JobRecord& job(World& world, const std::string& id) {
    return *world.ledger.job({"default", id});
}

BundleAnswer submit(World& world, const Job& what, std::optional<LogIndex> check = std::nullopt) {
    Bundle bundle = world.bundle(what.id);
    bundle.registration = RegisterJob{what, check};
    bundle.end = EvalEnd{};
    return world.send(bundle);
}

BundleAnswer stop(World& world, const std::string& id, Deregister how = {}) {
    Bundle bundle = world.bundle(id);
    bundle.deregistration = how;
    return world.send(bundle);
}

}  // namespace

TEST_CASE("registering again makes a version only when something changed") {
    World world(1);
    CHECK(submit(world, job_named("web", 1)).job_version == 0);
    const LogIndex registered = job(world, "web").job_modify_index;
    CHECK(submit(world, job_named("web", 1)).job_modify_index == registered);
    CHECK(submit(world, job_named("web", 2)).job_version == 1);
    for (int count = 3; count < 12; ++count) submit(world, job_named("web", count));
    CHECK(job(world, "web").versions.size() == 6);
    CHECK(job(world, "web").current().version == 10);
}

TEST_CASE("check-and-set answers in the words that Nomad's command line reads") {
    World world(1);
    CHECK(submit(world, job_named("web", 1), LogIndex{5}).why ==
          "Enforcing job modify index 5: job does not exist");
    const BundleAnswer made = submit(world, job_named("web", 1), LogIndex{0});
    CHECK(made.outcome == BundleAnswer::Outcome::applied);
    const std::string index = std::to_string(made.job_modify_index.value);
    CHECK(submit(world, job_named("web", 2), LogIndex{0}).why ==
          "Enforcing job modify index 0: job already exists");
    CHECK(submit(world, job_named("web", 2), LogIndex{1}).why ==
          "Enforcing job modify index 1: job exists with conflicting job modify index: " + index);
    CHECK(submit(world, job_named("web", 2), made.job_modify_index).job_version == 1);
}

TEST_CASE("a job that the books cannot take is refused whole") {
    World world(1);
    Job twice = job_named("web", 1);
    twice.groups.push_back(twice.groups[0]);
    Job huge = job_named("web", 1);
    huge.groups[0].tasks[0].resources.memory.value = std::numeric_limits<std::int64_t>::max();
    Job negative = job_named("web", -1);
    Job empty = job_named("web", 1);
    empty.groups.clear();
    Job other = job_named("other", 1);
    for (const Job& bad : {twice, huge, negative, empty, other}) {
        Bundle bundle = world.bundle("web");
        bundle.registration = RegisterJob{bad, std::nullopt};
        const BundleAnswer answer = world.send(bundle);
        CHECK(answer.outcome == BundleAnswer::Outcome::refused);
        CHECK(!answer.why.empty());
        CHECK(world.ledger.eval(bundle.eval) == nullptr);
    }
    CHECK(world.ledger.jobs().empty());
}

TEST_CASE("status and summary follow the allocations") {
    World world(1);
    const auto ids = world.run(job_named("web", 3), {1, 1, 1});
    CHECK(job(world, "web").status == JobStatus::running);
    CHECK(job(world, "web").summary.at("g") == GroupSummary{.starting = 3});
    world.report(ids[0], ClientStatus::running);
    world.report(ids[1], ClientStatus::complete);
    world.report(ids[2], ClientStatus::failed);
    CHECK(job(world, "web").summary.at("g") ==
          GroupSummary{.complete = 1, .failed = 1, .running = 1});
    CHECK(world.ledger.table_index(Table::jobs) == world.index);
    world.report(ids[0], ClientStatus::complete);
    CHECK(job(world, "web").status == JobStatus::pending);  // the failed one left an evaluation
    const EvalRecord* eval = world.eval("web", Trigger::alloc_failure, EvalStatus::pending);
    REQUIRE(eval != nullptr);
    world.end(eval->id, {});
    CHECK(job(world, "web").status == JobStatus::dead);
    const LogIndex before = world.ledger.table_index(Table::jobs);
    world.pass(1s);
    CHECK(world.ledger.table_index(Table::jobs) == before);
}

TEST_CASE("who waits for a shutdown delay is told to wait no longer") {
    const auto told = [](World& world) {
        for (const AllocRecord& alloc : world.ledger.orders_for(PeerNumber{1}).allocs)
            if (!alloc.no_shutdown_delay) return false;
        return true;
    };
    World world(2);
    const AllocId id = world.run(job_named("web", 1), {1}).front();
    world.report(id, ClientStatus::running);
    stop(world, "web");
    CHECK(world.alloc(id).desired == Desired::stop);
    CHECK_FALSE(told(world));
    const LogIndex before = world.ledger.orders_for(PeerNumber{1}).change_index;
    SUBCASE("by its job") { stop(world, "web", {.no_shutdown_delay = true}); }
    SUBCASE("by itself") { world.apply(StopAlloc{.alloc = id, .no_shutdown_delay = true}); }
    CHECK(told(world));
    CHECK(world.ledger.orders_for(PeerNumber{1}).change_index > before);
    world.apply(StopAlloc{.alloc = id});
    CHECK(told(world));  // who asks later without the option takes nothing back
}

TEST_CASE("stopping an allocation marks it and makes an evaluation; its successor stops it") {
    World world(2);
    const AllocId id = world.run(job_named("web", 1), {1}).front();
    world.report(id, ClientStatus::running);
    const Applied asked = world.apply(StopAlloc{.alloc = id, .no_shutdown_delay = true});
    REQUIRE(asked.eval);
    const EvalRecord* eval = world.ledger.eval(*asked.eval);
    CHECK(eval->trigger == Trigger::alloc_stop);
    CHECK(eval->workable());
    CHECK(asked.evaluations == std::vector<EvalId>{*asked.eval});
    CHECK(world.alloc(id).migrate);
    CHECK(world.alloc(id).no_shutdown_delay);
    CHECK(world.alloc(id).desired == Desired::run);  // until somebody takes over

    Bundle bundle = world.bundle("web");
    bundle.eval = *asked.eval;
    bundle.claims = {world.claim(0, {2})};
    bundle.claims[0].job_version = 0;
    bundle.claims[0].replaces = id;
    bundle.end = EvalEnd{};
    REQUIRE(accepted(world.send(bundle).verdicts.at(0)));
    CHECK(world.alloc(id).desired == Desired::stop);
    CHECK(world.alloc(id).next == bundle.claims[0].alloc);
    CHECK(world.alloc(bundle.claims[0].alloc).previous == id);
    CHECK(!world.alloc(bundle.claims[0].alloc).migrate);
    CHECK(world.alloc(bundle.claims[0].alloc).reschedules.empty());
    CHECK(world.ledger.eval(*asked.eval)->status == EvalStatus::complete);
}

TEST_CASE("stopping what is not there is refused, what has ended is left alone") {
    World world(1);
    CHECK(world.apply(StopAlloc{random_id<AllocId>(world.rng)}).why == "alloc not found");
    const AllocId id = world.run(job_named("web", 1), {1}).front();
    world.report(id, ClientStatus::complete);
    const Applied asked = world.apply(StopAlloc{id});
    CHECK(asked.eval.has_value());
    CHECK(!world.alloc(id).migrate);
}

TEST_CASE("stopping a job stops its allocations, makes claims stale and ends its evaluations") {
    World world(1);
    const AllocId id = world.run(job_named("web", 2), {1}).front();
    world.end_with_queued(1, world.index);
    const BundleAnswer answer = stop(world, "web");
    CHECK(answer.job_version == 1);
    CHECK(world.ledger.eval(answer.eval)->status == EvalStatus::complete);
    CHECK(world.ledger.eval(answer.eval)->trigger == Trigger::job_deregister);
    CHECK(world.eval("web", Trigger::queued_allocs, EvalStatus::canceled) != nullptr);
    CHECK(world.alloc(id).desired == Desired::stop);
    CHECK(world.peer(1).books.used.cpu == MegaHertz{100});
    world.report(id, ClientStatus::failed);  // no longer wanted: no evaluation
    CHECK(world.eval("web", Trigger::alloc_failure, EvalStatus::pending) == nullptr);
    CHECK(job(world, "web").status == JobStatus::dead);
    CHECK(job(world, "web").summary.at("g").queued == 0);
    CHECK(stop(world, "nobody").why == "job not found");
    CHECK(submit(world, job_named("web", 2)).job_version == 2);

    // Its slot remembers where it lived.
    CHECK(world.slot("web", 0).last == id);
    CHECK(world.slot("web", 0).peers == std::vector<PeerNumber>{{1}});
}

TEST_CASE("what had failed or was done when its job was stopped is no part of the next run") {
    World world(1);
    const auto ids = world.run(job_named("web", 2), {1, 1});
    world.report(ids[0], ClientStatus::failed);
    world.report(ids[1], ClientStatus::complete);
    stop(world, "web");
    CHECK(world.alloc(ids[0]).desired == Desired::stop);  // the planner leaves it out
    CHECK(world.alloc(ids[0]).client == ClientStatus::failed);
    CHECK(world.alloc(ids[1]).desired == Desired::run);
}

TEST_CASE("what is finished is forgotten with age, and at once when asked") {
    World world(1);
    const auto ids = world.run(job_named("web", 2), {1, 1});
    Bundle bundle = world.bundle("web");
    bundle.stops.push_back({ids[0], "moved"});
    bundle.claims.push_back(world.claim(0, {1}));
    bundle.claims[0].job_version = 0;
    bundle.end = EvalEnd{};
    world.send(bundle);
    world.report(ids[0], ClientStatus::complete);
    world.report(ids[1], ClientStatus::complete);
    world.pass(30min);
    CHECK(world.ledger.alloc(ids[0]) != nullptr);
    world.pass(31min);
    CHECK(world.ledger.alloc(ids[0]) == nullptr);
    CHECK(world.ledger.alloc(ids[1]) != nullptr);  // the last of its slot tells that it is complete
    CHECK(world.ledger.evals().empty());

    world.apply(OpenSession{world.session, PeerNumber{1}});  // it ended in the meantime
    world.run(job_named("gone", 1), {});
    stop(world, "gone", {.purge = true});
    CHECK(job(world, "gone").purged);
    CHECK(submit(world, job_named("gone", 1), LogIndex{0}).outcome ==
          BundleAnswer::Outcome::applied);
    stop(world, "gone", {.purge = true});
    world.apply(Collect{});
    CHECK(world.ledger.job({"default", "gone"}) == nullptr);
    CHECK(world.ledger.job({"default", "web"}) != nullptr);
}

TEST_CASE("a parameterized job waits for its next dispatch, and its dead children are forgotten") {
    World world(1);
    Job parent = job_named("report", 1);
    parent.type = JobType::batch;
    parent.parameterized = Parameterized{};
    submit(world, parent);
    CHECK(job(world, "report").status == JobStatus::running);
    Job child = parent;
    child.id = child.name = "report/dispatch-1";
    child.parent = "report";
    const AllocId id = world.run(child, {1}).front();
    world.report(id, ClientStatus::complete);
    CHECK(job(world, child.id).status == JobStatus::dead);
    world.pass(2h);
    CHECK(world.ledger.alloc(id) != nullptr);  // it says what became of the job
    world.pass(3h);
    world.pass(2min);
    CHECK(world.ledger.job({"default", child.id}) == nullptr);
    CHECK(world.ledger.alloc(id) == nullptr);
    CHECK(world.ledger.job({"default", "report"}) != nullptr);
    world.apply(OpenSession{world.session, PeerNumber{1}});  // it ended in the meantime
    stop(world, "report");
    CHECK(job(world, "report").status == JobStatus::dead);
}

TEST_CASE("a batch job that is done is forgotten four hours later with all of it, or when asked") {
    World world(1);
    Job batch = job_named("sums", 1);
    batch.type = JobType::batch;
    const AllocId id = world.run(batch, {1}).front();
    world.report(id, ClientStatus::complete);
    CHECK(job(world, "sums").status == JobStatus::dead);
    world.pass(3h);
    CHECK(world.ledger.alloc(id) != nullptr);  // it must not run again
    SUBCASE("with age") { world.pass(61min); }
    SUBCASE("when asked") {
        const Applied out = world.apply(Collect{});
        CHECK(out.orders_changed == std::set<PeerNumber>{{1}});
        CHECK(world.ledger.orders_for(PeerNumber{1}).collected == out.index);
    }
    CHECK(world.ledger.alloc(id) == nullptr);
    CHECK(world.ledger.job({"default", "sums"}) == nullptr);
    CHECK(world.ledger.slots().empty());
}

TEST_CASE("one entry forgets so many records and no more; the next ones go on") {
    World world(1);
    Job many = job_named("many", 6'000, 0);
    many.groups[0].disk.size = many.groups[0].tasks[0].resources.memory = MegaBytes{0};
    Reports reports{PeerNumber{1}, {}};
    for (std::uint32_t part = 0; part < 2; ++part) {
        Bundle bundle = world.bundle("many");
        if (part == 0) bundle.registration = RegisterJob{many, {}};
        for (std::uint32_t at = 0; at < 3'000; ++at) {
            bundle.claims.push_back(world.claim(part * 3'000 + at, {1}));
            if (part > 0) bundle.claims.back().job_version = 0;
            reports.reports.push_back(
                {.alloc = bundle.claims.back().alloc, .client = ClientStatus::complete});
        }
        world.send(bundle);
    }
    REQUIRE(world.ledger.allocs().size() == 6'000);
    stop(world, "many", {.purge = true});
    world.apply(reports);
    world.apply(Collect{});
    CHECK(world.ledger.allocs().size() == 6'000 - 4'096);
    REQUIRE(world.ledger.next_deadline().has_value());
    CHECK(*world.ledger.next_deadline() <= world.ledger.time());
    world.apply(Advance{});
    CHECK(world.ledger.allocs().empty());
    CHECK(world.ledger.jobs().empty());
    CHECK(!world.ledger.next_deadline().has_value());
}

TEST_CASE("a failure for good is on the books, and only with a failure") {
    World world(1);
    const auto ids = world.run(job_named("web", 2), {1, 1});
    const auto report = [&](const AllocId& id, ClientStatus client) {
        world.apply(Reports{PeerNumber{1}, {{.alloc = id, .client = client, .for_good = true}}});
    };
    report(ids[0], ClientStatus::failed);
    report(ids[1], ClientStatus::running);
    CHECK(world.alloc(ids[0]).for_good);
    CHECK(!world.alloc(ids[1]).for_good);
}

TEST_CASE("an allocation changes version in place only when it asks for the same") {
    World world(1);
    const AllocId id = world.run(job_named("web", 1), {1}).front();
    Bundle scale = world.bundle("web");
    scale.registration = RegisterJob{job_named("web", 2), std::nullopt};
    scale.in_place = {id};
    world.send(scale);
    CHECK(world.alloc(id).job_version == 1);
    Bundle grow = world.bundle("web");
    grow.registration = RegisterJob{job_named("web", 2, 500), std::nullopt};
    grow.in_place = {id};
    world.send(grow);
    CHECK(world.alloc(id).job_version == 1);
    CHECK(world.ledger.job_version({"default", "web"}, 1) != nullptr);
}

TEST_CASE("a system job is looked at again when a peer joins") {
    World world(1);
    Job everywhere = job_named("sys", 1);
    everywhere.type = JobType::system;
    submit(world, everywhere);
    CHECK(job(world, "sys").status == JobStatus::running);
    world.apply(Admit{newcomer("new"), {.serial = World::serial(1)}});
    const Applied out = world.apply(World::offer(2));
    REQUIRE(out.evaluations.size() == 1);
    CHECK(world.ledger.eval(out.evaluations[0])->peer == PeerNumber{2});
}

}  // namespace gaggle::ledger
