#include "gossip/targets.h"

#include <algorithm>

namespace gaggle::gossip {

namespace {

bool worth_probing(const Members& members, const PeerId& peer) {
    const Member* member = members.find(peer);
    return member != nullptr &&
           (member->state == MemberState::alive || member->state == MemberState::suspect);
}

}  // namespace

std::optional<PeerId> Targets::next_probe(const Members& members, Rng& rng) {
    for (int walks = 0; walks < 2; ++walks) {
        while (!walk_.empty()) {
            const PeerId peer = walk_.front();
            walk_.pop_front();
            if (worth_probing(members, peer)) return peer;
        }
        std::vector<PeerId> all(members.in(MemberState::alive).begin(),
                                members.in(MemberState::alive).end());
        const auto& suspects = members.in(MemberState::suspect);
        all.insert(all.end(), suspects.begin(), suspects.end());
        rng.shuffle(std::span(all));
        walk_.assign(all.begin(), all.end());
    }
    return std::nullopt;
}

void Targets::added(const PeerId& peer, Rng& rng) {
    const auto place = static_cast<std::ptrdiff_t>(rng.below(walk_.size() + 1));
    walk_.insert(walk_.begin() + place, peer);
}

void Targets::hurry(const PeerId& peer) {
    const auto found = std::find(walk_.begin(), walk_.end(), peer);
    if (found != walk_.end()) walk_.erase(found);
    walk_.push_front(peer);
}

std::vector<PeerId> some(const Members& members, MemberState state, std::size_t count, Rng& rng,
                         std::initializer_list<PeerId> but) {
    std::vector<PeerId> all;
    for (const auto& peer : members.in(state))
        if (std::find(but.begin(), but.end(), peer) == but.end()) all.push_back(peer);
    if (count >= all.size()) return all;
    for (std::size_t i = 0; i < count; ++i) std::swap(all[i], all[i + rng.below(all.size() - i)]);
    all.resize(count);
    return all;
}

}  // namespace gaggle::gossip
