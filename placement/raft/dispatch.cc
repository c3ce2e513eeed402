// The gate that every message passes: is it for this replica, and what does its term say?
#include "placement/raft/raft.h"

namespace gaggle::raft {

void Replica::on(const Received& received) {
    const Message& message = received.message;
    if (message.region != config_.region || message.epoch != config_.epoch ||
        message.to != config_.self || message.from == config_.self || message.from == ReplicaId{}) {
        ++counters_.stray;
        return;
    }
    receive(message);
}

void Replica::receive(const Message& message) {
    if (message.term > hard_.term && !admit_later_term(message)) return;
    if (message.term < hard_.term) return answer_earlier_term(message);
    std::visit([&](const auto& body) { handle(message, body); }, message.body);
}

/// Adopts a later term, unless the message only asks about one. False: the message ends here.
bool Replica::admit_later_term(const Message& message) {
    if (std::holds_alternative<PreVote>(message.body)) return true;
    if (const auto* reply = std::get_if<PreVoteReply>(&message.body); reply && reply->granted)
        return true;
    if (const auto* vote = std::get_if<Vote>(&message.body))
        if (!vote->transfer && protects_leader(message.from)) return false;
    const bool from_leader = std::holds_alternative<Append>(message.body) ||
                             std::holds_alternative<Heartbeat>(message.body) ||
                             std::holds_alternative<InstallSnapshot>(message.body);
    become_follower(message.term, from_leader ? std::optional(message.from) : std::nullopt);
    return true;
}

/// Tells a sender that lives in the past, so that it cannot wait there for ever. Answers to what
/// this replica asked in an earlier term are of no use any more.
void Replica::answer_earlier_term(const Message& message) {
    if (std::holds_alternative<PreVote>(message.body))
        return send(After::hard_state, message.from, hard_.term, PreVoteReply{.granted = false});
    if (std::holds_alternative<Vote>(message.body))
        return send(After::hard_state, message.from, hard_.term, VoteReply{.granted = false});
    if (std::holds_alternative<Append>(message.body) ||
        std::holds_alternative<Heartbeat>(message.body) ||
        std::holds_alternative<InstallSnapshot>(message.body))
        return send(After::hard_state, message.from, hard_.term, AppendReply{.rejected = true});
    ++counters_.outdated;
}

/// Whether a leader is alive as far as this replica knows, so that nobody else gets its vote.
/// Whoever asks for votes is not leading itself, whatever we believed (hashicorp/raft#605).
bool Replica::protects_leader(ReplicaId from) const {
    if (std::holds_alternative<Leader>(role_)) return true;
    const auto* follower = std::get_if<Follower>(&role_);
    return follower && follower->leader && *follower->leader != from &&
           now_ - follower->heard < config_.election_timeout;
}

/// Sends at once. Only for what does not promise anything new: the term it names was durable
/// before.
void Replica::send(ReplicaId to, Body body) {
    Term term = hard_.term;
    if (std::holds_alternative<PreVote>(body))
        ++term.value;
    else
        INVARIANT(journal_.hard_state_durable());
    out_.now.push_back({config_.region, config_.epoch, config_.self, to, term, std::move(body)});
}

void Replica::send(After what, ReplicaId to, Term term, Body body) {
    const auto hold =
        what == After::hard_state ? Journal::HoldFor::hard_state : Journal::HoldFor::everything;
    journal_.send(hold, {config_.region, config_.epoch, config_.self, to, term, std::move(body)},
                  out_.now);
}

}  // namespace gaggle::raft
