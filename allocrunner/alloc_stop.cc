// How an allocation ends: by order, with a task that is dead for good, over its disk's limit.
#include <algorithm>

#include "allocrunner/alloc.h"

namespace gaggle::allocrunner {

namespace {

constexpr std::uint64_t kDiskWarnPercent = 80;
constexpr std::uint64_t kDiskCalmPercent = 70;  // below it, the next warning is a new one

/// So long is tried to tear down what does not let itself be torn down. A failed allocation is to
/// start elsewhere, and a stopped job to come to its end, whatever this machine keeps.
constexpr Duration kTearPatience = 10min;

/// When a task is asked to end. Poststop tasks are not: they run because the others have ended.
enum class Turn { leader, tasks, sidecars, never };
constexpr Turn kTurns[] = {Turn::leader, Turn::tasks, Turn::sidecars};

Turn turn_of(const TaskLife& life) {
    if (life.role() == Role::poststop) return Turn::never;
    if (life.task().leader) return Turn::leader;
    return is_sidecar(life.role()) ? Turn::sidecars : Turn::tasks;
}

}  // namespace

void Alloc::stop_by_order(Context& context) {
    // Who waits already may be told not to (`-no-shutdown-delay`).
    if (stop_)
        for (auto& [name, life] : tasks_)
            life.wait_no_longer_than(context,
                                     order_.group.shutdown_delay + life.task().shutdown_delay);
    stop_all(context, {.group = order_.group.shutdown_delay, .each_task = true});
}

void Alloc::stop_others(Context& context, const TaskEvent& why) {
    for (auto& [name, life] : tasks_)
        if (!life.dead() && life.role() != Role::poststop) life.note(why);
    stop_all(context, {});
}

void Alloc::stop_all(Context& context, StopDelays delays) {
    stopping_ = true;
    if (!stop_) stop_ = delays;
    stop_in_order(context);
}

/// As Nomad does: a leader may need the others to end in good order (to ship its last log lines),
/// and all of them may need the sidecars.
void Alloc::stop_in_order(Context& context) {
    if (!stop_) return;
    for (const Turn turn : kTurns) {
        bool alive = false;
        for (auto& [name, life] : tasks_) {
            if (turn_of(life) != turn) continue;
            const Duration own = stop_->each_task ? life.task().shutdown_delay : 0s;
            life.stop(context, stop_->group + own);
            alive = alive || !life.dead();
        }
        if (!alive) continue;
        stop_->group = 0s;  // waited for by the first; nobody later waits again
        return;
    }
}

void Alloc::fall_together(Context& context) {
    if (stopping_) return;
    const auto counts = [](const TaskLife& life) { return life.role() != Role::poststop; };
    for (auto& [name, life] : tasks_)
        if (counts(life) && life.failed())
            return stop_others(context, event_sibling_failed(context.wall, name));
    for (auto& [name, life] : tasks_)
        if (counts(life) && life.dead() && life.task().leader)
            return stop_others(context, event_leader_dead(context.wall));
    bool others = false, sidecars = false;
    for (auto& [name, life] : tasks_) {
        if (!counts(life)) continue;
        const bool sidecar = is_sidecar(life.role());
        if (!sidecar && !life.dead()) return;
        others = others || !sidecar;
        sidecars = sidecars || (sidecar && !life.dead());
    }
    if (others && sidecars) stop_others(context, event_main_dead(context.wall));
}

void Alloc::refuse_all(Context& context, const TaskEvent& why) {
    phase_ = Phase::live;
    stopping_ = true;
    for (auto& [name, life] : tasks_)
        if (life.wants_start())
            life.refuse(context, why);
        else
            life.fail(context, why);
}

bool Alloc::others_dead() const {
    return std::all_of(tasks_.begin(), tasks_.end(), [](const auto& task) {
        return task.second.role() == Role::poststop || task.second.dead();
    });
}

/// What comes after nothing has nothing to do, and what is over its disk's limit may write no more.
bool Alloc::owes_poststop() const {
    if (status_.for_good) return false;
    bool ran = false, waits = false;
    for (const auto& [name, life] : tasks_) {
        const bool poststop = life.role() == Role::poststop;
        ran = ran || (!poststop && life.ever_ran());
        waits = waits || (poststop && !life.dead());
    }
    return ran && waits;
}

void Alloc::skip_poststop(Context& context) {
    if (!others_dead() || owes_poststop()) return;
    for (auto& [name, life] : tasks_)
        if (life.role() == Role::poststop && life.wants_start()) life.stop(context, 0s);
}

void Alloc::on_disk(Context& context, const DiskFound& input) {
    if (over() || phase_ == Phase::tearing) return;
    if (input.used > input.limit) {
        status_.for_good = true;
        stopping_ = true;
        changed_ = true;
        for (auto& [name, life] : tasks_)
            if (life.role() != Role::poststop || life.has_process())
                life.fail(context, event_disk_exceeded(context.wall, input.used, input.limit));
        return;
    }
    const auto reaches = [&](std::uint64_t percent) {
        return input.used / percent >= input.limit / 100;
    };
    if (!reaches(kDiskCalmPercent)) disk_warned_ = false;
    if (disk_warned_ || !reaches(kDiskWarnPercent)) return;
    disk_warned_ = true;
    for (auto& [name, life] : tasks_)
        if (life.running()) life.note(event_disk_high(context.wall, input.used, input.limit));
}

/// Terminal is what has left nothing behind that goes in kTearPatience; the ledger then gives its
/// resources to others.
void Alloc::end_when_all_dead(Context& context) {
    const bool all_dead = std::all_of(tasks_.begin(), tasks_.end(),
                                      [](const auto& task) { return task.second.dead(); });
    if (!all_dead || phase_ == Phase::preparing) return;
    changed_ = true;
    if (!has_dir_) {
        phase_ = Phase::over;
        over_since_ = ended_before_.value_or(context.now);
        return;
    }
    phase_ = Phase::tearing;
    context.out.work.emplace_back(TearDown{id()});
}

void Alloc::on_torn_down(Context& context, const TornDown& input) {
    if (phase_ != Phase::tearing) return;
    const auto tell = [&](const std::string& what) {
        for (auto& [name, life] : tasks_)
            life.note(event_task_setup(context.wall, "Tearing down: " + what));
    };
    if (!input.note.empty()) tell(input.note);
    if (input.error) tear_again_.failed(context.now);
    const bool given_up =
        input.error && context.now - tear_again_.since.value_or(context.now) >= kTearPatience;
    if (given_up) tell(*input.error + "; given up, and tried again with its directory");
    if (!input.error || given_up) {
        tear_again_.due.reset();
        phase_ = Phase::over;
        over_since_ = ended_before_.value_or(context.now);
        tear_error_.reset();
        changed_ = true;
        return;
    }
    tear_again_.due = std::min(*tear_again_.due, *tear_again_.since + kTearPatience);
    if (tear_error_ == input.error) return;  // that was said
    tear_error_ = input.error;
    changed_ = true;
    tell(*input.error);
}

void Alloc::tear_down_again(Context& context) {
    if (!tear_again_.take_due(context.now)) return;
    context.out.work.emplace_back(TearDown{id()});
}

}  // namespace gaggle::allocrunner
