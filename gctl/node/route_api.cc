// Requests of the outside: each goes to the part or the peer that can answer it.
#include "gctl/node/node.h"

namespace gaggle::node {

namespace {

constexpr Duration kQueryPatience = 8s;

}  // namespace

void Node::serve(Now now, std::uint64_t id, const Query& query) {
    Query asked = query;
    asked.wait = std::clamp(asked.wait, Duration(0), Duration(kBlockingMax));
    const Duration patience = kQueryPatience + (asked.index > 0 ? asked.wait : Duration(0));
    api_asks_[id] = 0;
    const std::uint64_t request = courier_.ask(
        now, std::move(asked), patience,
        [this, id](Now then, Result<Answer> answer, Outbox& out) {
            api_asks_.erase(id);
            if (answer.ok())
                add_ages(then, id, std::move(*answer), out);
            else
                out.effects.replies.push_back({id, answer.error()});
        },
        out_);
    if (const auto found = api_asks_.find(id); found != api_asks_.end()) found->second = request;
}

/// Copy ages are never in the log: the holders are asked.
void Node::add_ages(Now now, std::uint64_t id, Answer answer, Outbox& out) {
    const bool one = answer.allocs.size() == 1 && answer.slots.size() == 1;
    if (!one || answer.slots.front().second.copies.empty()) {
        out.effects.replies.push_back({id, ApiReply::What(std::move(answer))});
        return;
    }
    const auto& [slot, record] = answer.slots.front();
    std::vector<ledger::PeerRecord> holders;
    for (const ledger::PeerRecord& peer : answer.peers)
        if (record.copies.contains(peer.number)) holders.push_back(peer);
    copies_.ages(
        now, lineage_of(slot), holders,
        [id, answer = std::move(answer)](Now, std::vector<CopyState> copies, Outbox& box) mutable {
            answer.copies = std::move(copies);
            box.effects.replies.push_back({id, ApiReply::What(std::move(answer))});
        },
        out);
}

void Node::serve(Now now, std::uint64_t id, const RegisterJob& what) {
    claimant_.on(now, id, what, out_);
}
void Node::serve(Now now, std::uint64_t id, const PlanJob& what) {
    claimant_.on(now, id, what, out_);
}
void Node::serve(Now now, std::uint64_t id, const DeregisterJob& what) {
    claimant_.on(now, id, what, out_);
}

MemberInfo Node::member_info(Now now, const PeerId& id, const Known& known) const {
    MemberInfo info;
    info.id = id;
    info.number = known.card.number;
    info.name = known.card.description.name;
    info.region = config_.region_name;
    info.state = to_string(known.liveness);
    info.agent_gone = known.agent_gone;
    info.endpoint = known.card.endpoint;
    info.description = known.card.description;
    if (known.state) info.peer_state = *known.state;
    info.state_age = now.time - known.state_at;
    info.incarnation = known.incarnation;
    return info;
}

void Node::serve(Now now, std::uint64_t id, const ListMembers&) {
    Members members{.self = self_, .members = {}};
    for (const auto& [peer, known] : directory_.all())
        if (!directory_.expelled(peer)) members.members.push_back(member_info(now, peer, known));
    out_.effects.replies.push_back({id, ApiReply::What(std::move(members))});
}

void Node::serve(Now now, std::uint64_t id, const DescribeSelf&) {
    SelfInfo info{.member = member_info(now, self_, *directory_.find(self_)),
                  .region = region_status(group_)};
    info.region.notes = steward_.notes();
    info.region.leader = courier_.leader();
    if (info.region.name.empty()) {
        info.region.id = config_.region;
        info.region.name = config_.region_name;
        info.region.epoch = config_.epoch;
    }
    out_.effects.replies.push_back({id, ApiReply::What(std::move(info))});
}

void Node::serve(Now now, std::uint64_t id, const ExpelPeer& what) {
    const auto expulsion =
        decode<Expulsion>(what.statement, "expulsion", Limits{.fields = Fields::exact});
    const auto refuse = [&](Error error) {
        out_.effects.replies.push_back({id, std::move(error)});
    };
    if (!expulsion.ok()) return refuse(expulsion.error());
    if (const auto valid = verify(*expulsion, config_.authority, config_.region); !valid.ok())
        return refuse(valid.error());
    submit_for(now, id,
               ledger::Expel{.peer = expulsion->body.peer,
                             .reason = "expelled",
                             .statement = what.statement});
}

void Node::serve(Now now, std::uint64_t id, const CollectAll&) {
    submit_for(now, id, ledger::Collect{});
}

/// A command whose answer is yes or no.
void Node::submit_for(Now now, std::uint64_t id, const ledger::Command::What& what) {
    courier_.submit(
        now, what, kQueryPatience,
        [id](Now, Result<CommandResult> result, Outbox& out) {
            if (!result.ok())
                out.effects.replies.push_back({id, result.error()});
            else if (result->refused)
                out.effects.replies.push_back({id, Error{Errc::invalid, result->why}});
            else
                out.effects.replies.push_back({id, ApiReply::What(std::monostate{})});
        },
        out_);
}

/// The evaluation that the ledger makes is anybody's to plan, also this peer's.
void Node::serve(Now now, std::uint64_t id, const StopAlloc& what) {
    courier_.submit(
        now, ledger::StopAlloc{.alloc = what.alloc, .no_shutdown_delay = what.no_shutdown_delay},
        kQueryPatience,
        [id](Now, Result<CommandResult> result, Outbox& out) {
            const auto reply = [&](Result<ApiReply::What> said) {
                out.effects.replies.push_back({id, std::move(said)});
            };
            if (!result.ok()) return reply(result.error());
            if (result->refused || !result->eval) return reply(Error{Errc::not_found, result->why});
            const std::uint64_t index = result->index.value;
            reply(ApiReply::What(
                Registered{.eval = *result->eval, .eval_index = index, .index = index}));
        },
        out_);
}

}  // namespace gaggle::node
