#include "gctl/node/courier.h"

#include <algorithm>

namespace gaggle::node {

Courier::Courier(const Directory& directory, PeerId self, Rng rng)
    : directory_(directory), self_(self), rng_(rng), next_id_(rng_.next() >> 16U) {}

std::uint64_t Courier::submit(Now now, const ledger::Command::What& what, Duration patience,
                              SubmitDone done, Outbox& out) {
    return begin(
        now, {SubmitJob{encode(what), std::move(done)}, now.time + patience, now.time, {}, 0}, out);
}

std::uint64_t Courier::ask(Now now, Query query, Duration patience, QueryDone done, Outbox& out) {
    return begin(
        now, {QueryJob{std::move(query), std::move(done)}, now.time + patience, now.time, {}, 0},
        out);
}

std::uint64_t Courier::ask_peer(Now now, const PeerId& peer, AskLocal ask, Duration patience,
                                LocalDone done, Outbox& out) {
    ask.request = next_id_;
    return begin(
        now,
        {LocalJob{std::move(ask), std::move(done), peer}, now.time + patience, now.time, {}, 0},
        out);
}

std::uint64_t Courier::begin(Now now, Request request, Outbox& out) {
    const std::uint64_t id = next_id_++;
    if (under_way_.size() >= kRequestsMax) {
        fail(now, std::move(request),
             {Errc::unavailable, "too many requests are under way at this peer; try later"}, out);
        return id;
    }
    if (const std::string why = why_in_vain(request); !why.empty()) {
        fail(now, std::move(request), {Errc::unavailable, why}, out);
        return id;
    }
    attempt(now, id, under_way_.emplace(id, std::move(request)).first->second, out);
    return id;
}

void Courier::attempt(Now now, std::uint64_t id, Request& request, Outbox& out) {
    request.asked = target(request);
    ++request.tries;
    if (request.asked.empty()) {
        request.next_try = now.time + kRetryPause * 4;
        return;
    }
    request.sent = true;
    Duration patience = kAnswerWait;
    if (const auto* submit = std::get_if<SubmitJob>(&request.job)) {
        out.send(request.asked, Submit{id, submit->what});
    } else if (auto* ask = std::get_if<QueryJob>(&request.job)) {
        if (ask->query.index > 0) patience += ask->query.wait;
        out.send(request.asked, AskQuery{id, ask->query});
    } else if (const auto* local = std::get_if<LocalJob>(&request.job)) {
        out.send(request.asked, local->ask);
    }
    request.next_try = now.time + patience;
}

PeerId Courier::leader() const {
    if (certain_ && !leader_.empty()) return leader_;
    PeerId best = leader_;
    Term newest;
    for (const auto& [id, known] : directory_.all()) {
        if (!known.state || known.state->leader.empty() || known.state->term <= newest) continue;
        newest = known.state->term;
        best = known.state->leader;
    }
    return best;
}

PeerId Courier::any_full_copy(const PeerId& but_not) {
    std::vector<PeerId> full;
    std::vector<PeerId> alive;
    for (const auto& [id, known] : directory_.all()) {
        const bool usable = known.liveness == Liveness::alive && id != self_ && id != but_not;
        if (!usable) continue;
        alive.push_back(id);
        if (known.state && known.state->role != Role::spare) full.push_back(id);
    }
    std::vector<PeerId>& from = full.empty() ? alive : full;
    return from.empty() ? PeerId{} : rng_.pick(std::span<PeerId>(from));
}

PeerId Courier::target(const Request& request) {
    if (const auto* local = std::get_if<LocalJob>(&request.job)) return local->peer;
    const auto* ask = std::get_if<QueryJob>(&request.job);
    if (ask != nullptr && ask->query.stale) {
        if (self_full_copy_ && request.asked != self_) return self_;
        return any_full_copy(request.asked);
    }
    const PeerId likely = leader();
    const Known* known = directory_.find(likely);
    const bool reachable =
        likely == self_ ||
        (known != nullptr && known->liveness != Liveness::dead && !known->agent_gone);
    if (likely.empty() || !reachable) return any_full_copy(request.asked);
    const bool in_vain = likely == request.asked && request.tries % 3 == 2;
    const PeerId another = in_vain ? any_full_copy(request.asked) : PeerId{};
    return another.empty() ? likely : another;
}

void Courier::set_leader(const PeerId& leader, bool certain) {
    if (!certain && certain_ && leader_ == self_) return;
    leader_ = leader;
    certain_ = certain;
}

void Courier::on(Now now, const PeerId& from, const Submitted& answer, Outbox& out) {
    const auto found = under_way_.find(answer.request);
    if (found == under_way_.end() || found->second.asked != from) return;
    auto* submit = std::get_if<SubmitJob>(&found->second.job);
    if (submit == nullptr) return;
    if (answer.outcome == Submitted::Outcome::applied) {
        const SubmitDone done = std::move(submit->done);
        under_way_.erase(found);
        done(now, answer.result, out);
        return;
    }
    const bool moved = answer.outcome == Submitted::Outcome::not_leader;
    if (moved && !answer.leader.empty() && answer.leader != from)
        set_leader(answer.leader, false);
    else if (moved && leader_ == from)
        leader_ = {};
    found->second.next_try =
        now.time + kRetryPause + Duration(rng_.below(moved ? 20'000 : 200'000));
    found->second.asked = {};
}

void Courier::on(Now now, const PeerId& from, AskAnswer answer, Outbox& out) {
    const auto found = under_way_.find(answer.request);
    if (found == under_way_.end() || found->second.asked != from) return;
    auto* ask = std::get_if<QueryJob>(&found->second.job);
    if (ask == nullptr) return;
    if (answer.served) {
        const QueryDone done = std::move(ask->done);
        under_way_.erase(found);
        done(now, std::move(answer.answer), out);
        return;
    }
    if (leader_ == from) leader_ = {};
    found->second.next_try = now.time + kRetryPause + Duration(rng_.below(20'000));
}

void Courier::on(Now now, const PeerId& from, LocalAnswered answer, Outbox& out) {
    const auto found = under_way_.find(answer.request);
    if (found == under_way_.end() || found->second.asked != from) return;
    auto* local = std::get_if<LocalJob>(&found->second.job);
    if (local == nullptr) return;
    const LocalDone done = std::move(local->done);
    under_way_.erase(found);
    if (answer.error.empty())
        done(now, std::move(answer.answer), out);
    else
        done(now, Error{answer.code, answer.error}, out);
}

std::string Courier::why_unanswered(const Request& request) {
    if (std::holds_alternative<LocalJob>(request.job))
        return "the peer that runs the allocation did not answer; is it alive? See `gctl members`";
    std::string why =
        "No cluster leader: no peer of the region's commit group answered as its leader in time. "
        "Running tasks go on; `gctl region status` shows what is missing";
    if (std::holds_alternative<SubmitJob>(request.job) && request.sent)
        why += ". What was submitted may yet be accepted: look before you repeat it";
    return why;
}

std::string Courier::why_in_vain(const Request& request) const {
    const auto* local = std::get_if<LocalJob>(&request.job);
    const Known* known =
        local == nullptr || local->peer == self_ ? nullptr : directory_.find(local->peer);
    if (known == nullptr) return "";
    const std::string name = known->card.description.name;
    if (known->liveness == Liveness::dead || known->liveness == Liveness::left)
        return "peer " + name + ", which is asked, is " + to_string(known->liveness) +
               "; see `gctl members`";
    if (known->agent_gone)
        return "the agent of peer " + name + ", which is asked, is gone: its tasks may run on, " +
               "and it answers when the agent runs again; see `gctl members`";
    return "";
}

void Courier::tick(Now now, Outbox& out) {
    std::vector<std::uint64_t> due;
    for (const auto& [id, request] : under_way_)
        if (request.next_try <= now.time || request.deadline <= now.time) due.push_back(id);
    for (const std::uint64_t id : due) {
        const auto found = under_way_.find(id);
        if (found == under_way_.end()) continue;
        std::string why = why_in_vain(found->second);
        if (why.empty() && found->second.deadline > now.time) {
            attempt(now, id, found->second, out);
            continue;
        }
        Request request = std::move(found->second);
        under_way_.erase(found);
        if (why.empty()) why = why_unanswered(request);
        fail(now, std::move(request), {Errc::unavailable, why}, out);
    }
}

void Courier::fail(Now now, Request request, Error error, Outbox& out) {
    if (auto* submit = std::get_if<SubmitJob>(&request.job))
        submit->done(now, std::move(error), out);
    else if (auto* ask = std::get_if<QueryJob>(&request.job))
        ask->done(now, std::move(error), out);
    else if (auto* local = std::get_if<LocalJob>(&request.job))
        local->done(now, std::move(error), out);
}

std::optional<TimePoint> Courier::next_wakeup() const {
    std::optional<TimePoint> soonest;
    for (const auto& [id, request] : under_way_) {
        const TimePoint due = std::min(request.next_try, request.deadline);
        if (!soonest || due < *soonest) soonest = due;
    }
    return soonest;
}

}  // namespace gaggle::node
