// The verdict on a claim: is its job still the one it was planned for, is its slot vacant, who has
// room.
//
// A Draft judges the claims of one bundle one after another on copies of the books it touches, so
// that each sees the ones before it, and nothing has happened yet when the last one is judged:
// all_at_once then keeps all of it or nothing.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>

#include "placement/ledger/claim.h"
#include "placement/ledger/tables.h"
#include "placement/ledger/verdict.h"

namespace gaggle::ledger {

class Draft {
  public:
    /// Both must outlive the draft and must not change while it lives. `index` is of the entry
    /// being applied.
    Draft(const State& state, const Bundle& bundle, LogIndex index);

    /// In this order: the claim makes sense, the job's version is current, the slot is vacant or
    /// held by what the claim replaces, and a candidate fits. An accepted claim counts for those
    /// that follow.
    Verdict judge(const Claim& claim);

    /// The books of all peers that accepted claims touched, after them.
    const std::map<PeerNumber, Books>& books() const { return books_; }

  private:
    std::optional<Verdict> bad(const Claim& claim) const;
    std::optional<Verdict> stale(const Claim& claim) const;
    std::optional<Verdict> held(const Claim& claim) const;
    Verdict place(const Claim& claim);
    /// Why not there, or nothing.
    std::optional<std::string> refusal(PeerNumber candidate, const Ask& ask) const;
    const Books& books_of(const PeerRecord& peer) const;
    Slot slot_of(const Claim& claim) const { return {bundle_.job, claim.group, claim.index}; }
    const Ask& ask_for(const std::string& group);

    const State& state_;
    const Bundle& bundle_;
    LogIndex index_;
    const JobRecord* job_ = nullptr;
    std::map<PeerNumber, Books> books_;
    std::map<Slot, Accepted> taken_;   ///< by this bundle
    std::set<AllocId> allocs_;         ///< made by this bundle
    std::map<std::string, Ask> asks_;  ///< by group
};

}  // namespace gaggle::ledger
