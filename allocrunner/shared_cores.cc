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
    add(at, true);
    if (is_reserved()) move_all();
}

void SharedCores::add(const TaskLocation& at, bool is_new) {
    const std::lock_guard lock(mutex_);
    const Key key{at.alloc, at.task};
    if (is_new || !members_.contains(key)) members_[key] = {at, ++starts_, {}};
}

void SharedCores::on_cleared(const TaskLocation& at, bool had_cores) {
    if (had_cores) return move_all();
    const std::lock_guard lock(mutex_);
    members_.erase({at.alloc, at.task});
}

void SharedCores::on_scanned() {
    workers_.push(kMoves, [this] {
        if (is_reserved()) move_all();
    });
}

bool SharedCores::is_reserved() const {
    const auto pool = cpu_pool(alloc_root_);
    if (!pool) log::warn("share processors: {}", pool.error().detail);
    return pool && pool->reserved;
}

/// Those that an earlier agent has started.
Result<void> SharedCores::add_those_on_disk() {
    for (const AllocId& alloc : TRY(list_alloc_dirs(alloc_root_))) {
        const std::string id = to_string(alloc);
        for (const StartedTask& task : TRY(all_started(id, alloc_root_ + "/" + id)))
            if (task.pid > 0 && task.spec.resources.cores <= 0)
                add(task.at, false);  // one that was started meanwhile is newer
    }
    return {};
}

void SharedCores::move_all() {
    if (asked_.exchange(true)) return;
    workers_.push(kMoves, [this] {
        asked_ = false;
        const auto pool = cpu_pool(alloc_root_);
        if (!pool) return log::warn("share processors: {}", pool.error().detail);
        if (!scanned_) {
            const Result<void> added = add_those_on_disk();
            if (!added) log::warn("share processors: {}", added.error().detail);
            scanned_ = added.ok();
        }
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
    const TaskLocation& at = member.at;
    const auto task = find_started(at);
    Driver* driver = task ? drivers_.find(task->spec.driver) : nullptr;
    if (task && driver == nullptr) return;
    const Result<void> moved = task ? driver->confine(*task, cpus) : Result<void>(task.error());
    // One that does not run any more is asked for again when it has started anew.
    const bool settled = moved.ok() || moved.error().code == Errc::not_found;
    if (!settled)
        return log::warn("allocation {}, task {}: {}", at.alloc, at.task, moved.error().detail);
    const std::lock_guard lock(mutex_);
    const auto present = members_.find({at.alloc, at.task});
    if (present != members_.end() && present->second.start == member.start)
        present->second.cpus = cpus;
}

}  // namespace gaggle::allocrunner
