#include "gctl/node/steward.h"

namespace gaggle::node {

namespace {

constexpr Duration kSilentMax =
    300ms;  // a member that answered no heartbeat for so long is not healthy

raft::Prospect::Seen seen(const Known* known) {
    if (known == nullptr) return raft::Prospect::Seen::dead;
    switch (known->liveness) {
        case Liveness::alive: return raft::Prospect::Seen::alive;
        case Liveness::suspect: return raft::Prospect::Seen::suspect;
        case Liveness::left: return raft::Prospect::Seen::left;
        case Liveness::unknown:
        case Liveness::dead: return raft::Prospect::Seen::dead;
    }
    return raft::Prospect::Seen::dead;
}

}  // namespace

Steward::Steward(const Directory& directory, const Group& group)
    : directory_(directory), group_(group) {}

void Steward::role_changed(Now now) {
    const bool leads = group_.leading();
    if (leads && !leading_) {
        history_ = {};
        history_.leading_since = due_ = now.time;
    }
    leading_ = leads;
}

std::optional<TimePoint> Steward::next_wakeup() const {
    if (!leading_) return std::nullopt;
    return due_;
}

raft::Prospect Steward::candidate(Now now, const ledger::PeerRecord& peer,
                                  const raft::Status& status) {
    const Known* known = directory_.find(peer.who.id);
    raft::Prospect out{.peer = peer.number, .datacenter = peer.description.datacenter};
    out.seen = seen(known);
    const bool expelled = peer.status == ledger::PeerStatus::expelled;
    out.may_vote = !expelled && Rights{static_cast<std::uint8_t>(peer.who.rights)}.has(Right::vote);
    out.withdrawn = expelled || (known != nullptr && known->state && !known->state->store_works);
    bool healthy = out.seen == raft::Prospect::Seen::alive && !known->agent_gone;
    const raft::ReplicaId replica = status.configuration.replica_of(peer.number);
    if (replica == status.self) {
        out.caught_up = true;
        healthy = true;
    }
    for (const raft::Standing& standing : status.others) {
        if (standing.id != replica) continue;
        out.silent = standing.silent;
        out.caught_up = standing.caught_up;
        healthy = healthy && standing.silent < kSilentMax;
    }
    health_.observe(now.time, peer.number, healthy);
    out.healthy_for = health_.healthy_for(now.time, peer.number);
    out.stable = health_.stable(now.time, peer.number);
    return out;
}

std::optional<raft::Input> Steward::tick(Now now, Outbox& out) {
    if (!leading_ || due_ > now.time) return std::nullopt;
    due_ = now.time + kStewardInterval;
    if (!group_.full_copy()) return std::nullopt;
    const raft::Status status = group_.status();
    raft::PlannerInput input{
        .now = now.time, .configuration = status.configuration, .settled = status.settled};
    input.self = status.configuration.peers.at(status.self);
    for (const auto& [number, peer] : group_.ledger().peers()) {
        const bool member = status.configuration.replica_of(number).value != 0;
        if (member || peer.status != ledger::PeerStatus::expelled)
            input.candidates.push_back(candidate(now, peer, status));
    }
    input.history = history_;
    const raft::Plan plan = raft::plan(input);
    note(plan.why);
    asked_ = {input, plan};
    if (const auto* add = std::get_if<raft::AddLearner>(&plan.step))
        return raft::ChangeConfiguration{kChangeId, *add};
    if (const auto* set = std::get_if<raft::SetVoters>(&plan.step)) {
        out.note("the commit group changes: " + plan.why);
        return raft::ChangeConfiguration{kChangeId, *set};
    }
    if (const auto* drop = std::get_if<raft::DropLearner>(&plan.step))
        return raft::ChangeConfiguration{kChangeId, *drop};
    if (const auto* transfer = std::get_if<raft::TransferTo>(&plan.step)) return *transfer;
    return std::nullopt;
}

void Steward::taken() {
    if (asked_) raft::remember(history_, asked_->first, asked_->second);
    asked_.reset();
}

void Steward::note(const std::string& why) {
    if (why.empty() || (!notes_.empty() && notes_.back() == why)) return;
    notes_.push_back(why);
    if (notes_.size() > kNotesKept) notes_.pop_front();
}

}  // namespace gaggle::node
