// Gossip's news: who is here goes to the directory, cards to the sockets, the gone to raft.
#include "gctl/node/node.h"

namespace gaggle::node {

namespace {

constexpr Duration kRosterDelay = 2s;
constexpr std::size_t kRosterMax = 64;

Liveness liveness_of(gossip::MemberState state) {
    switch (state) {
        case gossip::MemberState::alive: return Liveness::alive;
        case gossip::MemberState::suspect: return Liveness::suspect;
        case gossip::MemberState::dead: return Liveness::dead;
        case gossip::MemberState::left: return Liveness::left;
    }
    return Liveness::unknown;
}

}  // namespace

void Node::gossip(Now now, const gossip::Input& input) {
    gossip::Effects effects = swim_.step(now.time, input);
    for (gossip::Send& send : effects.sends) out_.send(send.to, GossipFrame{std::move(send.bytes)});
    std::move(effects.connect_tests.begin(), effects.connect_tests.end(),
              std::back_inserter(out_.effects.connect_tests));
    for (const gossip::Event& event : effects.events)
        std::visit([&](const auto& what) { news(now, what); }, event);
}

void Node::news(Now now, const gossip::CardLearned& learned) {
    learn_card(now, learned.peer, learned.card);
}

void Node::learn_card(Now now, const PeerId& peer, BytesView card) {
    const auto changed = directory_.learn(peer, card);
    if (!changed.ok()) return out_.warn(changed.error().detail);
    if (!*changed) return;
    out_.effects.endpoints[peer] = directory_.find(peer)->card.endpoint;
    out_.effects.keyring = directory_.keyring();
    if (!roster_due_) roster_due_ = now.time + kRosterDelay;
}

void Node::news(Now now, const gossip::MemberChanged& changed) {
    Known* known = directory_.find(changed.peer);
    if (known == nullptr) return;  // its card did not verify
    const bool was_gone = known->agent_gone;
    const Liveness was = known->liveness;
    known->liveness = liveness_of(changed.to);
    known->agent_gone = changed.member.agent_gone;
    known->restarting = changed.member.restarting;
    known->incarnation = changed.member.incarnation.value;
    known->start = changed.member.start;
    known->boot = changed.member.boot;
    if (known->agent_gone && !was_gone) agent_gone(now, changed.peer);
    catalogue_.heard(now, changed.peer, out_);
    if (was != known->liveness || known->agent_gone != was_gone)
        out_.note("peer " + known->card.description.name + " (" + short_text(changed.peer) +
                  ") is " + to_string(known->liveness) +
                  (known->agent_gone ? ", its agent is gone" : "") +
                  (changed.agent_restarted ? ", its agent has started anew" : ""));
}

/// Its port refuses: raft need not wait for a timeout.
void Node::agent_gone(Now now, const PeerId& peer) {
    if (!group_.is_replica()) return;
    for (const auto& [replica, number] : group_.configuration().peers)
        if (directory_.id_of(number) == peer) {
            act(now, group_.step(now, raft::AgentGone{replica}));
            return;
        }
}

void Node::news(Now now, const gossip::CapacityChanged& changed) {
    Known* known = directory_.find(changed.peer);
    if (known == nullptr) return;
    const auto state = decode<PeerState>(changed.record, "capacity record", Limits{.bytes = 1024});
    if (!state.ok()) {
        ++dropped_frames_;
        return;
    }
    known->state = *state;
    known->state_at = now.time - changed.age;
    catalogue_.heard(now, changed.peer, out_);
}

void Node::news(Now, const gossip::SelfRefuted& refuted) {
    out_.note("somebody suspected this peer; refuted with incarnation " +
              std::to_string(refuted.incarnation.value));
}

void Node::news(Now, const gossip::Isolated& isolated) {
    if (isolated.isolated)
        out_.warn("no other peer answers: this peer is isolated, its tasks run on");
    else
        out_.note("other peers answer again");
}

void Node::news(Now, const gossip::PartitionSuspected& suspected) {
    out_.warn(std::to_string(suspected.suspects) + " of " + std::to_string(suspected.members) +
              " peers fell silent together: a cut is suspected, nobody is declared dead for now");
}

/// Our own record, whenever it has changed. Others hear of a list of services no more often than of
/// the record that names it, so it is made no more often.
void Node::publish_state(Now now) {
    if (runs_.services_changed() && services_due_ <= now.time) {
        runs_.services_told();
        services_due_ = now.time + config_.gossip.capacity_interval;
        catalogue_.publish(now, runs_.services(), out_);
    }
    PeerState state;
    state.services = catalogue_.checksum();
    state.capacity.free = config_.offer.total;
    state.capacity.free -= runs_.used();
    state.capacity.allocations = runs_.count();
    state.capacity.eligible = state.store_works = !writer_.failed();
    state.role = role();
    // What others say of the leader is not passed on: a rumour with a newer term would never die.
    state.leader = leader_of_group();
    if (!state.leader.empty()) state.term = group_.role().term;
    Known& me = *directory_.find(self_);
    me.state = state;
    me.state_at = now.time;
    // Before, it would say that nothing runs here and no service is offered, and be believed.
    if (!runs_.recovered()) return;
    if (Bytes encoded = encode(state); encoded != published_) {
        published_ = encoded;
        gossip(now, gossip::SetCapacity{std::move(encoded)});
    }
}

void Node::save_roster() {
    roster_due_.reset();
    std::vector<std::pair<PeerId, Bytes>> cards;
    for (const auto& [id, known] : directory_.all())
        if (id != self_ && !directory_.expelled(id) && cards.size() < kRosterMax)
            cards.emplace_back(id, encode(known.card));
    writer_.put(kRosterKey, encode(cards));
}

}  // namespace gaggle::node
