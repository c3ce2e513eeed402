// Small jobs, peers and allocations for the scheduler's tests.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "placement/scheduler/plan.h"

namespace gaggle::fixtures {

template <class Any>
Any id(std::uint8_t last) {
    Any made;
    made.bytes.back() = last;
    return made;
}

inline PeerView peer(std::uint32_t number, Amounts total = {{4000}, {8000}, {50000}}) {
    PeerView made{.number = {number}, .id = id<PeerId>(static_cast<std::uint8_t>(number))};
    made.description.name = "peer-" + std::to_string(number);
    made.description.attributes = {{"kernel.name", "linux"}, {"cpu.numcores", "4"}};
    made.books.offer = {.total = total, .drivers = {"exec", "raw_exec"}};
    return made;
}

inline View view_of(std::vector<PeerView> peers) {
    View view;
    for (auto& one : peers) view.put(std::move(one));
    return view;
}

inline View alike(std::uint32_t peers) {
    View view;
    for (std::uint32_t number = 1; number <= peers; ++number) view.put(peer(number));
    return view;
}

inline Job job(std::int64_t count, JobType type = JobType::service) {
    Task task{.name = "web", .driver = "raw_exec"};
    task.resources = {.cpu = {500}, .memory = {256}};
    TaskGroup group{.name = "cache", .count = count, .tasks = {task}};
    group.disk.size = {100};
    if (type == JobType::batch)
        group.reschedule = {.attempts = 1, .interval = 24h, .delay = 5s, .unlimited = false};
    return {.id = "redis", .name = "redis", .type = type, .groups = {group}};
}

inline ExistingAlloc alloc(std::uint32_t index, std::uint32_t peer_number,
                           std::uint64_t version = 0) {
    return {.id = id<AllocId>(static_cast<std::uint8_t>(index + 1)),
            .group = "cache",
            .index = index,
            .peer = {peer_number},
            .job_version = version,
            .client = ExistingAlloc::Client::running};
}

/// Indexes 0 to count - 1, each on the peer of the next number.
inline std::vector<ExistingAlloc> allocs(std::uint32_t count) {
    std::vector<ExistingAlloc> made;
    for (std::uint32_t index = 0; index < count; ++index) made.push_back(alloc(index, index + 1));
    return made;
}

inline ExistingAlloc failed(ExistingAlloc one, LogTime at) {
    one.client = ExistingAlloc::Client::failed;
    one.failed_at = at;
    return one;
}

/// Owns what a PlanInput only refers to.
struct Scene {
    Job now;
    Job before = now;  ///< version 0; `now` is version 1 once changed() was called
    View view = alike(3);
    std::vector<ExistingAlloc> existing;
    std::map<GroupSlot, std::map<PeerNumber, double>> holders;
    std::map<GroupSlot, PeerNumber> previous;
    std::vector<SlotRefusal> refusals;
    std::uint64_t version = 0;
    bool stopped = false;
    LogTime time{1h};
    Rng rng{1};

    explicit Scene(Job job) : now(std::move(job)) {}

    TaskGroup& group() { return now.groups.front(); }
    /// From here on the job is version 1; what was so far is version 0.
    Job& changed() {
        version = 1;
        return now;
    }
    PlanInput input() {
        return {.job = now,
                .version = version,
                .stopped = stopped,
                .existing = existing,
                .versions = {{0, version == 0 ? &now : &before}},
                .view = view,
                .holders = holders,
                .previous = previous,
                .refusals = refusals,
                .now = time,
                .rng = rng};
    }
    Plan planned() { return plan(input()); }
};

}  // namespace gaggle::fixtures
