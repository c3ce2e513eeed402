// The index says of any set of allocations what going through all of them would.
#include "allocrunner/alloc_index.h"

#include <doctest/doctest.h>

#include "base/rng.h"
#include "tests/allocrunner/fake_world.h"

namespace gaggle::allocrunner {

namespace {

using Standings = std::map<AllocId, AllocIndex::Standing>;

TimePoint second(std::uint64_t number) { return TimePoint(Duration(number * 1'000'000)); }

AllocIndex::Standing any_standing(Rng& rng) {
    AllocIndex::Standing out;
    if (rng.chance(0.5)) out.due = second(rng.below(10));
    if (rng.chance(0.3)) out.finished = second(rng.below(10));
    if (rng.chance(0.3)) out.awaits = alloc_id(static_cast<int>(rng.below(8)));
    out.waiting = rng.chance(0.3);
    out.live = rng.chance(0.7);
    return out;
}

void check_same(const AllocIndex& index, const Standings& all) {
    std::set<AllocId> waiting, live, due, awaited;
    AllocIndex::ByTime finished;
    std::optional<TimePoint> next;
    for (const auto& [id, standing] : all) {
        if (standing.waiting) waiting.insert(id);
        if (standing.live) live.insert(id);
        if (standing.awaits) awaited.insert(*standing.awaits);
        if (standing.finished) finished.emplace(*standing.finished, id);
        if (!standing.due) continue;
        if (*standing.due <= second(5)) due.insert(id);
        next = next ? std::min(*next, *standing.due) : standing.due;
    }
    CHECK(index.waiting() == waiting);
    CHECK(index.live() == live);
    CHECK(index.finished() == finished);
    CHECK(index.next_due() == next);
    const std::vector<AllocId> now_due = index.due(second(5));
    CHECK(std::set<AllocId>(now_due.begin(), now_due.end()) == due);
    for (int number = 0; number < 8; ++number)
        CHECK(index.is_awaited(alloc_id(number)) == awaited.contains(alloc_id(number)));
}

}  // namespace

TEST_CASE("an index of allocations that come, change and go answers as a look at all of them") {
    Rng rng(11);
    AllocIndex index;
    Standings all;
    for (int step = 0; step < 2'000; ++step) {
        const AllocId id = alloc_id(static_cast<int>(rng.below(8)));
        if (rng.chance(0.2)) {
            index.erase(id);
            all.erase(id);
        } else {
            all[id] = any_standing(rng);
            index.update(id, all[id]);
        }
        check_same(index, all);
    }
}

}  // namespace gaggle::allocrunner
