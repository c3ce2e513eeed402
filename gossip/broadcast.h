// The rumours that still have to be told: least-sent first (SWIM, section 4.1).
//
// A rumour is only a subject and a topic; what is told is what is believed of it when a frame
// leaves, so a newer record replaces an older one without a trace. There is one slot per subject
// and topic, hence at most 3 * (kMembersMax + 1). Membership goes before capacity. Young rumours go
// first among equals.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <set>
#include <tuple>
#include <vector>

#include "base/ids.h"

namespace gaggle::gossip {

enum class Topic : std::uint8_t { announcement, accusations, capacity };

struct Rumour {
    PeerId subject;
    Topic topic = Topic::announcement;
    auto operator<=>(const Rumour&) const = default;
};

class Broadcast {
  public:
    /// Told anew from zero, also when it is in the queue already.
    void add(const Rumour& rumour);
    void forget(const Rumour& rumour);

    /// Bytes that a rumour takes; 0: there is nothing to tell any more (it is dropped).
    using Size = std::function<std::size_t(const Rumour&)>;
    /// The rumours for one frame of at most `budget` bytes. Each counts as told once, and leaves
    /// the queue when it was told `times_max` times.
    std::vector<Rumour> take(std::size_t budget, std::size_t times_max, const Size& size);

    bool empty() const { return slots_.empty(); }
    std::size_t size() const { return slots_.size(); }

  private:
    struct Slot {
        std::size_t told = 0;
        std::uint64_t born = 0;
    };
    /// Capacity last, least told first, youngest first.
    using Rank = std::tuple<bool, std::size_t, std::uint64_t, Rumour>;
    static Rank rank(const Rumour& rumour, const Slot& slot);

    std::map<Rumour, Slot> slots_;
    std::set<Rank> order_;
    std::uint64_t births_ = 0;
};

/// Lambda log n: `multiplier * ceil(log10(members + 1))`, at least `multiplier`.
std::size_t transmissions(int multiplier, std::size_t members);

}  // namespace gaggle::gossip
