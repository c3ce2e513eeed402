// The commit group's answer to a bundle, and to each claim in it.
//
// A refusal tells enough for the claimant to repair its view without asking again: who holds the
// slot, or for each candidate why it does not fit and what is free there now.
#pragma once

#include <optional>
#include <string>
#include <tuple>
#include <variant>
#include <vector>

#include "placement/fit/fits.h"
#include "placement/ledger/keys.h"

namespace gaggle::ledger {

struct Accepted {
    AllocId alloc;
    PeerNumber peer;
    std::vector<AssignedPort> ports;
    LogIndex index;
    template <class Self>
    static auto wire_fields(Self& s) {
        return std::tie(s.alloc, s.peer, s.ports, s.index);
    }
};

/// The job is another now, or stopped, or has no such slot.
struct StaleJob {
    std::optional<std::uint64_t> current;  ///< none: the job is gone or stopped
    std::string why;
    template <class Self>
    static auto wire_fields(Self& s) {
        return std::tie(s.current, s.why);
    }
};

struct SlotHeld {
    AllocId by;
    PeerNumber on;
    template <class Self>
    static auto wire_fields(Self& s) {
        return std::tie(s.by, s.on);
    }
};

struct CandidateRefusal {
    PeerNumber peer;
    std::string
        why;  ///< as misfit() says it, or "unknown peer", "peer is lost", "peer is expelled"
    Amounts free;
    template <class Self>
    static auto wire_fields(Self& s) {
        return std::tie(s.peer, s.why, s.free);
    }
};

struct NoFit {
    std::vector<CandidateRefusal> candidates;
    template <class Self>
    static auto wire_fields(Self& s) {
        return std::tie(s.candidates);
    }
};

/// The claim itself is wrong; it must not be repeated.
struct BadClaim {
    std::string why;
    template <class Self>
    static auto wire_fields(Self& s) {
        return std::tie(s.why);
    }
};

/// It would have been accepted, but another of its all_at_once bundle was not.
struct NotTogether {
    template <class Self>
    static auto wire_fields(Self&) {
        return std::tuple<>{};
    }
};

using Verdict = std::variant<Accepted, StaleJob, SlotHeld, NoFit, BadClaim, NotTogether>;

/// One line for people: "accepted on peer 3", "slot held by 1f3a...".
std::string to_string(const Verdict& verdict);
inline bool accepted(const Verdict& verdict) { return std::holds_alternative<Accepted>(verdict); }

struct BundleAnswer {
    enum class Outcome {
        applied,  ///< read the verdicts; some may be refusals
        refused,  ///< nothing of it happened; `why` says it (a failed check-and-set, an unknown
                  ///< job)
        unknown_session,  ///< nothing happened; open a session and send it anew, unless it may have
                          ///< counted before
        stale,            ///< nothing happened; the plan was made before what it must see: read the
                          ///< leader's state and plan again
        forgotten,        ///< its sequence is too old: nobody knows any more whether it counted
    };
    friend constexpr Outcome wire_last(Outcome) { return Outcome::forgotten; }

    SessionId session;
    std::uint64_t sequence = 0;
    Outcome outcome = Outcome::applied;
    std::string why;
    LogIndex index;                 ///< of the entry where it counted first
    std::uint64_t job_version = 0;  ///< after it
    LogIndex job_modify_index;
    EvalId eval;
    std::vector<Verdict> verdicts;  ///< one per claim, in their order
    template <class Self>
    static auto wire_fields(Self& s) {
        return std::tie(s.session, s.sequence, s.outcome, s.why, s.index, s.job_version,
                        s.job_modify_index, s.eval, s.verdicts);
    }
};

}  // namespace gaggle::ledger
