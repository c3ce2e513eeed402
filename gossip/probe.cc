#include "gossip/probe.h"

#include <algorithm>

namespace gaggle::gossip {

bool Relays::add(std::uint64_t sequence, const Relay& relay) {
    if (relays_.size() >= kRelaysMax) return false;
    relays_.emplace(sequence, relay);
    return true;
}

std::optional<Relay> Relays::acked(std::uint64_t sequence, const PeerId& from) {
    const auto found = relays_.find(sequence);
    if (found == relays_.end() || found->second.target != from) return std::nullopt;
    const Relay relay = found->second;
    relays_.erase(found);
    return relay;
}

std::vector<Relay> Relays::due(TimePoint now) {
    std::vector<Relay> nacks;
    for (auto& [sequence, relay] : relays_) {
        if (relay.nacked || relay.nack_at > now) continue;
        relay.nacked = true;
        nacks.push_back(relay);
    }
    std::erase_if(relays_, [&](const auto& item) { return item.second.ends_at <= now; });
    return nacks;
}

std::optional<TimePoint> Relays::next_wakeup() const {
    std::optional<TimePoint> next;
    for (const auto& [sequence, relay] : relays_) {
        const TimePoint at = relay.nacked ? relay.ends_at : std::min(relay.nack_at, relay.ends_at);
        next = next ? std::min(*next, at) : at;
    }
    return next;
}

}  // namespace gaggle::gossip
