// What travels about a member: its own announcement, accusations against it, and its capacity.
//
// Only the subject may speak of itself: an announcement is signed by it and numbered with its
// incarnation, which nobody else raises (SWIM, section 4.2). An accusation is signed by its
// accuser, so that confirmations are counted by who made them and not by who repeated them. A
// capacity record is opaque and short-lived; it rides on authenticated links unsigned. Records know
// no member table.
#pragma once

#include <cstdint>
#include <tuple>
#include <vector>

#include "base/bytes.h"
#include "base/hash.h"
#include "base/ids.h"
#include "base/time.h"

namespace gaggle::gossip {

inline constexpr std::size_t kCardBytesMax = 16 * 1024;  ///< of a card; bigger ones are refused
inline constexpr std::size_t kCapacityBytesMax = 256;    ///< of a capacity record

/// What a member says of itself.
enum class Standing : std::uint8_t {
    here,        ///< at work
    restarting,  ///< its agent is about to end and to come back (SIGTERM)
    left         ///< gone for good; nobody need look for it
};
constexpr Standing wire_last(Standing) { return Standing::left; }

/// A member about itself. Newer is the greater (incarnation, start).
struct Announcement {
    PeerId peer;
    Incarnation incarnation;
    StartId start;
    BootId boot;
    Hash card;  ///< of the card that goes with it
    Standing standing = Standing::here;
    Bytes signature;  ///< by `peer`
    bool operator==(const Announcement&) const = default;
    template <class Self>
    static auto wire_fields(Self& s) {
        return std::tie(s.peer, s.incarnation, s.start, s.boot, s.card, s.standing, s.signature);
    }
};

enum class Charge : std::uint8_t { suspect, dead };
constexpr Charge wire_last(Charge) { return Charge::dead; }

/// One member about another; about exactly this incarnation and start of it.
struct Accusation {
    PeerId subject;
    Incarnation incarnation;
    StartId start;
    PeerId accuser;
    Charge charge = Charge::suspect;
    bool refused = false;  ///< the accuser saw the subject's port refuse a connection
    Bytes signature;       ///< by `accuser`
    bool operator==(const Accusation&) const = default;
    template <class Self>
    static auto wire_fields(Self& s) {
        return std::tie(s.subject, s.incarnation, s.start, s.accuser, s.charge, s.refused,
                        s.signature);
    }
};

/// What a member has to offer. Within one start the greater version is newer.
struct CapacityRumour {
    PeerId peer;
    StartId start;
    std::uint64_t version = 0;  ///< from 1
    Duration age{0};            ///< since the origin set it, as far as the sender knows
    Bytes record;               ///< opaque
    bool operator==(const CapacityRumour&) const = default;
    template <class Self>
    static auto wire_fields(Self& s) {
        return std::tie(s.peer, s.start, s.version, s.age, s.record);
    }
};

/// A bundle, in the order in which a receiver takes them in.
struct Records {
    std::vector<Announcement> announcements;
    std::vector<Accusation> accusations;
    std::vector<CapacityRumour> capacities;
    bool operator==(const Records&) const = default;
    bool empty() const { return count() == 0; }
    std::size_t count() const {
        return announcements.size() + accusations.size() + capacities.size();
    }
    template <class Self>
    static auto wire_fields(Self& s) {
        return std::tie(s.announcements, s.accusations, s.capacities);
    }
};

/// The bytes that the signature is over: all fields but the signature, behind a name of the
/// purpose.
Bytes signed_part(const Announcement& announcement);
Bytes signed_part(const Accusation& accusation);

}  // namespace gaggle::gossip
