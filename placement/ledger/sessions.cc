#include "placement/ledger/sessions.h"

#include <algorithm>

#include "base/assert.h"

namespace gaggle::ledger {

namespace {

BundleAnswer unanswerable(const Bundle& bundle, BundleAnswer::Outcome outcome, std::string why) {
    BundleAnswer answer;
    answer.session = bundle.session;
    answer.sequence = bundle.sequence;
    answer.eval = bundle.eval;
    answer.outcome = outcome;
    answer.why = std::move(why);
    return answer;
}

}  // namespace

std::optional<BundleAnswer> answer_known(const Sessions& sessions, const Bundle& bundle) {
    const auto session = sessions.find(bundle.session);
    if (session == sessions.end())
        return unanswerable(bundle, BundleAnswer::Outcome::unknown_session,
                            "session " + to_string(bundle.session) +
                                " is unknown or has ended: open one and plan anew");
    const auto known = session->second.answers.find(bundle.sequence);
    if (known != session->second.answers.end()) return known->second;
    if (bundle.sequence <= session->second.forgotten)
        return unanswerable(bundle, BundleAnswer::Outcome::forgotten,
                            "bundle " + std::to_string(bundle.sequence) +
                                " is too old for anybody to know whether it counted: look at the "
                                "job and plan anew");
    return std::nullopt;
}

void remember(Sessions& sessions, const Bundle& bundle, const BundleAnswer& answer, LogTime now) {
    const auto found = sessions.find(bundle.session);
    INVARIANT(found != sessions.end());
    Session& session = found->second;
    session.used = now;
    session.answers.emplace(bundle.sequence, answer);
    // Nobody acknowledges what has not been answered: a bundle cannot make itself forgotten.
    if (bundle.sequence > 0)
        session.forgotten =
            std::max(session.forgotten, std::min(bundle.acknowledged, bundle.sequence - 1));
    if (session.answers.size() > kAnswersKept)
        session.forgotten = std::max(session.forgotten, session.answers.begin()->first);
    session.answers.erase(session.answers.begin(), session.answers.upper_bound(session.forgotten));
}

void end_sessions(Sessions& sessions, LogTime before) {
    std::erase_if(sessions, [&](const auto& entry) { return entry.second.used < before; });
}

}  // namespace gaggle::ledger
