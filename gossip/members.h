// The member table: what is believed of every other member, and which records made us believe it.
//
// State follows SWIM's order: an announcement beats what is known when its incarnation is higher;
// an accusation of the current incarnation beats the announcement; death beats suspicion; and only
// the subject's next incarnation beats death. The table judges and stores; it sends nothing and
// knows no signatures. It never holds more than kMembersMax: the member dead for longest makes
// room.
#pragma once

#include <array>
#include <map>
#include <optional>
#include <set>

#include "gossip/records.h"

namespace gaggle::gossip {

inline constexpr std::size_t kMembersMax = 8192;
inline constexpr std::size_t kAccusersMax = 4;  ///< kept per subject; Lifeguard needs three

enum class MemberState : std::uint8_t { alive, suspect, dead, left };
constexpr MemberState wire_last(MemberState) { return MemberState::left; }
const char* to_string(MemberState state);

/// A member as others see it.
struct Member {
    PeerId id;
    MemberState state = MemberState::alive;
    Incarnation incarnation;
    StartId start;            ///< a new one: its agent restarted
    BootId boot;              ///< a new one: its machine rebooted
    bool restarting = false;  ///< its agent said so before it ended
    bool agent_gone = false;  ///< two observers saw its port refuse; its machine may well be up
    Hash card;                ///< of its newest card
    Bytes capacity;           ///< opaque; empty until it offered something
    std::uint64_t capacity_version = 0;  ///< within this start; 0: none
    TimePoint capacity_at{};             ///< when the origin set it, by our clock
    TimePoint since{};                   ///< when it entered this state here
};

/// A member with the records behind it. Others than the core read `view` only.
struct Entry {
    Member view;
    Announcement announcement;
    Bytes card;  ///< the newest at hand, which may be older than view.card
    std::map<PeerId, Accusation> accusations;  ///< by accuser, of the current incarnation and start
    TimePoint suspected_at{};                  ///< while suspect
    std::optional<TimePoint> grace_until;      ///< while suspect on another's word of its death
    TimePoint hinted_at = TimePoint::min();    ///< when it was last told unasked of its accusations
};

enum class Voice { ours, theirs };

/// What an announcement is to one who holds an entry.
enum class News { newer, known, stale };

class Members {
  public:
    const Member* find(const PeerId& peer) const;
    /// Every other member, whatever its state. Ourselves are not among them.
    const std::map<PeerId, Entry>& all() const { return entries_; }
    const std::set<PeerId>& in(MemberState state) const;
    std::size_t count(MemberState state) const { return in(state).size(); }
    /// The newest card at hand, or nullptr.
    const Bytes* card(const PeerId& peer) const;

    // For the core.
    Entry* entry(const PeerId& peer);
    /// A new entry, state alive or left; nullptr when the table is full of members that are not
    /// dead. `keep` are those that must not make room. Requires that it is unknown.
    Entry* add(const Announcement& announcement, Bytes card, TimePoint now,
               const std::map<PeerId, Bytes>& keep);
    /// Replaces the announcement; accusations and, with another start, the capacity are void.
    void renew(Entry& entry, const Announcement& announcement, TimePoint now);
    void change(Entry& entry, MemberState state, TimePoint now);
    /// Keeps an accusation of the current incarnation. False when it says nothing new, or when
    /// others that say as much fill the place (never for our own voice).
    bool accuse(Entry& entry, const Accusation& accusation, Voice voice);

  private:
    bool make_room(const std::map<PeerId, Bytes>& keep);

    std::map<PeerId, Entry> entries_;
    std::array<std::set<PeerId>, 4> by_state_;
};

News judge(const Entry& entry, const Announcement& announcement);
/// Distinct accusers of the current incarnation whose charge holds that the port refused.
std::size_t refused_observers(const Entry& entry);

}  // namespace gaggle::gossip
