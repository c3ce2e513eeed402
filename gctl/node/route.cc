// Frames: one function per kind, each hands its frame to the part that it is for.
#include "gctl/node/node.h"
#include "gctl/node/permit.h"

namespace gaggle::node {

namespace {

constexpr std::size_t kProposalsMax = 16'384;  // of others, unanswered; then we are busy

}  // namespace

void Node::route(Now now, const PeerId& from, Frame& frame) {
    std::visit([&](auto& body) { take(now, from, body); }, frame.body);
}

void Node::take(Now now, const PeerId& from, GossipFrame& frame) {
    gossip(now, gossip::Received{from, std::move(frame.bytes)});
}

void Node::take(Now now, const PeerId& from, RaftFrame& frame) {
    auto message = raft::decode_message(frame.bytes);
    const Known* sender = directory_.find(from);
    const bool may_vote = sender != nullptr && sender->rights.has(Right::vote);
    const bool ours = may_vote && message.ok() && message->region == config_.region &&
                      message->epoch == config_.epoch;
    if (!ours) {
        ++dropped_frames_;
        return;
    }
    // A replica speaks only for its own peer.
    const PeerNumber expected = [&] {
        const auto& peers = group_.configuration().peers;
        const auto found = peers.find(message->from);
        return found == peers.end() ? PeerNumber{} : found->second;
    }();
    if (expected.value != 0 && directory_.id_of(expected) != from) {
        ++dropped_frames_;
        return;
    }
    std::erase_if(replicas_, [&](const auto& heard) { return heard.second == from; });
    replicas_[message->from] = from;
    const bool other_life = group_.is_replica() && group_.self() < message->to;
    if (other_life) end_replica(now, "this peer was added to the commit group anew");
    if (!group_.is_replica()) {
        const bool for_us = ended_ < message->to && !writer_.failed();
        if (!for_us || beginning_) return;
        // Durable first: a replica that forgot who it is could vote twice.
        beginning_ = true;
        writer_.begin_replica(message->to, [this, id = message->to](Now then, Outbox&) {
            beginning_ = false;
            if (!group_.is_replica()) act(then, group_.start(then, id, {}));
        });
        return;
    }
    act(now, group_.step(now, raft::Received{std::move(*message)}));
}

void Node::take(Now now, const PeerId& from, ReplicaFrame& frame) {
    on(now, replica::Input(replica::Received{from, std::move(frame.bytes)}));
}

void Node::take(Now now, const PeerId& from, Submit& frame) {
    if (!proposed_.insert({from, frame.request}).second) return;  // on its way already
    auto what = decode<ledger::Command::What>(frame.what, "command", ledger::kCommandLimits);
    if (!what.ok()) {
        proposed_.erase({from, frame.request});
        out_.send(from,
                  Submitted{.request = frame.request,
                            .outcome = Submitted::Outcome::applied,
                            .result = {.index = {}, .refused = true, .why = what.error().detail}});
        return;
    }
    const bool too_many = proposals_.size() >= kProposalsMax;
    if (too_many || (group_.leading() && !group_.ready())) {  // not yet able to judge
        proposed_.erase({from, frame.request});
        out_.send(from, Submitted{.request = frame.request, .outcome = Submitted::Outcome::busy});
        return;
    }
    const Permit permit{self_, config_.authority, config_.region};
    if (const auto refused =
            group_.leading() ? refusal(permit, group_.ledger(), from, *what) : std::nullopt) {
        proposed_.erase({from, frame.request});
        out_.send(from, Submitted{.request = frame.request,
                                  .outcome = Submitted::Outcome::applied,
                                  .result = {.index = {}, .refused = true, .why = *refused}});
        return;
    }
    const std::uint64_t id = next_proposal_++;
    proposals_[id] = {from, frame.request};
    act(now, group_.propose(now, id, std::move(*what)));
}

void Node::take(Now now, const PeerId& from, Submitted& frame) {
    courier_.on(now, from, frame, out_);
}

void Node::take(Now now, const PeerId& from, AskQuery& frame) {
    GroupOutput output;
    board_.ask(now, group_, from, frame, output, out_);
    act(now, std::move(output));
}

void Node::take(Now now, const PeerId& from, AskAnswer& frame) {
    courier_.on(now, from, std::move(frame), out_);
}

void Node::take(Now now, const PeerId& from, Hello& frame) { keeper_.on(now, from, frame, out_); }

void Node::take(Now now, const PeerId& from, HelloAnswer& frame) {
    runs_.heard();
    if (frame.leader && frame.number.value != 0 && frame.number != config_.number) {
        config_.number = frame.number;
        claimant_.set_number(frame.number);
        runs_.set_number(frame.number);
        copies_.set_number(frame.number);
        directory_.set_number(self_, frame.number);
        admission_.set_own_card(own_card());
        gossip(now, gossip::SetCard{own_card()});
    }
    presence_.on(now, from, frame, out_);
}

void Node::take(Now now, const PeerId& from, OrdersFrame& frame) {
    // Only a full copy of our region may order (DESIGN section 11): a peer with the right to vote
    // that does not call itself a spare.
    const Known* known = directory_.find(from);
    const bool may_vote = known != nullptr && known->rights.has(Right::vote);
    const bool full_copy = may_vote && (!known->state || known->state->role != Role::spare);
    if (full_copy) runs_.on(now, frame, out_);
}

void Node::take(Now now, const PeerId&, DoEvaluation& frame) { claimant_.on(now, frame, out_); }

void Node::take(Now now, const PeerId&, ExpelledFrame& frame) {
    const auto expelled = directory_.expel(frame.statement);
    if (!expelled.ok()) return out_.warn("expulsion: " + expelled.error().detail);
    if (!*expelled) return;
    spread_expulsion(now, frame.statement);
}

void Node::take(Now, const PeerId& from, AskServices& frame) { catalogue_.on(from, frame, out_); }

void Node::take(Now, const PeerId& from, ServicesAnswer& frame) {
    catalogue_.on(from, frame, out_);
}

void Node::spread_expulsion(Now now, const Bytes& statement) {
    out_.effects.keyring = directory_.keyring();
    std::vector<Bytes> all;
    for (const auto& [peer, signed_statement] : directory_.statements()) {
        all.push_back(signed_statement);
        catalogue_.heard(now, peer, out_);
    }
    writer_.put(kExpelledKey, encode(all));
    for (const auto& [id, known] : directory_.all()) {
        // Whom it is about hears it, too: nothing it says is heard any more, but we may still dial.
        const auto about = directory_.statements().find(id);
        const bool concerned = about == directory_.statements().end() || about->second == statement;
        if (id != self_ && known.liveness == Liveness::alive && concerned)
            out_.send(id, ExpelledFrame{statement});
    }
    const auto mine = directory_.statements().find(self_);
    if (mine != directory_.statements().end() && mine->second == statement)
        out_.warn(kSelfExpelled);
}

}  // namespace gaggle::node
