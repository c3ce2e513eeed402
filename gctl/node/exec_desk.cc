#include "gctl/node/exec_desk.h"

#include <algorithm>

namespace gaggle::node {

namespace {

void ask(Outbox& out, const ExecKey& key, decltype(ExecWork::what) what) {
    out.effects.exec.push_back({key, std::move(what)});
}

}  // namespace

void ExecDesk::on(Now now, std::uint64_t work, const PeerId& from, const AllocId& alloc,
                  const ExecStart& what, Outbox& out) {
    const auto refuse = [&](Errc code, const std::string& why) {
        desk_.done(now, work, Error{code, "run a command in task " + what.task + ": " + why}, out);
    };
    if (what.argv.empty() || what.argv.size() > kExecArguments)
        return refuse(Errc::invalid, "give it 1 to " + std::to_string(kExecArguments) + " words");
    if (sessions_.size() >= kExecSessionsMax)
        return refuse(Errc::unavailable, "this peer has " + std::to_string(kExecSessionsMax) +
                                             " such sessions already; end one of them first");
    const ExecKey key{from, what.session};
    const auto [at, fresh] = sessions_.emplace(key, Session{});
    if (!fresh) return refuse(Errc::invalid, "its session has begun already");
    Session& session = at->second;
    session.heard = now.time;
    session.starting = work;
    session.granted = kExecWindow;
    ask(out, key, ExecBegin{alloc, what.task, what.argv, what.terminal});
    ask(out, key, ExecMore{session.granted});
}

/// nullptr: there is none, and that was said.
ExecDesk::Session* ExecDesk::find(Now now, std::uint64_t work, const ExecKey& key, Outbox& out) {
    const auto found = sessions_.find(key);
    if (found == sessions_.end() || !found->second.runs) {
        desk_.done(now, work,
                   Error{Errc::not_found, "the session is over on the peer that runs the task"},
                   out);
        return nullptr;
    }
    found->second.heard = now.time;
    return &found->second;
}

void ExecDesk::on(Now now, std::uint64_t work, const PeerId& from, const ExecWrite& what,
                  Outbox& out) {
    const ExecKey key{from, what.session};
    Session* session = find(now, work, key, out);
    if (session == nullptr) return;
    if (session->write) answer_write(now, *session, out);  // asked anew: nobody waits for that one
    session->write = Held{work, now.time + kExecHold};
    if (what.size) ask(out, key, ExecResize{*what.size});
    // What was given to the machine already is not given again; a gap is asked for anew.
    const std::uint64_t end = what.offset + what.data.size();
    const bool joins = what.offset <= session->input_given && end >= session->input_given;
    if (joins && !session->input_closed) {
        const auto known = static_cast<std::ptrdiff_t>(session->input_given - what.offset);
        // An honest near side never has more on its way; the rest it would say again.
        const std::uint64_t waiting = session->input_given - session->input_taken;
        const std::uint64_t room = kExecInputMax - std::min<std::uint64_t>(waiting, kExecInputMax);
        const std::uint64_t count = std::min(end - session->input_given, room);
        const auto begin = what.data.begin() + known;
        Bytes fresh(begin, begin + static_cast<std::ptrdiff_t>(count));
        session->input_given += count;
        session->input_closed = what.close && session->input_given == end;
        if (!fresh.empty() || session->input_closed)
            ask(out, key, ExecInput{std::move(fresh), session->input_closed});
    }
    const bool all_taken = session->input_taken >= session->input_given;
    if (all_taken || session->ended) answer_write(now, *session, out);
}

void ExecDesk::on(Now now, std::uint64_t work, const PeerId& from, const ExecRead& what,
                  Outbox& out) {
    const ExecKey key{from, what.session};
    Session* session = find(now, work, key, out);
    if (session == nullptr) return;
    if (session->read) answer_read(now, *session, out);
    if (what.offset < session->output_from || what.offset > session->output_end)
        return desk_.done(
            now, work,
            Error{Errc::corrupt, "its output from byte " + std::to_string(what.offset) +
                                     " on is not kept any more"},
            out);
    forget_output(*session, what.offset);
    if (session->output_from + kExecWindow > session->granted) {
        session->granted = session->output_from + kExecWindow;
        ask(out, key, ExecMore{session->granted});
    }
    session->read = Held{work, now.time + kExecHold};
    if (!session->output.empty() || session->ended) answer_read(now, *session, out);
}

void ExecDesk::on(Now now, std::uint64_t work, const PeerId& from, const ExecStop& what,
                  Outbox& out) {
    const auto found = sessions_.find({from, what.session});
    if (found != sessions_.end()) end(now, found, "it was ended", out);
    desk_.done(now, work, LocalAnswer(Done{}), out);
}

void ExecDesk::on(Now now, const ExecNews& news, Outbox& out) {
    const auto found = sessions_.find(news.session);
    if (found == sessions_.end()) return;
    Session& session = found->second;
    if (const auto* began = std::get_if<ExecBegan>(&news.what)) {
        const std::uint64_t work = std::exchange(session.starting, 0);
        session.runs = !began->error;
        if (!began->error) return desk_.done(now, work, LocalAnswer(Done{}), out);
        desk_.done(now, work, *began->error, out);
        sessions_.erase(found);
    } else if (const auto* said = std::get_if<ExecSaid>(&news.what)) {
        if (said->data.empty()) return;
        session.output_end += said->data.size();
        session.output.push_back({said->error_stream, said->data});
        if (session.read) answer_read(now, session, out);
    } else if (const auto* consumed = std::get_if<ExecConsumed>(&news.what)) {
        session.input_taken = std::max(session.input_taken, consumed->bytes);
        if (session.write && session.input_taken >= session.input_given)
            answer_write(now, session, out);
    } else {
        session.ended = std::get<ExecEnded>(news.what);
        if (session.write) answer_write(now, session, out);
        if (session.read) answer_read(now, session, out);
    }
}

void ExecDesk::answer_read(Now now, Session& session, Outbox& out) {
    ExecOutput answer{.offset = session.output_from, .pieces = {}, .exit = {}, .error = ""};
    std::size_t bytes = 0;
    for (const ExecPiece& piece : session.output) {
        if (!answer.pieces.empty() && bytes + piece.data.size() > kExecPiecesMax) break;
        bytes += piece.data.size();
        answer.pieces.push_back(piece);
    }
    if (session.ended && answer.pieces.size() == session.output.size()) {
        answer.exit = session.ended->code;
        answer.error = session.ended->error;
    }
    const std::uint64_t work = session.read->work;
    session.read.reset();
    desk_.done(now, work, LocalAnswer(std::move(answer)), out);
}

void ExecDesk::answer_write(Now now, Session& session, Outbox& out) {
    const std::uint64_t work = session.write->work;
    session.write.reset();
    // A command that has ended takes whatever comes.
    const std::uint64_t taken = session.ended ? session.input_given : session.input_taken;
    desk_.done(now, work, LocalAnswer(ExecTaken{taken}), out);
}

void ExecDesk::forget_output(Session& session, std::uint64_t before) {
    while (session.output_from < before) {
        ExecPiece& first = session.output.front();
        const std::uint64_t drop = before - session.output_from;
        if (drop < first.data.size()) {
            first.data.erase(first.data.begin(),
                             first.data.begin() + static_cast<std::ptrdiff_t>(drop));
            session.output_from = before;
        } else {
            session.output_from += first.data.size();
            session.output.pop_front();
        }
    }
}

ExecDesk::Sessions::iterator ExecDesk::end(Now now, Sessions::iterator at, const std::string& why,
                                           Outbox& out) {
    const Session& session = at->second;
    ask(out, at->first, ExecKill{});
    const Error over{Errc::unavailable, "the session is over: " + why};
    if (session.starting != 0) desk_.done(now, session.starting, over, out);
    for (const auto& held : {session.read, session.write})
        if (held) desk_.done(now, held->work, over, out);
    return sessions_.erase(at);
}

void ExecDesk::tick(Now now, Outbox& out) {
    for (auto at = sessions_.begin(); at != sessions_.end();) {
        Session& session = at->second;
        if (session.read && session.read->until <= now.time) answer_read(now, session, out);
        if (session.write && session.write->until <= now.time) answer_write(now, session, out);
        const bool silent = session.heard + kExecSilence <= now.time;
        at = silent ? end(now, at, "the peer that began it is silent", out) : std::next(at);
    }
}

std::optional<TimePoint> ExecDesk::next_wakeup() const {
    std::optional<TimePoint> soonest;
    const auto not_after = [&](TimePoint due) {
        if (!soonest || due < *soonest) soonest = due;
    };
    for (const auto& [key, session] : sessions_) {
        not_after(session.heard + kExecSilence);
        if (session.read) not_after(session.read->until);
        if (session.write) not_after(session.write->until);
    }
    return soonest;
}

}  // namespace gaggle::node
