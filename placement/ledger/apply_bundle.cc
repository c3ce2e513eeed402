// Bundles: a registration, stops and claims that happen in one instant.
#include <algorithm>

#include "placement/ledger/judge.h"
#include "placement/ledger/step.h"

namespace gaggle::ledger {

namespace {

constexpr std::size_t kReschedulesKept = 64;

/// The chain of reschedulings that leads to an allocation in the place of `replaced`.
std::vector<Reschedule> chain(const AllocRecord& replaced, std::optional<Duration> delay,
                              LogTime now, WallTime wall) {
    std::vector<Reschedule> reschedules = replaced.reschedules;
    if (delay) reschedules.push_back({now, wall, replaced.id, replaced.peer, *delay});
    if (reschedules.size() > kReschedulesKept) reschedules.erase(reschedules.begin());
    return reschedules;
}

void remember_peer(std::vector<PeerNumber>& peers, PeerNumber newest) {
    std::erase(peers, newest);
    peers.insert(peers.begin(), newest);
    if (peers.size() > kPeersRemembered) peers.pop_back();
}

/// Why nothing of the bundle may happen, whatever it says in detail.
std::optional<std::string> improper(const State& state, const Bundle& bundle) {
    const PeerNumber claimant = state.sessions.at(bundle.session).claimant;
    if (state.peers.at(claimant).status == PeerStatus::expelled) return "its claimant was expelled";
    if (bundle.claims.size() > kClaimsMax)
        return "a bundle of " + std::to_string(bundle.claims.size()) + " claims; the limit is " +
               std::to_string(kClaimsMax);
    if (bundle.registration && bundle.deregistration)
        return "a bundle that registers a job and stops it";
    const auto eval = state.evals.find(bundle.eval);
    if (eval != state.evals.end() && eval->second.job != bundle.job)
        return "a bundle for job \"" + bundle.job.id + "\" under an evaluation of \"" +
               eval->second.job.id + "\"";
    return std::nullopt;
}

/// What the plan must see and did not, or nothing. An empty plan claims nothing that could be
/// refused, so a planner with an old state would end an evaluation without its work.
std::optional<std::string> stale(const State& state, const Bundle& bundle) {
    if (!bundle.planned_at) return std::nullopt;
    const std::string planned =
        "planned on the state at index " + std::to_string(bundle.planned_at->value) + ", but ";
    const auto eval = state.evals.find(bundle.eval);
    if (eval != state.evals.end() && *bundle.planned_at < eval->second.since)
        return planned + "evaluation " + to_string(bundle.eval) +
               " is for what happened at index " + std::to_string(eval->second.since.value);
    const auto job = state.jobs.find(bundle.job);
    if (job != state.jobs.end() && *bundle.planned_at < job->second.job_modify_index)
        return planned + "job \"" + bundle.job.id + "\" was changed at index " +
               std::to_string(job->second.job_modify_index.value);
    return std::nullopt;
}

}  // namespace

void Step::on(const Bundles& bundles) {
    for (const Bundle& bundle : bundles.bundles) {
        if (auto known = answer_known(state_.sessions, bundle)) {
            out_.answers.push_back(std::move(*known));
            continue;
        }
        BundleAnswer answer = judge(bundle);
        remember(state_.sessions, bundle, answer, state_.time);
        out_.answers.push_back(std::move(answer));
    }
}

BundleAnswer Step::judge(const Bundle& bundle) {
    BundleAnswer answer;
    answer.session = bundle.session;
    answer.sequence = bundle.sequence;
    answer.index = out_.index;
    answer.eval = bundle.eval;
    std::optional<std::string> why = stale(state_, bundle);
    const bool late = why.has_value();
    if (!why) why = improper(state_, bundle);
    if (!why && bundle.registration) why = register_job(bundle.job, *bundle.registration);
    if (!why && bundle.deregistration) why = deregister_job(bundle.job, *bundle.deregistration);
    if (why) {
        answer.outcome = late ? BundleAnswer::Outcome::stale : BundleAnswer::Outcome::refused;
        answer.why = std::move(*why);
    } else {
        carry_out(bundle, answer);
    }
    if (const auto job = state_.jobs.find(bundle.job); job != state_.jobs.end()) {
        answer.job_version = job->second.current().version;
        answer.job_modify_index = job->second.job_modify_index;
    }
    return answer;
}

void Step::carry_out(const Bundle& bundle, BundleAnswer& answer) {
    open_for(bundle);
    for (const Stop& stop : bundle.stops)
        if (const auto alloc = state_.allocs.find(stop.alloc); alloc != state_.allocs.end())
            stop_alloc(alloc->second, stop.evict ? Desired::evict : Desired::stop, stop.reason);
    for (const AllocId& id : bundle.in_place) update_in_place(id, bundle.job);

    Draft draft(state_, bundle, out_.index);
    for (const Claim& claim : bundle.claims) answer.verdicts.push_back(draft.judge(claim));
    const bool all = std::ranges::all_of(answer.verdicts, accepted);
    if (bundle.all_at_once && !all)
        std::ranges::replace_if(answer.verdicts, accepted, Verdict{NotTogether{}});
    else
        accept_claims(bundle, draft, answer.verdicts);

    const auto eval = state_.evals.find(bundle.eval);
    if (eval == state_.evals.end() || !all) return;
    if (bundle.deregistration)
        end_evaluation(eval->second, {}, out_.index);
    else if (bundle.end)
        end_evaluation(eval->second, *bundle.end, bundle.planned_at.value_or(LogIndex{}));
}

void Step::accept_claims(const Bundle& bundle, const Draft& draft,
                         const std::vector<Verdict>& verdicts) {
    for (const auto& [number, books] : draft.books()) state_.peers.at(number).books = books;
    for (std::size_t i = 0; i < verdicts.size(); ++i)
        if (const auto* yes = std::get_if<Accepted>(&verdicts[i]))
            add_alloc(bundle, bundle.claims[i], *yes);
}

void Step::add_alloc(const Bundle& bundle, const Claim& claim, const Accepted& yes) {
    const JobVersion& version = state_.jobs.at(bundle.job).current();
    AllocRecord alloc;
    alloc.id = claim.alloc;
    alloc.eval = bundle.eval;
    alloc.slot = {bundle.job, claim.group, claim.index};
    alloc.job_version = version.version;
    alloc.peer = yes.peer;
    alloc.ask = ask_of(*find_group(version.job, claim.group));
    alloc.ports = yes.ports;
    alloc.explanation = claim.explanation;
    alloc.generation = Generation{out_.index.value};
    alloc.create_index = out_.index;
    alloc.create_time = wall_;
    alloc.changed = state_.time;

    SlotRecord& slot = state_.slots[alloc.slot];
    alloc.previous = claim.replaces ? claim.replaces : slot.last;
    if (const auto replaced =
            alloc.previous ? state_.allocs.find(*alloc.previous) : state_.allocs.end();
        replaced != state_.allocs.end()) {
        if (claim.replaces)
            alloc.reschedules = chain(replaced->second, claim.reschedule_delay, state_.time, wall_);
        stop_alloc(replaced->second, Desired::stop,
                   "replaced by allocation " + short_text(alloc.id));
        change(replaced->second, [&](AllocRecord& a) { a.next = alloc.id; });
    }
    slot.holder = alloc.id;
    slot.last = alloc.id;
    slot.generation = alloc.generation;
    remember_peer(slot.peers, alloc.peer);
    stamp(alloc);
    indexes_.add(alloc);
    orders_change(alloc.peer);
    state_.allocs.emplace(alloc.id, std::move(alloc));
}

void Step::stop_alloc(AllocRecord& alloc, Desired desired, const std::string& reason) {
    if (alloc.desired != Desired::run) return;
    change(alloc, [&](AllocRecord& a) {
        a.desired = desired;
        a.desired_reason = reason;
    });
    vacate(alloc);
    if (!alloc.settled) orders_change(alloc.peer);
}

/// Only what takes no other resources may change under a running allocation; the planner replaces
/// the rest.
void Step::update_in_place(const AllocId& id, const JobKey& job) {
    const auto found = state_.allocs.find(id);
    const JobVersion* version = live_version(job);
    if (found == state_.allocs.end() || version == nullptr) return;
    AllocRecord& alloc = found->second;
    if (alloc.slot.job != job || !alloc.holds_slot() || alloc.job_version == version->version)
        return;
    const TaskGroup* group = find_group(version->job, alloc.slot.group);
    if (group == nullptr || ask_of(*group) != alloc.ask) return;
    change(alloc, [&](AllocRecord& a) { a.job_version = version->version; });
    orders_change(alloc.peer);
}

}  // namespace gaggle::ledger
