#include "allocrunner/shared_cores.h"

#include "allocrunner/alloc_dir.h"
#include "allocrunner/drivers/cores.h"
#include "allocrunner/drivers/spec_file.h"
#include "base/log.h"

namespace gaggle::allocrunner {

namespace {

/// The moves are a line of work of their own: no allocation has this id.
constexpr AllocId kMoves{};

}  // namespace

void SharedCores::on_started(const TaskLocation& at, const TaskSpec& spec) {
    if (spec.resources.cores > 0) return move_all();
    if (!is_reserved()) return;
    workers_.push(kMoves, [this, task = StartedTask{.at = at, .spec = spec, .pid = 0}] {
        if (const auto pool = cpu_pool(alloc_root_)) move(task, pool->shared);
    });
}

void SharedCores::on_cleared(const TaskSpec& spec) {
    if (spec.resources.cores > 0) move_all();
}

void SharedCores::on_scanned() {
    if (is_reserved()) move_all();
}

bool SharedCores::is_reserved() const {
    const auto pool = cpu_pool(alloc_root_);
    if (!pool) log::warn("share processors: {}", pool.error().detail);
    return pool && pool->reserved;
}

void SharedCores::move_all() {
    if (asked_.exchange(true)) return;
    workers_.push(kMoves, [this] {
        asked_ = false;
        const auto allocs = list_alloc_dirs(alloc_root_);
        if (!allocs) return log::warn("share processors: {}", allocs.error().detail);
        const auto pool = cpu_pool(alloc_root_);
        if (!pool) return log::warn("share processors: {}", pool.error().detail);
        for (const AllocId& alloc : *allocs) {
            const std::string id = to_string(alloc);
            for (const StartedTask& task : all_started(id, alloc_root_ + "/" + id))
                if (task.pid > 0 && task.spec.resources.cores <= 0) move(task, pool->shared);
        }
    });
}

void SharedCores::move(const StartedTask& task, const std::string& cpus) {
    Driver* driver = drivers_.find(task.spec.driver);
    if (driver == nullptr) return;
    const Result<void> moved = driver->confine(task, cpus);
    if (!moved.ok() && moved.error().code != Errc::not_found)
        log::warn("allocation {}, task {}: {}", task.at.alloc, task.at.task, moved.error().detail);
}

}  // namespace gaggle::allocrunner
