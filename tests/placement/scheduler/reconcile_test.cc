// The scenarios of reference/nomad.md section 3 that are in scope, one test each.
#include "placement/scheduler/reconcile.h"

#include <doctest/doctest.h>

#include "tests/placement/scheduler/fixtures.h"

namespace gaggle {

namespace {

using fixtures::alloc;
using fixtures::allocs;
using fixtures::failed;
using fixtures::job;
using fixtures::Scene;
using Client = ExistingAlloc::Client;

GroupChanges changes_of(const PlanInput& input) {
    std::vector<const ExistingAlloc*> group;
    for (const ExistingAlloc& one : input.existing) group.push_back(&one);
    return reconcile(input, &input.job.groups.front(), group);
}

/// "keep=0,1 in_place= stop=2 missing=3:new,4:lost(4)", so that a test reads as one line.
std::string told(Scene& scene) {
    const PlanInput input = scene.input();
    const GroupChanges changes = changes_of(input);
    std::string keep, in_place, stops, missing;
    const auto add = [](std::string& list, const std::string& item) {
        list += (list.empty() ? "" : ",") + item;
    };
    for (const auto* one : changes.keep) add(keep, std::to_string(one->index));
    for (const auto* one : changes.in_place) add(in_place, std::to_string(one->index));
    for (const auto& one : changes.stops) add(stops, std::to_string(one.alloc.bytes.back() - 1));
    for (const auto& one : changes.missing)
        add(missing,
            std::to_string(one.index) + ":" + to_string(one.reason) +
                (one.previous == nullptr ? "" : "(" + std::to_string(one.previous->index) + ")"));
    return "keep=" + keep + " in_place=" + in_place + " stop=" + stops + " missing=" + missing;
}

}  // namespace

TEST_CASE("place: nothing exists") {
    Scene scene(job(3));
    CHECK(told(scene) == "keep= in_place= stop= missing=0:new,1:new,2:new");
}

TEST_CASE("place: some exist, the lowest vacant indexes are filled") {
    Scene scene(job(4));
    scene.existing = {alloc(1, 1), alloc(3, 2)};
    CHECK(told(scene) == "keep=1,3 in_place= stop= missing=0:new,2:new");
}

TEST_CASE("keep: all exist") {
    Scene scene(job(2));
    scene.existing = allocs(2);
    CHECK(told(scene) == "keep=0,1 in_place= stop= missing=");
}

TEST_CASE("scale down: partial, zero, and to where indexes have gaps") {
    Scene scene(job(2));
    scene.existing = allocs(4);
    CHECK(told(scene) == "keep=0,1 in_place= stop=3,2 missing=");
    scene.group().count = 0;
    CHECK(told(scene) == "keep= in_place= stop=3,2,1,0 missing=");
    scene.group().count = 2;
    scene.existing = {alloc(0, 1), alloc(5, 2)};
    CHECK(told(scene) ==
          "keep=0,5 in_place= stop= missing=");  // healthy ones are not moved for tidiness
}

TEST_CASE("scale down: duplicates of a slot go first, the newer version stays") {
    Scene scene(job(2));
    scene.changed();
    scene.existing = allocs(2);
    ExistingAlloc twin = alloc(1, 3, 1);
    twin.id = fixtures::id<AllocId>(10);
    scene.existing.push_back(twin);
    CHECK(told(scene) == "keep=1 in_place=0 stop=1 missing=");
}

TEST_CASE("in place: what a running task does not feel") {
    Scene scene(job(2));
    scene.existing = allocs(2);
    scene.changed().constraints = {{"${attr.kernel.name}", "=", "linux"}};
    scene.group().restart.attempts = 9;
    scene.group().disk.replicas = 2;
    scene.group().tasks.front().logs.files_max = 3;
    CHECK(told(scene) == "keep= in_place=0,1 stop= missing=");
}

TEST_CASE("in place: scaled up and down with a new version") {
    Scene scene(job(2));
    scene.existing = allocs(2);
    scene.changed();
    scene.group().count = 3;
    CHECK(told(scene) == "keep= in_place=0,1 stop= missing=2:new");
    scene.group().count = 1;
    CHECK(told(scene) == "keep= in_place=0 stop=1 missing=");
}

TEST_CASE("destructive: a changed task is replaced in its slot at once") {
    Scene scene(job(3));
    scene.existing = allocs(3);
    scene.changed();
    scene.group().tasks.front().config["command"] = {"/bin/true"};
    CHECK(told(scene) == "keep= in_place= stop= missing=0:update(0),1:update(1),2:update(2)");
    scene.group().count = 1;
    CHECK(told(scene) == "keep= in_place= stop=2,1 missing=0:update(0)");
    scene.group().count = 4;
    CHECK(told(scene) == "keep= in_place= stop= missing=0:update(0),1:update(1),2:update(2),3:new");
}

TEST_CASE("destructive: an allocation beyond the count moves to a slot that exists") {
    Scene scene(job(2));
    scene.existing = {alloc(0, 1), alloc(5, 2)};
    scene.changed();
    scene.group().tasks.front().user = "nobody";
    CHECK(told(scene) == "keep= in_place= stop=5 missing=0:update(0),1:update(5)");
}

TEST_CASE("destructive: a version that is no longer known counts as changed") {
    Scene scene(job(1));
    scene.existing = {alloc(0, 1, 7)};
    scene.version = 9;
    const PlanInput input = scene.input();
    const GroupChanges changes = changes_of(input);
    REQUIRE(changes.missing.size() == 1);
    CHECK(changes.why_destructive == "version 7 is no longer known");
}

TEST_CASE("removed group and stopped job: everything that runs stops") {
    Scene scene(job(2));
    scene.existing = allocs(3);
    scene.existing[2].client = Client::complete;
    scene.stopped = true;
    CHECK(told(scene) == "keep= in_place= stop=0,1 missing=");
    scene.stopped = false;
    const PlanInput input = scene.input();
    CHECK(reconcile(input, nullptr, {&input.existing[0]}).stops.size() == 1);
}

TEST_CASE("parameterized: nothing runs of the job itself, and what ran before stops") {
    Scene scene(job(2, JobType::batch));
    scene.existing = allocs(2);
    scene.changed().parameterized = Parameterized{};
    CHECK(told(scene) == "keep= in_place= stop=0,1 missing=");
    scene.existing.clear();
    CHECK(!scene.planned().changes());
    scene.now.parent = "template";  // one that was dispatched
    CHECK(told(scene) == "keep= in_place= stop= missing=0:new,1:new");
}

TEST_CASE("a stopping allocation leaves its slot at once") {
    Scene scene(job(1));
    scene.existing = allocs(1);
    scene.existing[0].desired = ExistingAlloc::Desired::stop;
    CHECK(told(scene) == "keep= in_place= stop= missing=0:new");
}

TEST_CASE("lost: replaced in its slot, with the same, a greater and a smaller count") {
    Scene scene(job(3));
    scene.existing = allocs(3);
    scene.existing[1].lost = true;
    CHECK(told(scene) == "keep=0,2 in_place= stop= missing=1:lost(1)");
    scene.group().count = 4;
    CHECK(told(scene) == "keep=0,2 in_place= stop= missing=1:lost(1),3:new");
    scene.group().count = 2;
    CHECK(told(scene) == "keep=0,2 in_place= stop=1 missing=");
    scene.existing[1].client = Client::lost;
    CHECK(told(scene) == "keep=0,2 in_place= stop= missing=");
}

TEST_CASE(
    "lost: not replaced when the job's disconnect block forbids it, or when it has a successor") {
    Scene scene(job(1));
    scene.existing = allocs(1);
    scene.existing[0].client = Client::lost;
    scene.group().disconnect = DisconnectStrategy{.replace = false};
    CHECK(told(scene) == "keep=0 in_place= stop= missing=");
    scene.group().disconnect.reset();
    scene.existing[0].replaced = true;
    CHECK(told(scene) == "keep= in_place= stop= missing=0:new");
}

TEST_CASE("an unknown allocation is left alone until its peer is declared lost") {
    Scene scene(job(1));
    scene.existing = allocs(1);
    scene.existing[0].client = Client::unknown;
    CHECK(told(scene) == "keep=0 in_place= stop= missing=");
}

TEST_CASE("drain: moved with the same count, stopped when not needed") {
    Scene scene(job(2));
    scene.existing = allocs(2);
    scene.existing[1].migrate = true;
    CHECK(told(scene) == "keep=0 in_place= stop= missing=1:migrate(1)");
    scene.group().count = 1;
    CHECK(told(scene) == "keep=0 in_place= stop=1 missing=");
}

TEST_CASE("batch: a completed allocation stays done on its version, also when its peer is lost") {
    Scene scene(job(2, JobType::batch));
    scene.existing = allocs(2);
    scene.existing[0].client = Client::complete;
    scene.existing[0].lost = true;
    scene.existing[1].client = Client::complete;
    scene.existing[1].desired = ExistingAlloc::Desired::stop;
    CHECK(told(scene) == "keep=0,1 in_place= stop= missing=");
}

TEST_CASE("batch: a new version runs what was completed or failed anew, and not what runs") {
    Scene scene(job(3, JobType::batch));
    scene.existing = allocs(3);
    scene.existing[0].client = Client::complete;
    scene.existing[1] = failed(scene.existing[1], scene.time);
    scene.changed();
    CHECK(told(scene) == "keep= in_place=2 stop= missing=0:new,1:new");
}

TEST_CASE("service: a completed allocation is replaced") {
    Scene scene(job(1));
    scene.existing = allocs(1);
    scene.existing[0].client = Client::complete;
    CHECK(told(scene) == "keep= in_place= stop= missing=0:new");
}

TEST_CASE("reschedule: now and later, and the wake-up for later") {
    Scene scene(job(3));
    scene.existing = allocs(3);
    scene.existing[0] = failed(scene.existing[0], scene.time - 31s);
    scene.existing[1] = failed(scene.existing[1], scene.time - 10s);
    CHECK(told(scene) == "keep=1,2 in_place= stop= missing=0:failed(0)");
    const PlanInput input = scene.input();
    const GroupChanges changes = changes_of(input);
    CHECK(changes.wake_up == scene.time + 20s);
    CHECK(changes.missing[0].reschedule_delay == Duration(30s));
    CHECK(changes.missing[0].failed_on == std::vector<PeerNumber>{{1}});
}

TEST_CASE("reschedule: those due within five seconds of the first share a wake-up") {
    Scene scene(job(3));
    scene.existing = allocs(3);
    scene.existing[0] = failed(scene.existing[0], scene.time - 10s);
    scene.existing[1] = failed(scene.existing[1], scene.time - 6s);
    scene.existing[2] = failed(scene.existing[2], scene.time - 1s);
    const PlanInput input = scene.input();
    CHECK(changes_of(input).wake_up == scene.time + 24s);
}

TEST_CASE("reschedule: batch has one attempt a day, then the failure stands") {
    Scene scene(job(1, JobType::batch));
    scene.existing = {failed(alloc(0, 1), scene.time - 6s)};
    CHECK(told(scene) == "keep= in_place= stop= missing=0:failed(0)");
    scene.existing[0].reschedules = {{scene.time - 1min, {2}, 5s}};
    CHECK(told(scene) == "keep=0 in_place= stop= missing=");
    const PlanInput input = scene.input();
    CHECK(!changes_of(input).wake_up);
}

TEST_CASE("reschedule: a desired stop or an existing successor is not rescheduled") {
    Scene scene(job(1));
    scene.existing = {failed(alloc(0, 1), scene.time - 1min), alloc(0, 2)};
    scene.existing[0].id = fixtures::id<AllocId>(9);
    scene.existing[0].replaced = true;
    CHECK(told(scene) == "keep=0 in_place= stop= missing=");
    scene.group().count = 0;
    scene.existing = {failed(alloc(0, 1), scene.time - 1min)};
    scene.existing[0].desired = ExistingAlloc::Desired::stop;
    CHECK(told(scene) == "keep= in_place= stop= missing=");
}

TEST_CASE("reschedule: a failure that no other peer would mend stands") {
    Scene scene(job(2));
    scene.existing = {failed(alloc(0, 1), scene.time - 1h), failed(alloc(1, 2), scene.time - 10s)};
    for (ExistingAlloc& one : scene.existing) one.for_good = true;
    CHECK(told(scene) == "keep=0,1 in_place= stop= missing=");
    const PlanInput input = scene.input();
    CHECK(!changes_of(input).wake_up);
    CHECK(changes_of(input).waiting.empty());
    scene.changed();
    scene.group().disk.size = {500};  // what was wrong with it may be right now
    CHECK(told(scene) == "keep= in_place= stop= missing=0:update(0),1:update(1)");
}

TEST_CASE("reschedule: whoever waits is named, whoever is final or due is not") {
    Scene scene(job(3));
    scene.existing = {failed(alloc(0, 1), scene.time - 1h), failed(alloc(1, 2), scene.time - 10s),
                      failed(alloc(2, 3), scene.time - 10s)};
    scene.existing[2].for_good = true;
    const PlanInput input = scene.input();
    CHECK(changes_of(input).waiting == std::vector<AllocId>{scene.existing[1].id});
    CHECK(scene.planned().waiting == std::vector<AllocId>{scene.existing[1].id});
}

TEST_CASE("reschedule: where earlier attempts failed is remembered along the chain") {
    Scene scene(job(1));
    scene.existing = {failed(alloc(0, 3), scene.time - 1h)};
    scene.existing[0].reschedules = {{scene.time - 5h, {1}, 30s}, {scene.time - 3h, {2}, 60s}};
    const PlanInput input = scene.input();
    const GroupChanges changes = changes_of(input);
    REQUIRE(changes.missing.size() == 1);
    CHECK(changes.missing[0].failed_on == std::vector<PeerNumber>{{1}, {2}, {3}});
}

TEST_CASE("reschedule: a changed task does not wait for the delay") {
    Scene scene(job(1));
    scene.existing = {failed(alloc(0, 1), scene.time)};
    scene.changed();
    scene.group().tasks.front().env["FIXED"] = "1";
    CHECK(told(scene) == "keep= in_place= stop= missing=0:update(0)");
}

TEST_CASE("a mistyped count costs neither memory nor time") {
    Scene scene(job(2'000'000'000));
    const PlanInput input = scene.input();
    const GroupChanges changes = changes_of(input);
    CHECK(changes.missing.size() == kMissingMax);
    CHECK(changes.beyond == 2'000'000'000 - static_cast<std::int64_t>(kMissingMax));
}

}  // namespace gaggle
