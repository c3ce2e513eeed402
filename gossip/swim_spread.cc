// What goes out: frames with the news that rides on them, and the eager push.
#include <algorithm>
#include <utility>

#include "gossip/swim.h"

namespace gaggle::gossip {

namespace {

constexpr std::size_t kPiggybackBytes = 1200;  ///< of rumours on a frame that leaves anyway
constexpr std::size_t kPushBytes = 16 * 1024;  ///< of rumours in a frame of their own

/// Nothing twice: what a frame is about is often a rumour too.
void append(Records& to, Records&& more) {
    const auto move_new = [](auto& into, auto& from) {
        for (auto& record : from)
            if (std::find(into.begin(), into.end(), record) == into.end())
                into.push_back(std::move(record));
    };
    move_new(to.announcements, more.announcements);
    move_new(to.accusations, more.accusations);
    move_new(to.capacities, more.capacities);
}

bool speaks_of(const std::vector<Accusation>& accusations, const PeerId& subject) {
    return std::any_of(accusations.begin(), accusations.end(),
                       [&](const auto& accusation) { return accusation.subject == subject; });
}

}  // namespace

/// Every frame tells its receiver first what it is accused of, and then some rumours; those who may
/// be gone get none, for each telling counts.
void Swim::send(const PeerId& to, Body body, Records records) {
    const bool push = std::holds_alternative<Push>(body);
    const Entry* entry = members_.entry(to);
    if (entry != nullptr && !speaks_of(records.accusations, to))
        for (const auto& [accuser, accusation] : entry->accusations)
            records.accusations.push_back(accusation);
    if (entry != nullptr && entry->view.state == MemberState::alive && !push)
        append(records, rumours(kPiggybackBytes));
    const Message message{.body = std::move(body), .records = std::move(records)};
    out_.sends.push_back({to, encode_message(message)});
}

void Swim::spread(const PeerId& subject, Topic topic) {
    broadcast_.add({subject, topic});
    const TimePoint soon = std::max(now_, pushed_at_ + config_.push_interval);
    push_at_ = push_at_ ? std::min(*push_at_, soon) : soon;
}

void Swim::push_if_due(const PeerId& but) {
    if (push_at_ && *push_at_ <= now_) push(static_cast<std::size_t>(config_.push_fanout), but);
}

/// Tells a few members at once, and a few others later while there is something left to tell (as
/// memberlist does each 200 ms). `but` is the one that has just told us.
void Swim::push(std::size_t fanout, const PeerId& but) {
    push_at_.reset();
    pushed_at_ = now_;
    bool told = false;
    for (const auto& peer : some(members_, MemberState::alive, fanout, rng_, {but})) {
        Records records = rumours(kPushBytes);
        if (records.empty()) break;
        send(peer, Push{}, std::move(records));
        told = true;
    }
    if (told && !broadcast_.empty()) push_at_ = now_ + config_.gossip_interval;
}

Records Swim::rumours(std::size_t budget) {
    const std::size_t members = members_.count(MemberState::alive) + 1;
    const auto times = transmissions(config_.retransmit_multiplier, members);
    const auto size = [&](const Rumour& rumour) { return wire_bytes(told(rumour)); };
    Records records;
    for (const auto& rumour : broadcast_.take(budget, times, size)) append(records, told(rumour));
    return records;
}

/// What is believed now of a rumour's subject; empty when there is nothing to tell any more.
Records Swim::told(const Rumour& rumour) const {
    const Records all = all_about(rumour.subject);
    switch (rumour.topic) {
        case Topic::announcement: return {.announcements = all.announcements};
        case Topic::accusations: return {.accusations = all.accusations};
        case Topic::capacity: return {.capacities = all.capacities};
    }
    return {};
}

Records Swim::all_about(const PeerId& peer) const {
    Records records;
    const auto add_capacity = [&](const Member& member) {
        if (member.capacity_version == 0) return;
        const Duration age = std::clamp(now_ - member.capacity_at, Duration(0), kAgeMax);
        records.capacities.push_back(
            {peer, member.start, member.capacity_version, age, member.capacity});
    };
    if (peer == self_.peer) {
        records.announcements.push_back(own_);
        add_capacity(own());
        return records;
    }
    const auto found = members_.all().find(peer);
    if (found == members_.all().end()) return records;
    const Entry& entry = found->second;
    records.announcements.push_back(entry.announcement);
    for (const auto& [accuser, accusation] : entry.accusations)
        records.accusations.push_back(accusation);
    add_capacity(entry.view);
    return records;
}

}  // namespace gaggle::gossip
