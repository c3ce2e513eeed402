// Evaluations: who works on one, what waits, what wakes it, and which plan comes too late.
#include "placement/ledger/bounds.h"
#include "tests/placement/ledger/world.h"

namespace gaggle::ledger {

namespace {

const JobRecord& web(World& world) { return *world.ledger.job({"default", "web"}); }

}  // namespace

TEST_CASE("what found no place waits, wakes when room is made, and is not forgotten in between") {
    World world(2);
    const AllocId other = world.run(job_named("big", 1, 900), {1}).front();
    world.run(job_named("web", 3), {});
    const EvalId first = world.end_with_queued(2, world.index);
    const EvalRecord* rest = world.eval("web", Trigger::queued_allocs, EvalStatus::blocked);
    REQUIRE(rest != nullptr);
    CHECK(world.ledger.eval(first)->blocked == rest->id);
    CHECK(rest->previous == first);
    CHECK(web(world).summary.at("g").queued == 2);
    CHECK(web(world).status == JobStatus::pending);

    const EvalId id = rest->id;
    const LogIndex before = world.index;
    const Applied out = world.report(other, ClientStatus::complete);
    CHECK(out.evaluations == std::vector<EvalId>{id});
    // Planned before that room was made: it would sleep through what it waits for.
    CHECK(world.end(id, {.queued = {{"g", 1}}}, before).outcome == BundleAnswer::Outcome::stale);
    CHECK(world.ledger.eval(id)->status == EvalStatus::pending);
    world.end(id, {.queued = {{"g", 1}}}, world.index);
    CHECK(world.ledger.eval(id)->status == EvalStatus::blocked);
    world.end_with_queued(0, world.index);
    CHECK(world.ledger.eval(id)->status == EvalStatus::canceled);
    CHECK(web(world).summary.at("g").queued == 0);
}

TEST_CASE("room made while a planner looks is not slept through") {
    World world(2);
    const AllocId other = world.run(job_named("big", 1, 900), {1}).front();
    world.run(job_named("web", 3), {});
    const EvalId first = world.end_with_queued(2, world.index);
    const EvalId waits = world.ledger.eval(first)->blocked.value();
    const LogIndex before = world.index;
    world.report(other, ClientStatus::complete);
    const EvalId second = world.end_with_queued(2, before);
    CHECK(world.ledger.eval(waits)->status == EvalStatus::pending);
    const EvalId next = world.ledger.eval(second)->blocked.value();
    CHECK(world.ledger.eval(next)->status == EvalStatus::pending);
}

TEST_CASE("what waits for room is looked at again: a plan may have known too little") {
    World world(2);
    const AllocId other = world.run(job_named("big", 1, 900), {1}).front();
    world.run(job_named("web", 1), {});
    const EvalId rest =
        world.ledger.eval(world.end_with_queued(1, world.index))->blocked.value();
    const auto status = [&] { return world.ledger.eval(rest)->status; };
    for (const Duration wait : {kBlockedReviewMin, 2 * kBlockedReviewMin, 4 * kBlockedReviewMin}) {
        CHECK(world.ledger.next_deadline() == later(world.now, wait));
        world.pass(wait - 1s);
        CHECK(status() == EvalStatus::blocked);
        CHECK(world.pass(1s).evaluations == std::vector<EvalId>{rest});
        world.end(rest, {.queued = {{"g", 1}}}, world.index);
        REQUIRE(status() == EvalStatus::blocked);
    }
    world.report(other, ClientStatus::complete);  // room: it begins anew
    world.end(rest, {.queued = {{"g", 1}}}, world.index);
    CHECK(world.ledger.next_deadline() == later(world.now, kBlockedReviewMin));
    world.pass(kBlockedReviewMin);
    world.end(rest, {}, world.index);
    CHECK(status() == EvalStatus::complete);
    CHECK(!world.ledger.next_deadline());
}

TEST_CASE("a plan made before what its evaluation is for ends nothing") {
    using Outcome = BundleAnswer::Outcome;
    World world(1);
    const auto ids = world.run(job_named("web", 2), {1, 1});
    const LogIndex before = world.index;
    world.report(ids[0], ClientStatus::failed);
    const LogIndex first = world.index;
    const EvalId eval = world.eval("web", Trigger::alloc_failure, EvalStatus::pending)->id;
    world.report(ids[1], ClientStatus::failed);
    REQUIRE(!world.apply(EvalTaken{eval, PeerNumber{1}, 20s}).refused);
    for (const LogIndex old : {before, first}) {  // neither saw both failures
        const BundleAnswer answer = world.end(eval, {}, old);
        CHECK(answer.outcome == Outcome::stale);
        CHECK(answer.why.find("index " + std::to_string(old.value)) != std::string::npos);
        CHECK(world.ledger.eval(eval)->status == EvalStatus::pending);
        CHECK(world.ledger.eval(eval)->taken_by == PeerNumber{1});
    }
    CHECK(world.end(eval, {}, world.ledger.eval(eval)->since).outcome == Outcome::applied);
    CHECK(world.ledger.eval(eval)->status == EvalStatus::complete);
}

TEST_CASE("a plan made before its job was changed stops nothing") {
    World world(1);
    const auto ids = world.run(job_named("web", 2), {1, 1});
    Bundle smaller = world.bundle("web");
    smaller.planned_at = world.index;
    smaller.stops = {{.alloc = ids[1], .reason = "the job wants one less"}};
    smaller.end = EvalEnd{};
    world.run(job_named("web", 3), {});
    CHECK(world.send(smaller).outcome == BundleAnswer::Outcome::stale);
    CHECK(world.alloc(ids[1]).desired == Desired::run);
    CHECK(world.ledger.eval(smaller.eval) == nullptr);
    // The same words are no change.
    Bundle again = world.bundle("web");
    again.planned_at = world.index;
    again.registration = RegisterJob{job_named("web", 3), std::nullopt};
    world.run(job_named("web", 3), {});
    CHECK(world.send(again).outcome == BundleAnswer::Outcome::applied);
}

TEST_CASE("one peer at a time works on an evaluation, for as long as its lease") {
    World world(3);
    world.run(job_named("web", 1), {});
    Bundle bundle = world.bundle("web");
    bundle.opens = Trigger::alloc_stop;
    CHECK(world.apply(Bundles{{bundle}}).evaluations == std::vector<EvalId>{bundle.eval});
    const auto take = [&](std::uint32_t peer) {
        return world.apply(EvalTaken{bundle.eval, PeerNumber{peer}, 20s}).refused;
    };
    CHECK(!take(2));
    CHECK(take(3));
    CHECK(!take(2));
    CHECK(world.ledger.workable().empty());
    CHECK(world.pass(20s).evaluations == std::vector<EvalId>{bundle.eval});
    CHECK(!take(3));
    world.apply(world.lost(3));  // and not longer than its peer is there
    CHECK(world.ledger.workable().contains(bundle.eval));
    CHECK(take(3));
}

TEST_CASE("a failed allocation can be looked at later, in one evaluation however many failed") {
    World world(1);
    const auto ids = world.run(job_named("web", 2), {1, 1});
    world.report(ids[0], ClientStatus::failed);
    const EvalId first = world.eval("web", Trigger::alloc_failure, EvalStatus::pending)->id;
    world.report(ids[1], ClientStatus::failed);
    CHECK(world.ledger.workable() == std::set<EvalId>{first});  // who takes it will see both
    world.end(first, {.follow_up_after = 30s, .waiting = {ids[0], AllocId{}}});
    const EvalId later = world.ledger.eval(first)->next.value();
    CHECK(world.alloc(ids[0]).follow_up == later);
    CHECK(!world.alloc(ids[1]).follow_up);
    CHECK(world.ledger.workable().empty());
    CHECK(world.apply(EvalTaken{later, PeerNumber{1}, 1s}).refused);
    Bundle bundle = world.bundle("web");
    bundle.end = EvalEnd{.follow_up_after = 5s, .waiting = ids};
    world.send(bundle);
    CHECK(world.alloc(ids[1]).follow_up == later);
    CHECK(world.ledger.eval(bundle.eval)->next == later);  // moved forward, not doubled
    CHECK(world.pass(5s).evaluations == std::vector<EvalId>{later});

    Bundle again = world.bundle("web");
    again.eval = later;
    again.claims.push_back(world.claim(0, {1}));
    again.claims[0].job_version = 0;
    again.claims[0].replaces = ids[0];
    again.claims[0].reschedule_delay = 5s;
    again.end = EvalEnd{};
    REQUIRE(accepted(world.send(again).verdicts[0]));
    const auto& chain = world.alloc(again.claims[0].alloc).reschedules;
    REQUIRE(chain.size() == 1);
    CHECK(chain[0].previous == ids[0]);
    CHECK(chain[0].delay == 5s);
    CHECK(world.ledger.eval(later)->status == EvalStatus::complete);
}

}  // namespace gaggle::ledger
