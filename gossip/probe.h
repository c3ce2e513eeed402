// One probe under way, and the probes that we do for others.
//
// A round is: ping; after the timeout, ping-req to helpers; at the end of the period, judgement. A
// helper pings with a number of its own, passes an ack on, and nacks when 80 % of the timeout have
// passed, so that the nack is there before the round ends (memberlist's comes one round trip too
// late).
#pragma once

#include <map>
#include <optional>
#include <set>
#include <vector>

#include "base/ids.h"
#include "base/time.h"

namespace gaggle::gossip {

inline constexpr std::size_t kRelaysMax = 128;

/// Ours. There is at most one.
struct Probe {
    PeerId target;
    StartId start;
    std::uint64_t sequence = 0;
    TimePoint ask_at{};  ///< when helpers are asked
    bool asked = false;
    bool acked = false;
    std::set<PeerId> helpers;
    std::set<PeerId> nacked;
};

/// A probe on behalf of `origin`.
struct Relay {
    PeerId origin;
    std::uint64_t origin_sequence = 0;
    PeerId target;
    TimePoint nack_at{};
    TimePoint ends_at{};
    bool nacked = false;
};

/// By the sequence of our own ping.
class Relays {
  public:
    /// False when kRelaysMax are under way.
    bool add(std::uint64_t sequence, const Relay& relay);
    /// Takes the relay that this ack of `from` answers.
    std::optional<Relay> acked(std::uint64_t sequence, const PeerId& from);
    /// Those whose nack is due (marked as sent); forgets those that are over.
    std::vector<Relay> due(TimePoint now);
    std::optional<TimePoint> next_wakeup() const;
    std::size_t size() const { return relays_.size(); }

  private:
    std::map<std::uint64_t, Relay> relays_;
};

}  // namespace gaggle::gossip
