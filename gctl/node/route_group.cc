// The commit group's output: to disk, to the other replicas, to whoever proposed, asked or must
// act.
#include "gctl/node/node.h"

namespace gaggle::node {

void Node::act(Now now, GroupOutput output) {
    if (output.persist) writer_.raft(std::move(*output.persist));
    for (const raft::Message& message : output.messages) send_raft(message);
    for (const std::string& warning : output.warnings) out_.warn(warning);
    if (output.role_changed) role_changed(now);
    for (const ledger::Applied& applied : output.applied) {
        learn_from_ledger(now, applied);
        keeper_.applied(now, applied, out_);
    }
    for (GroupOutput::Finished& finished : output.finished) {
        const auto found = proposals_.find(finished.proposal);
        if (found == proposals_.end()) continue;
        const Proposal proposal = found->second;
        proposals_.erase(found);
        proposed_.erase({proposal.from, proposal.request});
        out_.send(proposal.from, Submitted{.request = proposal.request,
                                           .outcome = finished.outcome,
                                           .result = std::move(finished.result),
                                           .leader = courier_.leader()});
    }
    for (const GroupOutput::Read& read : output.reads) board_.read_done(now, group_, read, out_);
    if (!output.applied.empty() || output.restored) board_.changed(now, group_, out_);
    if (output.restored) learn_everybody(now);
    courier_.set_full_copy(group_.full_copy());
    if (output.halted) end_replica(now, *output.halted);
}

void Node::send_raft(const raft::Message& message) {
    const auto& peers = group_.configuration().peers;
    const auto member = peers.find(message.to);
    std::optional<PeerId> to =
        member == peers.end() ? std::nullopt : directory_.id_of(member->second);
    if (!to) {
        const auto heard = replicas_.find(message.to);
        if (heard == replicas_.end()) return;
        to = heard->second;
    }
    out_.send(*to, RaftFrame{raft::encode_message(message)}, raft::is_bulk(message));
}

/// As the own replica knows it, no hearsay; empty: it knows none, or there is no replica.
PeerId Node::leader_of_group() const {
    if (group_.leading()) return self_;
    if (!group_.is_replica() || !group_.role().leader) return {};
    const auto& peers = group_.configuration().peers;
    const auto found = peers.find(*group_.role().leader);
    if (found == peers.end()) return {};
    return directory_.id_of(found->second).value_or(PeerId{});
}

void Node::role_changed(Now now) {
    courier_.set_leader(leader_of_group(), true);
    keeper_.role_changed(now);
    steward_.role_changed(now);
    presence_.soon();
    if (!group_.leading()) return;
    out_.note("this peer leads the commit group in term " +
              std::to_string(group_.role().term.value));
    if (founding_ && !group_.ledger().founded()) {
        const std::uint64_t id = next_proposal_++;
        act(now, group_.propose(now, id, *founding_));
    }
}

void Node::learn_from_ledger(Now now, const ledger::Applied& applied) {
    if (!applied.keyring_changed) return;
    learn_everybody(now);
}

/// Keys of the admitted and the expelled, as a full copy has them.
void Node::learn_everybody(Now now) {
    for (const auto& [number, peer] : group_.ledger().peers()) {
        directory_.set_number(peer.who.id, number);
        if (!directory_.expelled(peer.who.id) && !directory_.keyring().lookup(peer.who.id))
            if (const auto admitted = directory_.admit(peer.who.certificate); !admitted.ok())
                out_.warn(admitted.error().detail);
    }
    for (const auto& [peer, statement] : group_.ledger().expulsions()) {
        const auto expelled = directory_.expel(statement);
        if (expelled.ok() && *expelled) spread_expulsion(now, statement);
    }
    out_.effects.keyring = directory_.keyring();
}

/// The agent lives on as a spare, says so in gossip and is replaced.
void Node::end_replica(Now now, const std::string& why) {
    if (!group_.is_replica()) return;
    out_.warn("this peer's part in the commit group has ended: " + why);
    std::vector<Proposal> open;
    for (const auto& [id, proposal] : proposals_) open.push_back(proposal);
    proposals_.clear();
    proposed_.clear();
    ended_ = group_.self();
    group_.end();
    courier_.set_full_copy(false);
    board_.dismiss(out_);
    role_changed(now);
    for (const Proposal& proposal : open)
        out_.send(proposal.from, Submitted{.request = proposal.request,
                                           .outcome = Submitted::Outcome::not_leader});
}

}  // namespace gaggle::node
