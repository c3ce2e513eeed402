// What was heard but cannot be believed yet, because a card is missing.
//
// A record is believed when its signature is verified, and that takes the signer's card. Until it
// comes from whoever told us, the record waits here; likewise an accusation of a member, or of an
// incarnation, that we have not heard of (memberlist drops it in silence, and members stay dead for
// minutes: memberlist#311). Nothing waits longer than kPatience, and both tables are bounded.
#pragma once

#include <map>
#include <optional>
#include <utility>
#include <vector>

#include "gossip/records.h"

namespace gaggle::gossip {

inline constexpr std::size_t kMissingMax = 8192;
inline constexpr std::size_t kUnprovenMax = 512;
inline constexpr Duration kPatience = 10s;
inline constexpr Duration kAskAgain = 500ms;

class Pending {
  public:
    struct Missing {
        std::optional<Announcement> announcement;  ///< of a peer that is not a member yet
        Hash card;  ///< empty: any, we know nothing of the peer but that it exists
        PeerId teller;
        bool is_news = true;  ///< others may not have it yet; false when a digest told it
        TimePoint since{}, asked_at{};
    };
    /// `peer` is asked for from `teller`.
    struct Ask {
        PeerId teller;
        PeerId peer;
    };

    /// True when `missing.teller` is to be asked now: this card is not being waited for already.
    bool wait_for(const PeerId& peer, const Missing& missing);
    const Missing* find(const PeerId& peer) const;
    void erase(const PeerId& peer) { missing_.erase(peer); }

    /// False when there is no room.
    bool keep(const Accusation& accusation, TimePoint now);
    /// Takes out the accusations whose subject or accuser is `peer`.
    std::vector<Accusation> take_about(const PeerId& peer);

    /// Gives up what waited too long; the rest that is to be asked for again.
    std::vector<Ask> due(TimePoint now);
    std::optional<TimePoint> next_wakeup() const;

  private:
    struct Unproven {
        Accusation accusation;
        TimePoint since;
    };
    std::map<PeerId, Missing> missing_;
    std::vector<Unproven> unproven_;  ///< oldest first
};

}  // namespace gaggle::gossip
