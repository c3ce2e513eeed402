// What only one peer can do: found, asked there, done there, answered.
#include "gctl/node/node.h"

namespace gaggle::node {

namespace {

constexpr Duration kWherePatience = 8s;
constexpr Duration kPeerPatience = 10s;

}  // namespace

void Node::serve(Now now, std::uint64_t id, const AskPeer& what) {
    if (!what.peer.empty()) return ask_peer(now, id, what, what.peer);
    const bool is_here = what.alloc.empty() || runs_.runner().status(what.alloc) != nullptr;
    if (is_here) return ask_peer(now, id, what, self_);
    Query where{.kind = QueryKind::allocation, .id = to_string(what.alloc), .stale = true};
    api_asks_[id] = 0;
    const std::uint64_t request = courier_.ask(
        now, where, kWherePatience,
        [this, id, what](Now then, Result<Answer> answer, Outbox& out) {
            api_asks_.erase(id);
            if (!answer.ok()) return out.effects.replies.push_back({id, answer.error()});
            if (answer->found && !answer->allocs.empty())
                for (const ledger::PeerRecord& peer : answer->peers)
                    if (peer.number == answer->allocs.front().peer)
                        return ask_peer(then, id, what, peer.who.id);
            out.effects.replies.push_back({id, Error{Errc::not_found, "alloc not found"}});
        },
        out_);
    if (const auto found = api_asks_.find(id); found != api_asks_.end() && found->second == 0)
        found->second = request;
}

void Node::ask_peer(Now now, std::uint64_t id, const AskPeer& what, const PeerId& peer) {
    api_asks_[id] = 0;
    const std::uint64_t request = courier_.ask_peer(
        now, peer, {.request = 0, .alloc = what.alloc, .what = what.what}, kPeerPatience,
        [this, id, peer](Now, Result<LocalAnswer> answer, Outbox& out) {
            api_asks_.erase(id);
            if (answer.ok())
                out.effects.replies.push_back({id, ApiReply::What(PeerSaid{peer, *answer})});
            else
                out.effects.replies.push_back({id, answer.error()});
        },
        out_);
    if (const auto found = api_asks_.find(id); found != api_asks_.end()) found->second = request;
}

template <class What>
void Node::here(Now, std::uint64_t work, const AllocId& alloc, const What& what) {
    out_.effects.local.push_back({work, alloc, what});
}

void Node::here(Now now, std::uint64_t work, const AllocId& alloc, const ExecStart& what) {
    exec_.on(now, work, desk_.asker(work), alloc, what, out_);
}
void Node::here(Now now, std::uint64_t work, const AllocId&, const ExecWrite& what) {
    exec_.on(now, work, desk_.asker(work), what, out_);
}
void Node::here(Now now, std::uint64_t work, const AllocId&, const ExecRead& what) {
    exec_.on(now, work, desk_.asker(work), what, out_);
}
void Node::here(Now now, std::uint64_t work, const AllocId&, const ExecStop& what) {
    exec_.on(now, work, desk_.asker(work), what, out_);
}

/// The runner obeys in the same step, or says why it cannot.
void Node::here(Now now, std::uint64_t work, const AllocId& alloc, const CommandTask& what) {
    using Kind = allocrunner::TaskCommand::Kind;
    allocrunner::TaskCommand command{.alloc = alloc, .task = what.task, .signal = what.signal};
    switch (what.kind) {
        case CommandTask::Kind::restart: command.kind = Kind::restart; break;
        case CommandTask::Kind::restart_all: command.kind = Kind::restart_all; break;
        case CommandTask::Kind::signal: command.kind = Kind::signal; break;
    }
    if (auto why = runs_.runner().objection(command))
        return desk_.done(now, work, Error{Errc::invalid, std::move(*why)}, out_);
    runs_.on(now, allocrunner::Input{.wall = now.wall, .what = command}, out_);
    desk_.done(now, work, LocalAnswer(Done{}), out_);
}

/// The directories are out of the runner's books in the same step; removing them takes a moment.
void Node::here(Now now, std::uint64_t work, const AllocId& alloc, const CollectDirs&) {
    allocrunner::CollectFinished what;
    if (!alloc.empty()) what.alloc = alloc;
    if (auto why = runs_.runner().objection(what))
        return desk_.done(
            now, work,
            Error{Errc::not_found,
                  "No such allocation on client, or allocation not eligible for GC: " + *why},
            out_);
    runs_.on(now, allocrunner::Input{.wall = now.wall, .what = what}, out_);
    desk_.done(now, work, LocalAnswer(Done{}), out_);
}

void Node::here(Now now, std::uint64_t work, const AllocId& alloc, const ListChecks&) {
    const allocrunner::AllocStatus* status = runs_.runner().status(alloc);
    const allocrunner::Order* order = runs_.runner().order(alloc);
    if (status == nullptr || order == nullptr)
        return desk_.done(now, work,
                          Error{Errc::not_found, "list the checks of allocation " +
                                                     to_string(alloc) +
                                                     ": it is not (or no longer) on its peer"},
                          out_);
    desk_.done(now, work, LocalAnswer(CheckList{order->name, status->checks}), out_);
}

void Node::take(Now now, const PeerId& from, AskLocal& frame) {
    const Known* sender = directory_.find(from);
    const bool may_command = sender != nullptr && sender->rights.has(Right::submit);
    if (counts_once(frame.what) && !may_command)
        return out_.send(from,
                         LocalAnswered{.request = frame.request,
                                       .code = Errc::denied,
                                       .error = "command another peer's tasks: a peer without "
                                                "the right to submit jobs may not; ask one "
                                                "that has it: Permission denied",
                                       .answer = {}});
    const auto work = desk_.take_in(now, from, frame, out_);
    if (!work) return;
    std::visit([&](const auto& what) { here(now, *work, frame.alloc, what); }, frame.what);
}

void Node::take(Now now, const PeerId& from, LocalAnswered& frame) {
    courier_.on(now, from, std::move(frame), out_);
}

void Node::on(Now now, const ExecNews& news) { exec_.on(now, news, out_); }

void Node::on(Now now, const DoneLocally& done) { desk_.done(now, done.work, done.answer, out_); }

}  // namespace gaggle::node
