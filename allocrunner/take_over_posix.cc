#include <algorithm>
#include <chrono>

#include "allocrunner/alloc_dir.h"
#include "allocrunner/network/alloc_networks.h"
#include "allocrunner/take_over.h"
#include "base/log.h"
#include "base/wire.h"

namespace gaggle::allocrunner {

namespace {

constexpr Duration kAdoptionPatience = 1s;

/// A task whose supervisor was asked how it is.
struct CalledTask {
    TaskPlace place;
    ShimCall call;
};

/// Asks all supervisors that may be there, so that they answer while others are asked.
void call_tasks(const std::string& dir, const FoundAlloc& alloc, std::vector<CalledTask>& out) {
    std::vector<std::string> tasks = started_tasks(dir);
    if (alloc.order)
        for (const Task& task : alloc.order->group.tasks)
            if (std::find(tasks.begin(), tasks.end(), task.name) == tasks.end())
                tasks.push_back(task.name);
    for (const std::string& task : tasks)
        out.push_back({{alloc.alloc, dir, task}, call_shim(dir, task)});
}

/// `vanished` gets what is known of a task without a supervisor.
std::optional<FoundTask> adopt(const TakeOver& hands, CalledTask& called, Duration patience,
                               std::vector<shim::Record>& vanished) {
    auto& [place, call] = called;
    std::optional<shim::Record> record;
    if (call.reach == ShimReach::reached) record = hear_shim(call, patience);
    const bool heard = record.has_value();
    if (!heard) record = read_record(place.alloc_dir, place.task);
    // While a shim starts its task it answers nothing, and the record is that of the run before.
    const bool newest = heard || call.reach == ShimReach::gone;
    if (record && newest && record->state == shim::RecordState::exited)
        return FoundTask{place.task, record->run, record->pid, {record->started}, exit_of(*record)};
    if (call.reach == ShimReach::gone) {
        if (record) vanished.push_back(*record);
        hands.task_vanished(place);
        return std::nullopt;
    }
    if (!heard)
        log::warn(
            "allocation {}: the supervisor of task {} does not answer; the task is taken to "
            "run on",
            to_string(place.alloc), place.task);
    if (!record) record.emplace();  // nothing is known: run 0
    FoundTask found{place.task, record->run, record->pid, {record->started}, {}, heard};
    hands.links.watch(place, std::move(call), *record, heard);
    return found;
}

FoundAlloc read_alloc(const std::string& dir, const AllocId& alloc) {
    FoundAlloc found{.alloc = alloc,
                     .order = {},
                     .state = {},
                     .tasks = {},
                     .network = AllocNetworks::recorded(dir)};
    Result<Bytes> bytes = load_sealed(dir, SealedFile::order);
    Result<Order> order = bytes ? decode<Order>(*bytes, "order", {.bytes = 16U << 20U})
                                : Result<Order>(bytes.error());
    if (order) {
        found.order = std::move(*order);
    } else {
        log::error("allocation {}: {}; its tasks run on until an order for it arrives",
                   to_string(alloc), order.error().detail);
    }
    Result<Bytes> state = load_sealed(dir, SealedFile::state);
    if (state)
        found.state = std::move(*state);
    else if (state.error().code != Errc::not_found)
        log::error("allocation {}: {}; its history of restarts is lost", to_string(alloc),
                   state.error().detail);
    return found;
}

}  // namespace

Recovered take_over(const TakeOver& hands) {
    Recovered out;
    const auto found = list_alloc_dirs(hands.alloc_root);
    if (!found) log::error("look for allocations: {}", found.error().detail);
    if (!found) return out;
    std::vector<CalledTask> called;
    for (const AllocId& alloc : *found) {
        const std::string dir = hands.alloc_root + "/" + to_string(alloc);
        out.allocs.push_back(read_alloc(dir, alloc));
        if (out.allocs.back().order) hands.order_found(*out.allocs.back().order);
        call_tasks(dir, out.allocs.back(), called);
    }
    const auto deadline = std::chrono::steady_clock::now() + kAdoptionPatience;
    auto alloc = out.allocs.begin();
    std::vector<shim::Record> vanished;
    for (CalledTask& one : called) {
        while (alloc->alloc != one.place.alloc) ++alloc;  // both are in the same order
        const auto left =
            std::chrono::duration_cast<Duration>(deadline - std::chrono::steady_clock::now());
        auto task = adopt(hands, one, std::max<Duration>(left, 0s), vanished);
        if (!task) continue;
        if (!task->exit) hands.task_lives(alloc->alloc);
        alloc->tasks.push_back(std::move(*task));
    }
    kill_left_behind(vanished);
    return out;
}

}  // namespace gaggle::allocrunner
