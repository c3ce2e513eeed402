// So that a bundle counts once, however often it is sent.
//
// A claimant opens a session and numbers its bundles. The answer to each is kept until the claimant
// has acknowledged it, so a repeated bundle is answered and not judged again (Ongaro's thesis,
// section 6.3). Sessions end by log time alone, and an unknown one is an error, never silently a
// new one: a bundle that outlived its session might have counted already.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <tuple>

#include "placement/ledger/claim.h"
#include "placement/ledger/verdict.h"

namespace gaggle::ledger {

inline constexpr std::size_t kAnswersKept = 1024;  ///< per session

struct Session {
    PeerNumber claimant;
    LogTime used;                 ///< of its last bundle
    std::uint64_t forgotten = 0;  ///< up to this sequence nobody knows any more what the answer was
    std::map<std::uint64_t, BundleAnswer> answers;
    template <class Self>
    static auto wire_fields(Self& s) {
        return std::tie(s.claimant, s.used, s.forgotten, s.answers);
    }
};

using Sessions = std::map<SessionId, Session>;

/// The answer that needs no judging: the one given before, or `unknown_session`, or `forgotten`.
std::optional<BundleAnswer> answer_known(const Sessions& sessions, const Bundle& bundle);
/// Keeps a new answer and drops what is acknowledged, or too old. Requires !answer_known().
void remember(Sessions& sessions, const Bundle& bundle, const BundleAnswer& answer, LogTime now);
/// Ends sessions whose last bundle came before `before`.
void end_sessions(Sessions& sessions, LogTime before);

}  // namespace gaggle::ledger
