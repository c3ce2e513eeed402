#include "gctl/node/board.h"

#include <algorithm>

#include "gctl/node/answer.h"

namespace gaggle::node {

namespace {

PeerId id_of(const ledger::Ledger& ledger, PeerNumber number) {
    const ledger::PeerRecord* peer = ledger.peer(number);
    return peer != nullptr ? peer->who.id : PeerId{};
}

}  // namespace

RegionStatus region_status(const Group& group) {
    RegionStatus out;
    const ledger::Ledger& ledger = group.ledger();
    out.id = ledger.region();
    out.name = ledger.region_name();
    out.epoch = ledger.epoch();
    if (!group.is_replica()) return out;
    const raft::Status status = group.status();
    out.term = status.term;
    out.last = status.last;
    out.commit = status.commit;
    out.applied = status.applied;
    for (const auto& [id, number] : status.configuration.peers) {
        GroupMember member{.peer = id_of(ledger, number), .number = number};
        member.role = status.configuration.is_voter(id) ? Role::voter : Role::standby;
        member.leader = status.leader == id;
        if (member.leader) out.leader = member.peer;
        for (const raft::Standing& standing : status.others)
            if (standing.id == id) {
                member.match = standing.match;
                member.silent = standing.silent;
            }
        if (id == status.self) member.match = status.durable;
        out.members.push_back(std::move(member));
    }
    out.has_quorum = status.leader.has_value();
    return out;
}

void Board::ask(Now now, Group& group, const PeerId& from, const AskQuery& what,
                GroupOutput& group_out, Outbox& out) {
    if (!group.full_copy() || parked_.size() >= kParkedMax ||
        (!what.query.stale && !group.leading())) {
        out.send(from, AskAnswer{.request = what.request, .served = false, .answer = {}});
        return;
    }
    const std::uint64_t id = next_id_++;
    const Duration wait = std::clamp(what.query.wait, Duration(1s), Duration(kBlockingMax));
    parked_[id] = {from, what.request, what.query, now.time + wait, what.query.stale};
    if (what.query.stale) {
        settle(now, group, id, out);
    } else {
        group_out = group.read(now, id);
    }
}

void Board::read_done(Now now, const Group& group, const GroupOutput::Read& read, Outbox& out) {
    const auto found = parked_.find(read.id);
    if (found == parked_.end()) return;
    if (read.ok) {
        found->second.certain = true;
        settle(now, group, read.id, out);
        return;
    }
    out.send(found->second.from,
             AskAnswer{.request = found->second.request, .served = false, .answer = {}});
    parked_.erase(found);
}

/// Answers what is certain and new enough (or out of time).
void Board::settle(Now now, const Group& group, std::uint64_t id, Outbox& out) {
    const auto found = parked_.find(id);
    const Parked& parked = found->second;
    if (!parked.certain) return;
    const bool new_enough = index_of(group.ledger(), parked.query) > parked.query.index;
    if (!new_enough && parked.deadline > now.time) return;
    reply(now, group, parked, out);
    parked_.erase(found);
}

void Board::reply(Now now, const Group& group, const Parked& parked, Outbox& out) {
    AskAnswer message{.request = parked.request,
                      .served = true,
                      .answer = answer_from(group.ledger(), parked.query)};
    const raft::Status status = group.status();
    message.answer.known_leader = status.leader.has_value();
    if (!group.leading()) message.answer.last_contact = now.time - status.leader_heard;
    if (parked.query.kind == QueryKind::region) message.answer.region = region_status(group);
    out.send(parked.from, std::move(message));
}

void Board::changed(Now now, const Group& group, Outbox& out) {
    std::vector<std::uint64_t> ids;
    for (const auto& [id, parked] : parked_) ids.push_back(id);
    for (const std::uint64_t id : ids) settle(now, group, id, out);
}

void Board::tick(Now now, const Group& group, Outbox& out) {
    std::vector<std::uint64_t> due;
    for (const auto& [id, parked] : parked_)
        if (parked.deadline <= now.time) due.push_back(id);
    for (const std::uint64_t id : due) {
        if (!parked_.at(id).certain) {
            read_done(now, group, {id, false}, out);
        } else {
            settle(now, group, id, out);
        }
    }
}

void Board::dismiss(Outbox& out) {
    for (const auto& [id, parked] : parked_)
        out.send(parked.from, AskAnswer{.request = parked.request, .served = false, .answer = {}});
    parked_.clear();
}

std::optional<TimePoint> Board::next_wakeup() const {
    std::optional<TimePoint> soonest;
    for (const auto& [id, parked] : parked_)
        if (!soonest || parked.deadline < *soonest) soonest = parked.deadline;
    return soonest;
}

}  // namespace gaggle::node
