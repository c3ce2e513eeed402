#include "gossip/members.h"

#include <algorithm>

#include "base/assert.h"

namespace gaggle::gossip {

namespace {

MemberState state_of(Standing standing) {
    return standing == Standing::left ? MemberState::left : MemberState::alive;
}

/// How much an accusation says. An accuser may go on from less to more, never back.
int weight(const Accusation& accusation) {
    return (accusation.charge == Charge::dead ? 2 : 0) + (accusation.refused ? 1 : 0);
}

}  // namespace

const char* to_string(MemberState state) {
    switch (state) {
        case MemberState::alive: return "alive";
        case MemberState::suspect: return "suspect";
        case MemberState::dead: return "dead";
        case MemberState::left: return "left";
    }
    return "?";
}

const Member* Members::find(const PeerId& peer) const {
    const auto found = entries_.find(peer);
    return found == entries_.end() ? nullptr : &found->second.view;
}

const std::set<PeerId>& Members::in(MemberState state) const {
    return by_state_[static_cast<std::size_t>(state)];
}

const Bytes* Members::card(const PeerId& peer) const {
    const auto found = entries_.find(peer);
    return found == entries_.end() ? nullptr : &found->second.card;
}

Entry* Members::entry(const PeerId& peer) {
    const auto found = entries_.find(peer);
    return found == entries_.end() ? nullptr : &found->second;
}

Entry* Members::add(const Announcement& announcement, Bytes card, TimePoint now,
                    const std::map<PeerId, Bytes>& keep) {
    INVARIANT(!entries_.contains(announcement.peer));
    if (entries_.size() >= kMembersMax && !make_room(keep)) return nullptr;
    Entry& entry = entries_[announcement.peer];
    entry.view.id = announcement.peer;
    entry.view.state = state_of(announcement.standing);
    entry.card = std::move(card);
    by_state_[static_cast<std::size_t>(entry.view.state)].insert(announcement.peer);
    renew(entry, announcement, now);
    entry.view.since = now;
    return &entry;
}

void Members::renew(Entry& entry, const Announcement& announcement, TimePoint now) {
    Member& view = entry.view;
    if (view.start != announcement.start) {
        view.capacity.clear();
        view.capacity_version = 0;
        view.capacity_at = {};
    }
    view.incarnation = announcement.incarnation;
    view.start = announcement.start;
    view.boot = announcement.boot;
    view.card = announcement.card;
    view.restarting = announcement.standing == Standing::restarting;
    view.agent_gone = false;
    entry.announcement = announcement;
    entry.accusations.clear();
    entry.grace_until.reset();
    change(entry, state_of(announcement.standing), now);
}

void Members::change(Entry& entry, MemberState state, TimePoint now) {
    if (entry.view.state == state) return;
    by_state_[static_cast<std::size_t>(entry.view.state)].erase(entry.view.id);
    by_state_[static_cast<std::size_t>(state)].insert(entry.view.id);
    entry.view.state = state;
    entry.view.since = now;
}

bool Members::accuse(Entry& entry, const Accusation& accusation, Voice voice) {
    INVARIANT(accusation.incarnation == entry.view.incarnation);
    auto& held = entry.accusations;
    const auto found = held.find(accusation.accuser);
    if (found != held.end()) {
        if (weight(accusation) <= weight(found->second)) return false;
        found->second = accusation;
        return true;
    }
    if (held.size() >= kAccusersMax) {
        const auto least = std::min_element(held.begin(), held.end(), [](auto& a, auto& b) {
            return weight(a.second) < weight(b.second);
        });
        if (voice == Voice::theirs && weight(accusation) <= weight(least->second)) return false;
        held.erase(least);
    }
    held.emplace(accusation.accuser, accusation);
    return true;
}

bool Members::make_room(const std::map<PeerId, Bytes>& keep) {
    const Entry* oldest = nullptr;
    for (const auto state : {MemberState::left, MemberState::dead}) {
        for (const auto& peer : in(state)) {
            const Entry& entry = entries_.at(peer);
            if (keep.contains(peer)) continue;
            if (oldest == nullptr || entry.view.since < oldest->view.since) oldest = &entry;
        }
    }
    if (oldest == nullptr) return false;
    const PeerId peer = oldest->view.id;
    by_state_[static_cast<std::size_t>(oldest->view.state)].erase(peer);
    entries_.erase(peer);
    return true;
}

News judge(const Entry& entry, const Announcement& announcement) {
    const Member& held = entry.view;
    if (announcement.incarnation != held.incarnation)
        return announcement.incarnation > held.incarnation ? News::newer : News::stale;
    const bool accused = held.state == MemberState::suspect || held.state == MemberState::dead;
    if (announcement.start == held.start)
        return held.state == MemberState::dead ? News::stale : News::known;
    // Two starts with one incarnation: the subject rises above both as soon as it hears of this.
    return !accused && announcement.start > held.start ? News::newer : News::stale;
}

std::size_t refused_observers(const Entry& entry) {
    return static_cast<std::size_t>(
        std::count_if(entry.accusations.begin(), entry.accusations.end(),
                      [](const auto& item) { return item.second.refused; }));
}

}  // namespace gaggle::gossip
