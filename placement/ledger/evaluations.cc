// Evaluations: work for any planner. They are opened, taken for a while, ended, and wait when
// nothing fits.
#include <algorithm>
#include <array>

#include "base/hash.h"
#include "base/wire.h"
#include "placement/ledger/bounds.h"
#include "placement/ledger/step.h"

namespace gaggle::ledger {

namespace {

std::uint64_t total(const std::map<std::string, std::uint32_t>& queued) {
    std::uint64_t sum = 0;
    for (const auto& [group, number] : queued) sum += number;
    return sum;
}

void wait_for_room(EvalRecord& eval, EvalStatus status, LogTime now) {
    eval.status = status;
    eval.review_after = std::clamp(2 * eval.review_after, kBlockedReviewMin, kBlockedReviewMax);
    eval.review_at = later(now, eval.review_after);
}

/// What an id minted in apply() is the hash of: no chance, and never the same twice.
struct Mint {
    RegionId region;
    Epoch epoch;
    LogIndex index;
    std::uint64_t ordinal = 0;
    template <class Self>
    static auto wire_fields(Self& s) {
        return std::tie(s.region, s.epoch, s.index, s.ordinal);
    }
};

}  // namespace

EvalId Step::mint_eval() {
    const Hash hash = hash_of(encode(Mint{state_.region, state_.epoch, out_.index, minted_++}));
    EvalId id;
    std::copy_n(hash.bytes.begin(), id.bytes.size(), id.bytes.begin());
    id.bytes[6] =
        static_cast<std::uint8_t>((id.bytes[6] & 0x0fU) | 0x80U);  // a UUID of version 8 (RFC 9562)
    id.bytes[8] = static_cast<std::uint8_t>((id.bytes[8] & 0x3fU) | 0x80U);
    return id;
}

EvalRecord& Step::add_eval(const EvalId& id, const JobKey& job, Trigger trigger) {
    EvalRecord eval;
    eval.id = id;
    eval.job = job;
    eval.trigger = trigger;
    if (const auto record = state_.jobs.find(job); record != state_.jobs.end()) {
        eval.type = record->second.current().job.type;
        eval.priority = record->second.current().job.priority;
    }
    eval.create_index = eval.since = out_.index;
    eval.create_time = wall_;
    stamp(eval);
    indexes_.add(eval);
    return state_.evals.emplace(id, std::move(eval)).first->second;
}

void Step::want_evaluation(const JobKey& job, Trigger trigger, std::optional<PeerNumber> peer) {
    if (live_version(job) == nullptr) return;
    if (const auto ids = indexes_.evals_of.find(job); ids != indexes_.evals_of.end())
        for (const EvalId& id : ids->second)
            if (indexes_.workable.contains(id))  // whoever takes that one must see this too
                return change(state_.evals.at(id), [&](EvalRecord& e) { e.since = out_.index; });
    EvalRecord& eval = add_eval(mint_eval(), job, trigger);
    change(eval, [&](EvalRecord& e) { e.peer = peer; });
}

/// The bundle's own evaluation. When its claimant is still at work on it, nobody else need start.
void Step::open_for(const Bundle& bundle) {
    if (bundle.eval.empty()) return;
    auto found = state_.evals.find(bundle.eval);
    const bool works = !bundle.claims.empty() || bundle.end;
    if (found == state_.evals.end()) {
        if (!state_.jobs.contains(bundle.job)) return;
        add_eval(bundle.eval, bundle.job,
                 bundle.deregistration ? Trigger::job_deregister : bundle.opens);
        found = state_.evals.find(bundle.eval);
    }
    EvalRecord& eval = found->second;
    const bool mine = !eval.taken_by || eval.taken_by == bundle.claimant;
    if (eval.status != EvalStatus::pending || !works || !mine) return;
    change(eval, [&](EvalRecord& e) {
        e.wait_until.reset();
        e.taken_by = bundle.claimant;
        e.taken_until = later(state_.time, state_.policy.eval_lease_max);
    });
}

void Step::on(const EvalTaken& taken) {
    const auto found = state_.evals.find(taken.eval);
    const std::string name = "evaluation " + to_string(taken.eval);
    if (found == state_.evals.end()) return refuse(name + " does not exist");
    EvalRecord& eval = found->second;
    if (!eval.workable() && eval.taken_by != taken.peer)
        return refuse(name + " is not to be taken now");
    if (terminal(eval.status)) return refuse(name + " has ended");
    const auto peer = state_.peers.find(taken.peer);
    if (peer == state_.peers.end() || peer->second.status != PeerStatus::ready)
        return refuse(name + " may not be taken by peer " + std::to_string(taken.peer.value));
    change(eval, [&](EvalRecord& e) {
        e.taken_by = taken.peer;
        e.taken_until = later(state_.time, std::min(taken.lease, state_.policy.eval_lease_max));
    });
}

void Step::end_evaluation(EvalRecord& eval, const EvalEnd& end, LogIndex planned_at) {
    if (terminal(eval.status) || !terminal(end.status)) return;
    change(eval, [&](EvalRecord& e) {
        e.status = end.status;
        e.description = end.description;
        e.queued = end.queued;
        e.failed_groups = end.failed_groups;
        e.taken_by.reset();
        e.wait_until.reset();
    });
    if (end.status != EvalStatus::complete) return;
    set_queued(eval.job, end.queued);
    if (total(end.queued) == 0)
        cancel_evals(eval.job, EvalStatus::blocked, eval.id,
                     "everything was placed by evaluation " + to_string(eval.id));
    else if (live_version(eval.job) != nullptr)
        queue_rest(eval, end, planned_at);
    if (end.follow_up_after && live_version(eval.job) != nullptr) follow_up(eval, end);
}

/// What found no place waits in one blocked evaluation per job. If room was made after the planner
/// looked, it would wait for something that has already happened: then it is work at once. Room is
/// not all that it may wait for, since who planned may have seen a peer as suspect, or by gossip
/// that was late: it is reviewed after a while, each time after a longer one.
void Step::queue_rest(EvalRecord& eval, const EvalEnd& end, LogIndex planned_at) {
    const EvalStatus status =
        state_.room_index > planned_at ? EvalStatus::pending : EvalStatus::blocked;
    cancel_evals(eval.job, EvalStatus::blocked, eval.id, "replaced by a newer one");
    if (eval.trigger == Trigger::queued_allocs)
        return change(eval, [&](EvalRecord& e) { wait_for_room(e, status, state_.time); });
    EvalRecord& rest = add_eval(mint_eval(), eval.job, Trigger::queued_allocs);
    change(rest, [&](EvalRecord& e) {
        wait_for_room(e, status, state_.time);
        e.description =
            "waits for room for what evaluation " + to_string(eval.id) + " could not place";
        e.previous = eval.id;
        e.queued = end.queued;
        e.failed_groups = end.failed_groups;
    });
    change(eval, [&](EvalRecord& e) { e.blocked = rest.id; });
}

/// One waiting evaluation per job: the earliest.
void Step::follow_up(EvalRecord& eval, const EvalEnd& end) {
    const LogTime when = later(state_.time, *end.follow_up_after);
    const WallTime wall = later(wall_, *end.follow_up_after);
    for (const EvalId& id : indexes_.evals_of.at(eval.job)) {
        EvalRecord& waiting = state_.evals.at(id);
        if (waiting.status != EvalStatus::pending || !waiting.wait_until) continue;
        if (*waiting.wait_until > when)
            change(waiting, [&](EvalRecord& e) {
                e.wait_until = when;
                e.wait_until_wall = wall;
            });
        await(waiting.id, end);
        return change(eval, [&](EvalRecord& e) { e.next = waiting.id; });
    }
    EvalRecord& next = add_eval(mint_eval(), eval.job, Trigger::alloc_failure);
    change(next, [&](EvalRecord& e) {
        e.wait_until = when;
        e.wait_until_wall = wall;
        e.previous = eval.id;
    });
    await(next.id, end);
    change(eval, [&](EvalRecord& e) { e.next = next.id; });
}

/// Each failed allocation that waits for its policy's delay says for which evaluation.
void Step::await(const EvalId& follow_up, const EvalEnd& end) {
    const JobKey job = state_.evals.at(follow_up).job;
    for (const AllocId& id : end.waiting) {
        const auto alloc = state_.allocs.find(id);
        if (alloc == state_.allocs.end() || alloc->second.slot.job != job) continue;
        if (alloc->second.client == ClientStatus::failed)
            change(alloc->second, [&](AllocRecord& a) { a.follow_up = follow_up; });
    }
}

void Step::cancel_evals(const JobKey& job, EvalStatus status, const EvalId& but,
                        const std::string& why) {
    const auto ids = indexes_.evals_of.find(job);
    if (ids == indexes_.evals_of.end()) return;
    const std::set<EvalId> all = ids->second;
    for (const EvalId& id : all) {
        EvalRecord& eval = state_.evals.at(id);
        if (eval.status != status || id == but) continue;
        change(eval, [&](EvalRecord& e) {
            e.status = EvalStatus::canceled;
            e.description = why;
            e.taken_by.reset();
            e.wait_until.reset();
        });
    }
}

void Step::wake_blocked() {
    const std::set<EvalId> all = indexes_.blocked;
    for (const EvalId& id : all)
        change(state_.evals.at(id), [](EvalRecord& eval) {
            eval.status = EvalStatus::pending;
            eval.review_after = Duration::zero();
        });
}

}  // namespace gaggle::ledger
