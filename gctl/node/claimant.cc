#include "gctl/node/claimant.h"

#include <algorithm>

#include "gctl/node/answer.h"
#include "gctl/node/planning.h"

namespace gaggle::node {

Claimant::Claimant(PeerNumber self, const Directory& directory, const Group& group,
                   Courier& courier, Rng rng)
    : number_(self),
      directory_(directory),
      group_(group),
      courier_(courier),
      rng_(rng),
      session_(random_id<SessionId>(rng_)) {}

void Claimant::on(Now now, std::uint64_t request, const RegisterJob& what, Outbox& out) {
    Work work{.kind = Kind::registration, .request = request};
    work.key = {what.job.name_space, what.job.id};
    work.job = what.job;
    if (what.check_index) work.check_index = LogIndex{*what.check_index};
    begin(now, std::move(work), out);
}

void Claimant::on(Now now, std::uint64_t request, const PlanJob& what, Outbox& out) {
    Work work{.kind = Kind::dry_run, .request = request};
    work.key = {what.job.name_space, what.job.id};
    work.job = what.job;
    begin(now, std::move(work), out);
}

void Claimant::on(Now now, std::uint64_t request, const DeregisterJob& what, Outbox& out) {
    Work work{.kind = Kind::deregistration, .request = request};
    work.key = {what.name_space, what.id};
    work.stop = {.purge = what.purge, .no_shutdown_delay = what.no_shutdown_delay};
    begin(now, std::move(work), out);
}

void Claimant::on(Now now, const DoEvaluation& what, Outbox& out) {
    const bool known = std::any_of(works_.begin(), works_.end(),
                                   [&](const auto& item) { return item.second.eval == what.eval; });
    if (known) return;
    Work work{.kind = Kind::evaluation, .request = std::nullopt};
    work.key = what.job;
    work.eval = what.eval;
    work.since = what.since;
    begin(now, std::move(work), out);
}

void Claimant::begin(Now now, Work work, Outbox& out) {
    const Id id = next_++;
    if (work.eval.empty()) work.eval = random_id<EvalId>(rng_);
    const bool full = works_.size() >= kClaimantWorkMax;
    Work& kept = works_.emplace(id, std::move(work)).first->second;
    if (full)
        return fail(id,
                    {Errc::unavailable,
                     "this peer plans too many jobs at once; try again, or another peer"},
                    out);
    if (kept.kind != Kind::deregistration) return read(now, id, out);
    ledger::Bundle bundle{.claimant = number_, .job = kept.key, .eval = kept.eval};
    bundle.opens = ledger::Trigger::job_deregister;
    bundle.deregistration = kept.stop;
    bundle.end = ledger::EvalEnd{};
    submit(now, id, std::move(bundle), out);
}

/// Our own ledger will do, or any full copy's: what is stale is refused and planned again.
void Claimant::read(Now now, Id id, Outbox& out) {
    Work& work = works_.at(id);
    Query query{.kind = QueryKind::planning, .name_space = work.key.name_space, .id = work.key.id};
    query.stale = !work.certain;
    if (group_.full_copy() && (query.stale || group_.leading()))
        return plan(now, id, answer_from(group_.ledger(), query), out);
    courier_.ask(
        now, std::move(query), kClaimPatience,
        [this, id](Now then, Result<Answer> answer, Outbox& box) {
            if (!works_.contains(id)) return;
            if (answer.ok())
                plan(then, id, *answer, box);
            else
                fail(id, answer.error(), box);
        },
        out);
}

void Claimant::plan(Now now, Id id, const Answer& state, Outbox& out) {
    Work& work = works_.at(id);
    if (!work.certain && state.applied < work.since) {  // this copy does not know of it yet
        work.certain = true;
        return read(now, id, out);
    }
    View view = directory_.view(now, group_.full_copy() ? &group_.ledger() : nullptr);
    for (const auto& [alloc, laid] : overlay_) view.claim(alloc, laid.peer, laid.ask);
    for (const SlotRefusal& refusal : work.refusals) view.learn_free(refusal.peer, refusal.free);
    const ledger::JobRecord* present = state.jobs.empty() ? nullptr : &state.jobs.front();
    if (!work.job && present == nullptr) {  // the job is gone: nothing is left to do
        ledger::Bundle bundle{.claimant = number_, .job = work.key, .eval = work.eval};
        bundle.planned_at = state.applied;
        bundle.end = ledger::EvalEnd{.status = ledger::EvalStatus::canceled,
                                     .description = "the job is gone"};
        return submit(now, id, std::move(bundle), out);
    }
    PlanningInput input(work.job ? &*work.job : nullptr, present, state);
    Plan made = gaggle::plan({.job = input.job(),
                              .version = input.version(),
                              .stopped = input.stopped(),
                              .existing = input.existing(),
                              .versions = input.versions(),
                              .view = view,
                              .holders = input.holders(),
                              .previous = input.previous(),
                              .refusals = work.refusals,
                              .now = state.log_time,
                              .rng = rng_});
    if (work.kind == Kind::dry_run) {
        reply_planned(work, state, std::move(made), out);
        works_.erase(id);
        return;
    }
    ledger::Bundle bundle = bundle_of(work, state, made);
    for (const std::string& warning : made.warnings)
        if (std::find(work.result.warnings.begin(), work.result.warnings.end(), warning) ==
            work.result.warnings.end())
            work.result.warnings.push_back(warning);
    for (std::size_t at = 0; at < bundle.claims.size(); ++at) {
        const TaskGroup* group = find_group(input.job(), bundle.claims[at].group);
        INVARIANT(group != nullptr);
        overlay_[bundle.claims[at].alloc] = {bundle.claims[at].candidates.front(), ask_of(*group)};
    }
    submit(now, id, std::move(bundle), out);
}

void Claimant::reply_planned(const Work& work, const Answer& state, Plan made, Outbox& out) {
    Planned planned{.plan = std::move(made)};
    if (!state.jobs.empty() && !state.jobs.front().purged) {
        planned.job_modify_index = state.jobs.front().job_modify_index.value;
        planned.present = state.jobs.front().current().job;
        planned.present_stopped = state.jobs.front().current().stopped;
    }
    for (const auto& [id, known] : directory_.all())
        planned.names[known.card.number] = known.card.description.name;
    out.effects.replies.push_back({*work.request, ApiReply::What(std::move(planned))});
}

ledger::Bundle Claimant::bundle_of(Work& work, const Answer& state, const Plan& plan) {
    ledger::Bundle bundle{.claimant = number_, .job = work.key, .eval = work.eval};
    bundle.planned_at = state.applied;
    std::optional<std::uint64_t> version;
    if (work.job) {
        bundle.registration =
            ledger::RegisterJob{.job = *work.job, .check_index = work.check_index};
        bundle.all_at_once = work.job->all_at_once;
    } else {
        version = state.jobs.front().current().version;
        bundle.all_at_once = state.jobs.front().current().job.all_at_once;
    }
    for (const PlannedStop& stop : plan.stops)
        bundle.stops.push_back({.alloc = stop.alloc, .reason = stop.reason});
    bundle.in_place = plan.in_place;
    work.claimed.clear();
    work.order.clear();
    const bool brief = plan.claims.size() > 64;  // scores are for people, who read few
    for (const PlannedClaim& planned : plan.claims) {
        if (bundle.claims.size() == kClaimsPerBundle) break;
        ledger::Claim claim{.alloc = random_id<AllocId>(rng_),
                            .group = planned.slot.group,
                            .index = planned.slot.index};
        claim.job_version = version;
        claim.replaces = planned.replaces;
        claim.reschedule_delay = planned.reschedule_delay;
        for (const RankedPeer& candidate : planned.candidates)
            claim.candidates.push_back(candidate.peer);
        if (!brief) claim.explanation = encode(planned.metrics);
        work.claimed[claim.alloc] = planned.slot;
        work.order.push_back(claim.alloc);
        bundle.claims.push_back(std::move(claim));
    }
    if (bundle.claims.size() == plan.claims.size()) bundle.end = eval_end(plan, state);
    return bundle;
}

void Claimant::submit(Now now, Id id, ledger::Bundle bundle, Outbox& out) {
    if (!session_open_) return open_session(now, id, std::move(bundle), out);
    bundle.session = session_;
    bundle.sequence = ++sequence_;
    unanswered_.insert(bundle.sequence);
    bundle.acknowledged = *unanswered_.begin() - 1;
    // Shared by value with the answer: which claims it was about.
    courier_.submit(
        now, ledger::Bundles{{bundle}}, kClaimPatience,
        [this, id, bundle](Now then, Result<CommandResult> result, Outbox& box) {
            unanswered_.erase(bundle.sequence);
            for (const ledger::Claim& claim : bundle.claims) overlay_.erase(claim.alloc);
            if (!works_.contains(id)) return;
            if (result.ok())
                judged(then, id, bundle, *result, box);
            else
                fail(id, result.error(), box);
        },
        out);
}

void Claimant::open_session(Now now, Id id, ledger::Bundle bundle, Outbox& out) {
    courier_.submit(
        now, ledger::OpenSession{.session = session_, .claimant = number_}, kClaimPatience,
        [this, id, bundle = std::move(bundle)](Now then, Result<CommandResult> result,
                                               Outbox& box) {
            if (!works_.contains(id)) return;
            if (!result.ok() || result->refused) {
                for (const ledger::Claim& claim : bundle.claims) overlay_.erase(claim.alloc);
                return fail(id, result.ok() ? Error{Errc::denied, result->why} : result.error(),
                            box);
            }
            session_open_ = true;
            submit(then, id, bundle, box);
        },
        out);
}

void Claimant::judged(Now now, Id id, const ledger::Bundle& bundle, const CommandResult& result,
                      Outbox& out) {
    Work& work = works_.at(id);
    if (!result.bundle)
        return fail(id, {Errc::invalid, "claim places for job " + work.key.id + ": " + result.why},
                    out);
    const ledger::BundleAnswer& answer = *result.bundle;
    using Outcome = ledger::BundleAnswer::Outcome;
    if (answer.outcome == Outcome::unknown_session) {
        session_open_ = false;
        session_ = random_id<SessionId>(rng_);
        return submit(now, id, bundle, out);
    }
    if (answer.outcome == Outcome::stale) {
        if (++work.stale < kPlanAttemptsMax) return again(now, work);
        return fail(id,
                    {Errc::unavailable, "plan job " + work.key.id + ": it changed " +
                                            std::to_string(work.stale) +
                                            " times while places were sought; try again"},
                    out);
    }
    if (answer.outcome == Outcome::refused) return fail(id, {Errc::invalid, answer.why}, out);
    if (answer.outcome == Outcome::forgotten)
        return fail(id,
                    {Errc::timeout,
                     "claim places for job " + work.key.id +
                         ": the answer came too late and is forgotten; look at `gctl job status`"},
                    out);
    work.result.eval = answer.eval;
    work.result.eval_index = answer.index.value;
    work.result.index = answer.index.value;
    work.result.job_modify_index = answer.job_modify_index.value;
    work.job.reset();  // registered; what follows is about the ledger's version
    const bool all = take_verdicts(work, answer);
    if (all && bundle.end) return finish(id, out);
    if (all) return again(now, work);  // a large plan: the next part
    if (++work.attempts < kPlanAttemptsMax) return again(now, work);
    ledger::Bundle last{.claimant = number_, .job = work.key, .eval = work.eval};
    last.planned_at = answer.index;
    last.end = ledger::EvalEnd{.description = "places were refused " +
                                              std::to_string(work.attempts) + " times in a row"};
    for (const ledger::Claim& claim : bundle.claims) ++last.end->queued[claim.group];
    submit(now, id, std::move(last), out);
}

/// Keeps what refusals teach. True when every claim was accepted.
bool Claimant::take_verdicts(Work& work, const ledger::BundleAnswer& answer) {
    bool all = true;
    for (std::size_t at = 0; at < answer.verdicts.size() && at < work.order.size(); ++at) {
        if (ledger::accepted(answer.verdicts[at])) continue;
        all = false;
        if (const auto* no_fit = std::get_if<ledger::NoFit>(&answer.verdicts[at])) {
            for (const ledger::CandidateRefusal& refusal : no_fit->candidates)
                work.refusals.push_back({.slot = work.claimed.at(work.order[at]),
                                         .peer = refusal.peer,
                                         .reason = refusal.why,
                                         .free = refusal.free});
        } else {
            work.certain = true;  // stale: read from the leader
        }
    }
    return all;
}

void Claimant::again(Now now, Work& work) {
    const std::int64_t base = work.attempts == 0 ? 0 : 20'000LL << std::min(work.attempts, 6);
    work.certain = true;
    work.again_at = now.time + Duration(base + (base == 0 ? 0 : rng_.between(0, base)));
}

void Claimant::finish(Id id, Outbox& out) {
    const auto found = works_.find(id);
    if (found->second.request)
        out.effects.replies.push_back(
            {*found->second.request, ApiReply::What(found->second.result)});
    works_.erase(found);
}

void Claimant::fail(Id id, Error error, Outbox& out) {
    const auto found = works_.find(id);
    if (found->second.request)
        out.effects.replies.push_back({*found->second.request, std::move(error)});
    else
        out.note("evaluation " + to_string(found->second.eval) +
                 " was not finished here: " + error.detail);
    works_.erase(found);
}

void Claimant::tick(Now now, Outbox& out) {
    std::vector<Id> due;
    for (auto& [id, work] : works_)
        if (work.again_at && *work.again_at <= now.time) due.push_back(id);
    for (const Id id : due) {
        works_.at(id).again_at.reset();
        read(now, id, out);
    }
}

std::optional<TimePoint> Claimant::next_wakeup() const {
    std::optional<TimePoint> soonest;
    for (const auto& [id, work] : works_)
        if (work.again_at && (!soonest || *work.again_at < *soonest)) soonest = work.again_at;
    return soonest;
}

}  // namespace gaggle::node
