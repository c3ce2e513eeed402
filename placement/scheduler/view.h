// A peer's own picture of everybody's free capacity, possibly stale, and what it has asked for
// meanwhile.
//
// Gossip and verdicts fill it. Own claims that are not yet answered lie over it as an overlay, so
// that one planner does not promise the same room twice; an answer takes the claim off again, and a
// refusal brings the peer's present capacity with it. Nothing here is authoritative: the ledger
// judges every claim.
#pragma once

#include <map>
#include <utility>
#include <vector>

#include "base/time.h"
#include "placement/fit/fits.h"

namespace gaggle {

struct PeerView {
    PeerNumber number;
    PeerId id;
    Description description;
    Books books;        ///< what it offers and what is taken of it, as far as we know
    bool alive = true;  ///< for gossip: neither suspect, dead nor left
    Duration age{0};    ///< of the capacity record behind `books`
};

/// The books as a capacity record shows them: used = offered - free, never negative.
Books books_from(const Offer& offer, const CapacityRecord& record,
                 std::set<std::uint16_t> ports = {});

class View {
  public:
    /// Adds a peer, or replaces what was known of the same number.
    void put(PeerView peer);
    void erase(PeerNumber number);

    /// By number, ascending.
    const std::vector<PeerView>& peers() const { return peers_; }
    /// Valid until the view changes; nullptr when not known.
    const PeerView* find(PeerNumber number) const;

    /// An own claim goes out: its ask lies over the peer's books until settle().
    void claim(const AllocId& alloc, PeerNumber first_candidate, const Ask& ask);
    /// The claim was answered or given up. What was accepted is in the peer's own books from now
    /// on.
    void settle(const AllocId& alloc);
    /// A verdict or an offer said what the peer has free in truth; newer than what gossip told.
    void learn_free(PeerNumber number, const Amounts& free);

    /// The peer's books with the own unanswered claims taken off. `peer` is one of peers().
    Books books_of(const PeerView& peer) const;
    std::size_t unanswered() const { return claims_.size(); }

  private:
    std::vector<PeerView> peers_;
    std::map<AllocId, PeerNumber> claimed_on_;
    std::map<std::pair<PeerNumber, AllocId>, Ask> claims_;
};

}  // namespace gaggle
