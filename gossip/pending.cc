#include "gossip/pending.h"

#include <algorithm>

namespace gaggle::gossip {

namespace {

bool newer(const Announcement& a, const Announcement& b) {
    return std::pair(a.incarnation, a.start) > std::pair(b.incarnation, b.start);
}

}  // namespace

bool Pending::wait_for(const PeerId& peer, const Missing& missing) {
    const auto found = missing_.find(peer);
    if (found == missing_.end()) {
        if (missing_.size() >= kMissingMax) return false;
        missing_.emplace(peer, missing);
        return true;
    }
    const auto& held = found->second.announcement;
    if (held && missing.announcement && !newer(*missing.announcement, *held)) return false;
    if (!missing.announcement && found->second.card == missing.card) return false;
    found->second = missing;
    return true;
}

const Pending::Missing* Pending::find(const PeerId& peer) const {
    const auto found = missing_.find(peer);
    return found == missing_.end() ? nullptr : &found->second;
}

bool Pending::keep(const Accusation& accusation, TimePoint now) {
    for (const auto& held : unproven_)
        if (held.accusation == accusation) return true;
    if (unproven_.size() >= kUnprovenMax) return false;
    unproven_.push_back({accusation, now});
    return true;
}

std::vector<Accusation> Pending::take_about(const PeerId& peer) {
    std::vector<Accusation> taken;
    const auto concerns = [&](const Unproven& held) {
        return held.accusation.subject == peer || held.accusation.accuser == peer;
    };
    for (const auto& held : unproven_)
        if (concerns(held)) taken.push_back(held.accusation);
    std::erase_if(unproven_, concerns);
    return taken;
}

std::vector<Pending::Ask> Pending::due(TimePoint now) {
    std::erase_if(missing_, [&](const auto& item) { return item.second.since + kPatience <= now; });
    std::erase_if(unproven_, [&](const auto& item) { return item.since + kPatience <= now; });
    std::vector<Ask> asks;
    for (auto& [peer, missing] : missing_) {
        if (missing.asked_at + kAskAgain > now) continue;
        missing.asked_at = now;
        asks.push_back({.teller = missing.teller, .peer = peer});
    }
    return asks;
}

std::optional<TimePoint> Pending::next_wakeup() const {
    std::optional<TimePoint> next;
    const auto consider = [&](TimePoint at) { next = next ? std::min(*next, at) : at; };
    for (const auto& [peer, missing] : missing_)
        consider(std::min(missing.asked_at + kAskAgain, missing.since + kPatience));
    if (!unproven_.empty()) consider(unproven_.front().since + kPatience);
    return next;
}

}  // namespace gaggle::gossip
