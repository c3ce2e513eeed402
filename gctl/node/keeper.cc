#include "gctl/node/keeper.h"

#include "gctl/node/presence.h"

namespace gaggle::node {

Keeper::Keeper(const Directory& directory, const Group& group, Courier& courier, Rng rng)
    : directory_(directory), group_(group), courier_(courier), rng_(rng) {}

void Keeper::role_changed(Now now) {
    const bool leads = group_.leading();
    if (leads && !leading_) leading_since_ = due_ = now.time;
    leading_ = leads;
    handing_out_.clear();
    gone_since_.clear();
}

void Keeper::on(Now now, const PeerId& from, const Hello& hello, Outbox& out) {
    static_cast<void>(now);
    HelloAnswer answer{
        .leader = leading_, .who = courier_.leader(), .applied = group_.ledger().applied()};
    const ledger::PeerRecord* peer = group_.full_copy() ? group_.ledger().peer(from) : nullptr;
    if (peer == nullptr) {
        out.send(from, answer);
        return;
    }
    if (leading_) {
        answer.number = peer->number;
        answer.offer_wanted = peer->start != hello.start || peer->boot != hello.boot ||
                              hello.offer != offer_checksum(peer->books.offer, peer->description);
    }
    out.send(from, answer);
    // Any full copy may say what it knows: who has newer orders refuses these.
    const Epoch epoch = group_.ledger().epoch();
    const bool behind = hello.orders_epoch < epoch ||
                        (hello.orders_epoch == epoch && hello.orders_index < peer->orders_index);
    if (behind) push_orders(peer->number, out);
    if (!leading_) return;
    if (hello.expelled < directory_.statements().size())
        for (const auto& [id, statement] : directory_.statements())
            out.send(from, ExpelledFrame{statement});
}

void Keeper::push_orders(PeerNumber number, Outbox& out) {
    const ledger::PeerRecord* peer = group_.ledger().peer(number);
    if (peer == nullptr) return;
    out.send(peer->who.id, OrdersFrame{encode(group_.ledger().orders_for(number))});
}

void Keeper::applied(Now now, const ledger::Applied& applied, Outbox& out) {
    if (!leading_) return;
    for (const PeerNumber number : applied.orders_changed) push_orders(number, out);
    if (!applied.evaluations.empty()) hand_out(now, out);
}

void Keeper::tick(Now now, Outbox& out) {
    if (!leading_ || due_ > now.time) return;
    due_ = now.time + kKeeperInterval;
    if (!group_.full_copy()) return;
    advance(now, out);
    watch(now, out);
    hand_out(now, out);
}

std::optional<TimePoint> Keeper::next_wakeup() const {
    if (!leading_) return std::nullopt;
    return due_;
}

void Keeper::say(Now now, const std::string& about, const ledger::Command::What& what,
                 Outbox& out) {
    if (!saying_.insert(about).second) return;
    courier_.submit(
        now, what, 5s, [this, about](Now, Result<CommandResult>, Outbox&) { saying_.erase(about); },
        out);
}

/// Log time moves with commands only: when something is due by time alone, say so.
void Keeper::advance(Now now, Outbox& out) {
    const auto deadline = group_.ledger().next_deadline();
    if (deadline && *deadline <= group_.log_time(now)) say(now, "advance", ledger::Advance{}, out);
}

void Keeper::watch(Now now, Outbox& out) {
    for (const auto& [number, peer] : group_.ledger().peers()) watch(now, peer, out);
}

/// Gossip's word about one peer, said to the ledger where the two differ.
void Keeper::watch(Now now, const ledger::PeerRecord& peer, Outbox& out) {
    const Known* known = directory_.find(peer.who.id);
    const bool seen = known != nullptr && known->liveness != Liveness::unknown;
    const PeerNumber number = peer.number;
    const std::string about = "peer " + std::to_string(number.value);
    if (peer.status == ledger::PeerStatus::ready && peer.who.id != out.self) {
        const bool unseen = !seen && now.time - leading_since_ > kUnseenAfter;
        const bool gone = seen && (known->liveness == Liveness::dead ||
                                   known->liveness == Liveness::left || known->agent_gone);
        if (!gone) gone_since_.erase(number);
        // Another start than the ledger's: it may be about to say so. It may also have died first.
        const TimePoint since =
            gone ? gone_since_.try_emplace(number, now.time).first->second : now.time;
        const bool lost = gone && (known->start == peer.start || now.time - since > kUnseenAfter);
        if (unseen || lost)
            say(now, about,
                ledger::PeerLost{.peer = peer.number, .start = peer.start, .boot = peer.boot}, out);
    } else if (peer.status == ledger::PeerStatus::down) {
        const bool back = seen && known->liveness == Liveness::alive && !known->agent_gone &&
                          known->start == peer.start && known->boot == peer.boot;
        if (back)
            say(now, about,
                ledger::PeerBack{.peer = peer.number, .start = peer.start, .boot = peer.boot}, out);
    }
}

/// Any live peer that may submit; the work is small and spreads by itself.
std::optional<std::pair<PeerNumber, PeerId>> Keeper::worker() {
    std::vector<std::pair<PeerNumber, PeerId>> fit;
    for (const auto& [id, known] : directory_.all()) {
        const bool able = known.liveness == Liveness::alive && !known.agent_gone &&
                          known.rights.has(Right::submit);
        if (able && known.card.number.value != 0) fit.emplace_back(known.card.number, id);
    }
    if (fit.empty()) return std::nullopt;
    return rng_.pick(std::span<std::pair<PeerNumber, PeerId>>(fit));
}

void Keeper::hand_out(Now now, Outbox& out) {
    // What found no place before comes last: it may well find none again.
    hand_out(now, false, out);
    hand_out(now, true, out);
}

void Keeper::hand_out(Now now, bool found_none, Outbox& out) {
    for (const EvalId& id : group_.ledger().workable()) {
        const ledger::EvalRecord* eval = group_.ledger().eval(id);
        if ((eval->trigger == ledger::Trigger::queued_allocs) != found_none) continue;
        if (handing_out_.size() >= kHandedOutMax) return;
        const auto chosen = worker();
        if (!chosen) return;
        if (!handing_out_.insert(id).second) continue;
        const ledger::EvalTaken taken{.eval = id, .peer = chosen->first, .lease = kEvaluationLease};
        const DoEvaluation task{.eval = id, .job = eval->job, .since = eval->since};
        courier_.submit(
            now, taken, 5s,
            [this, task, to = chosen->second](Now, Result<CommandResult> result, Outbox& box) {
                handing_out_.erase(task.eval);
                if (result.ok() && !result->refused) box.send(to, task);
            },
            out);
    }
}

}  // namespace gaggle::node
