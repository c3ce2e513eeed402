// When finished things are forgotten: with age, or at once when somebody asks (`gctl system gc`).
//
// Rules and ages are those of Nomad's collector: evaluations and allocations an hour after they
// ended, jobs four hours. One entry forgets at most kForgottenMax records of a kind; the entries
// after it go on.
#include <algorithm>
#include <iterator>

#include "placement/ledger/bounds.h"
#include "placement/ledger/step.h"

namespace gaggle::ledger {

namespace {

constexpr std::size_t kForgottenMax = 4'096;

/// What ends by itself may be forgotten without anybody having stopped it; a job that is there to
/// be dispatched waits, the jobs that were dispatched from it do not.
bool ends_by_itself(const Job& job) {
    const bool batch = job.type == JobType::batch || job.type == JobType::sysbatch;
    return batch && (!job.parameterized || !job.parent.empty());
}

/// Erases what `goes`, up to the limit; false when there may be more.
template <class Map, class Goes>
bool forget(Map& map, Goes goes) {
    std::size_t forgotten = 0;
    for (auto at = map.begin(); at != map.end();) {
        if (forgotten == kForgottenMax) return false;
        const bool gone = goes(*at);
        forgotten += gone ? 1 : 0;
        at = gone ? map.erase(at) : std::next(at);
    }
    return true;
}

}  // namespace

/// Every peer lets go of its own finished allocations too: its next orders say so.
void Step::on(const Collect&) {
    state_.collected = out_.index;
    for (const auto& [number, peer] : state_.peers)
        if (peer.status != PeerStatus::expelled) orders_change(number);
    collect(true);
}

bool Step::old(LogTime changed, Duration kept) const {
    return state_.collecting || later(changed, kept) <= state_.time;
}

/// Nothing of it will ever run again, and long enough ago.
bool Step::is_past(const JobKey& key) const {
    const auto found = state_.jobs.find(key);
    if (found == state_.jobs.end()) return true;
    const JobRecord& job = found->second;
    if (job.purged) return true;
    const bool over = job.current().stopped ||
                      (ends_by_itself(job.current().job) && job.status == JobStatus::dead);
    return over && old(job.changed, state_.policy.job_kept);
}

/// The last allocation of a slot says what became of it (a batch job that is complete must not run
/// again), so it is needed as long as its job lives.
bool Step::needed(const AllocRecord& alloc) const {
    if (!terminal(alloc.client)) return true;
    if (!alloc.settled && alloc.client != ClientStatus::lost) return true;
    const auto slot = state_.slots.find(alloc.slot);
    return live_version(alloc.slot.job) != nullptr && slot != state_.slots.end() &&
           slot->second.last == alloc.id && !is_past(alloc.slot.job);
}

bool Step::forget_evals() {
    return forget(state_.evals, [&](const auto& entry) {
        const EvalRecord& eval = entry.second;
        if (!terminal(eval.status) || !old(eval.changed, state_.policy.finished_kept)) return false;
        indexes_.remove(eval);
        out_.evals.insert(eval.id);
        return true;
    });
}

bool Step::forget_allocs() {
    return forget(state_.allocs, [&](const auto& entry) {
        const AllocRecord& alloc = entry.second;
        if (needed(alloc) || !old(alloc.changed, state_.policy.finished_kept)) return false;
        if (!alloc.settled) orders_change(alloc.peer);
        indexes_.remove(alloc);
        out_.allocs.insert(alloc.id);
        touched_.insert(alloc.slot.job);
        return true;
    });
}

bool Step::forget_jobs() {
    return forget(state_.jobs, [&](const auto& entry) {
        const JobKey& key = entry.first;
        if (indexes_.allocs_of.contains(key) || indexes_.evals_of.contains(key) || !is_past(key))
            return false;
        std::erase_if(state_.slots, [&](const auto& slot) { return slot.first.job == key; });
        out_.jobs.insert(key);
        return true;
    });
}

void Step::collect(bool whatever_age) {
    state_.collecting = state_.collecting || whatever_age;
    end_sessions(state_.sessions, state_.time - std::min(state_.time.time_since_epoch(),
                                                         state_.policy.session_kept));
    const bool all_evals = forget_evals();
    const bool all_allocs = forget_allocs();
    const bool all_jobs = forget_jobs();
    if (!all_evals || !all_allocs || !all_jobs) return;
    state_.collecting = false;
    state_.swept = state_.time;
}

}  // namespace gaggle::ledger
