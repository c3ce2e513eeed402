// Elections: asking first, then asking in earnest, and answering both.
#include <algorithm>

#include "placement/raft/raft.h"

namespace gaggle::raft {

Duration Replica::draw_patience() {
    const std::int64_t most = config_.election_timeout.count();
    return Duration{most + static_cast<std::int64_t>(rng_.below(static_cast<std::uint64_t>(most)))};
}

/// A voter, or one that may still be a voter as far as anything committed says: the group can
/// need it to win (thesis, section 4.2.2). Such a one asks for votes and does not count itself.
bool Replica::may_campaign() const {
    for (auto each = log_.configurations().rbegin(); each != log_.configurations().rend(); ++each) {
        if (each->second.is_voter(config_.self)) return true;
        if (each->first <= commit_) return false;
    }
    return false;
}

bool Replica::alone() const {
    const Configuration& configuration = log_.configuration();
    return !configuration.joint() && configuration.voters == std::set<ReplicaId>{config_.self};
}

void Replica::campaign() {
    PreCandidate asking{.deadline = now_ + draw_patience()};
    asking.votes.record(config_.self, true);
    const Outcome outcome = asking.votes.outcome(log_.configuration());
    role_ = std::move(asking);
    if (outcome == Outcome::won) return become_candidate(false);
    for (const auto& [id, peer] : log_.configuration().peers)
        if (id != config_.self && log_.configuration().is_voter(id))
            send(id, PreVote{.last_index = log_.last(), .last_term = log_.last_term()});
}

/// Everything here leaves only when term, own vote and the whole tail are durable, the own vote
/// included: a candidate that could forget its log or its vote must not win by them.
void Replica::become_candidate(bool transfer) {
    hard_ = {.term = Term{hard_.term.value + 1}, .vote = config_.self};
    journal_.changed_hard_state();
    role_ = Candidate{.deadline = now_ + draw_patience()};
    send(After::everything, config_.self, hard_.term, VoteReply{.granted = true});
    for (const auto& [id, peer] : log_.configuration().peers)
        if (id != config_.self && log_.configuration().is_voter(id))
            send(After::everything, id, hard_.term,
                 Vote{.last_index = log_.last(),
                      .last_term = log_.last_term(),
                      .transfer = transfer});
}

void Replica::handle(const Message& message, const PreVote& body) {
    const bool granted = message.term > hard_.term &&
                         log_.up_to_date(body.last_index, body.last_term) &&
                         !protects_leader(message.from);
    // A grant names the term that was asked about: with our own, an asker from the past would be
    // deaf to it.
    send(After::hard_state, message.from, granted ? message.term : hard_.term,
         PreVoteReply{.granted = granted});
}

void Replica::handle(const Message& message, const PreVoteReply& body) {
    auto* asking = std::get_if<PreCandidate>(&role_);
    if (!asking || (body.granted && message.term.value != hard_.term.value + 1)) return;
    asking->votes.record(message.from, body.granted);
    switch (asking->votes.outcome(log_.configuration())) {
        case Outcome::pending: return;
        case Outcome::won: return become_candidate(false);
        case Outcome::lost: return become_follower(hard_.term, std::nullopt);
    }
}

/// Our log is compared as it is in memory, tail included. That is stricter than what is on disk,
/// except behind a cut, and the answer waits until the cut is on disk too.
void Replica::handle(const Message& message, const Vote& body) {
    const bool free = !hard_.vote && !known_leader();
    const bool granted =
        (free || hard_.vote == message.from) && log_.up_to_date(body.last_index, body.last_term);
    if (granted && !hard_.vote) {
        hard_.vote = message.from;
        journal_.changed_hard_state();
    }
    if (granted && !std::holds_alternative<Leader>(role_))
        become_follower(hard_.term, known_leader());
    send(granted ? After::everything : After::hard_state, message.from, hard_.term,
         VoteReply{.granted = granted});
}

void Replica::handle(const Message& message, const VoteReply& body) {
    auto* candidate = std::get_if<Candidate>(&role_);
    if (!candidate) return;
    candidate->votes.record(message.from, body.granted);
    switch (candidate->votes.outcome(log_.configuration())) {
        case Outcome::pending: return;
        case Outcome::won: return become_leader();
        case Outcome::lost: return become_follower(hard_.term, std::nullopt);
    }
}

}  // namespace gaggle::raft
