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
    {
        const std::lock_guard lock(mutex_);
        members_[{at.alloc, at.task}] = {
            std::make_shared<StartedTask>(StartedTask{.at = at, .spec = spec, .pid = 0}), {}};
    }
    if (is_reserved()) move_all();
}

void SharedCores::on_cleared(const TaskLocation& at, const TaskSpec& spec) {
    if (spec.resources.cores > 0) return move_all();
    const std::lock_guard lock(mutex_);
    members_.erase({at.alloc, at.task});
}

void SharedCores::on_scanned() {
    workers_.push(kMoves, [this] {
        add_those_on_disk();
        if (is_reserved()) move_all();
    });
}

bool SharedCores::is_reserved() const {
    const auto pool = cpu_pool(alloc_root_);
    if (!pool) log::warn("share processors: {}", pool.error().detail);
    return pool && pool->reserved;
}

void SharedCores::add_those_on_disk() {
    const auto allocs = list_alloc_dirs(alloc_root_);
    if (!allocs) return log::warn("share processors: {}", allocs.error().detail);
    for (const AllocId& alloc : *allocs) {
        const std::string id = to_string(alloc);
        for (StartedTask& task : all_started(id, alloc_root_ + "/" + id)) {
            if (task.pid <= 0 || task.spec.resources.cores > 0) continue;
            const std::lock_guard lock(mutex_);
            const Key key{id, task.at.task};  // one that was started meanwhile is newer
            members_.try_emplace(key, Member{std::make_shared<StartedTask>(std::move(task)), {}});
        }
    }
}

void SharedCores::move_all() {
    if (asked_.exchange(true)) return;
    workers_.push(kMoves, [this] {
        asked_ = false;
        const auto pool = cpu_pool(alloc_root_);
        if (!pool) return log::warn("share processors: {}", pool.error().detail);
        for (const Member& member : to_move(pool->shared)) move(member, pool->shared);
    });
}

std::vector<SharedCores::Member> SharedCores::to_move(const std::string& cpus) {
    const std::lock_guard lock(mutex_);
    std::vector<Member> out;
    for (const auto& [key, member] : members_)
        if (member.cpus != cpus) out.push_back(member);
    return out;
}

void SharedCores::move(const Member& member, const std::string& cpus) {
    const StartedTask& task = *member.task;
    Driver* driver = drivers_.find(task.spec.driver);
    if (driver == nullptr) return;
    const Result<void> moved = driver->confine(task, cpus);
    // One that does not run any more is asked for again when it has started anew.
    const bool settled = moved.ok() || moved.error().code == Errc::not_found;
    if (!settled)
        return log::warn("allocation {}, task {}: {}", task.at.alloc, task.at.task,
                         moved.error().detail);
    const std::lock_guard lock(mutex_);
    const auto present = members_.find({task.at.alloc, task.at.task});
    if (present != members_.end() && present->second.task == member.task)
        present->second.cpus = cpus;
}

}  // namespace gaggle::allocrunner
