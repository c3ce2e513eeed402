// Records that come in: judged, verified once, believed, and told on.
#include <utility>

#include "gossip/swim.h"

namespace gaggle::gossip {

namespace {

constexpr std::size_t kCorrectionsMax = 64;  ///< records in the answer to one frame

}  // namespace

void Swim::learn(Frame& frame, const Announcement& announcement) {
    if (announcement.peer == self_.peer) return hear_own(frame, announcement);
    if (Entry* entry = members_.entry(announcement.peer)) {
        const News news = judge(*entry, announcement);
        if (news == News::stale) correct(frame, *entry);
        if (news == News::newer && proven(announcement, announcement.peer, entry->card))
            renew(frame, *entry, announcement);
        return;
    }
    const auto contact = contacts_.find(announcement.peer);
    if (contact != contacts_.end() && proven(announcement, announcement.peer, contact->second))
        return welcome(frame, announcement, contact->second);
    // A stranger, or the card that we were given is out of date: its own card has to prove it.
    if (pending_.wait_for(announcement.peer, {.announcement = announcement,
                                              .card = announcement.card,
                                              .teller = frame.from,
                                              .is_news = frame.is_news,
                                              .since = now_,
                                              .asked_at = now_}))
        frame.wanted_cards.insert(announcement.peer);
}

/// A member that we did not know, with a card that proves its announcement.
void Swim::welcome(Frame& frame, const Announcement& announcement, const Bytes& card) {
    Entry* entry = members_.add(announcement, card, now_, contacts_);
    if (entry == nullptr) {
        ++counters_.over_limit;
        return;
    }
    knocks_.erase(announcement.peer);
    pending_.erase(announcement.peer);
    const auto contact = contacts_.find(announcement.peer);
    if (contact == contacts_.end() || contact->second != card)
        out_.events.emplace_back(CardLearned{announcement.peer, card});
    report(*entry, std::nullopt);
    targets_.added(announcement.peer, rng_);
    if (frame.is_news) spread(announcement.peer, Topic::announcement);
    want_card(frame, *entry);
    retry_unproven(frame, announcement.peer);
}

/// A newer word of a member that we know.
void Swim::renew(Frame& frame, Entry& entry, const Announcement& announcement) {
    const PeerId peer = announcement.peer;
    const Member before = entry.view;
    members_.renew(entry, announcement, now_);
    broadcast_.forget({peer, Topic::accusations});
    spread(peer, Topic::announcement);
    recent_suspects_.erase(peer);
    report(entry, before);
    if (before.state == MemberState::dead || before.state == MemberState::left)
        targets_.added(peer, rng_);
    // Back from the dead, perhaps with its half of a healed cluster: exchange what we know.
    if (before.state == MemberState::dead && digested_at_ + config_.pause <= now_) {
        digested_at_ = now_;
        send_digest(peer);
    }
    want_card(frame, entry);
    retry_unproven(frame, peer);
}

void Swim::want_card(Frame& frame, const Entry& entry) {
    if (hash_of(entry.card) == entry.view.card) return;
    if (pending_.wait_for(
            entry.view.id,
            {.card = entry.view.card, .teller = frame.from, .since = now_, .asked_at = now_}))
        frame.wanted_cards.insert(entry.view.id);
}

void Swim::learn_card(Frame& frame, const PeerId& peer, const Bytes& card) {
    const auto* missing = pending_.find(peer);
    if (missing == nullptr) return;
    if (Entry* entry = members_.entry(peer)) {
        if (hash_of(card) != entry->view.card) return;
        entry->card = card;
        pending_.erase(peer);
        out_.events.emplace_back(CardLearned{peer, card});
        return;
    }
    if (!missing->announcement || missing->announcement->card != hash_of(card)) return;
    const Announcement announcement = *missing->announcement;
    const bool is_news = std::exchange(frame.is_news, missing->is_news);
    pending_.erase(peer);
    if (proven(announcement, peer, card)) welcome(frame, announcement, card);
    frame.is_news = is_news;
}

void Swim::learn(Frame& frame, const Accusation& accusation) {
    if (accusation.subject == self_.peer) return hear_accused(frame, accusation);
    Entry* entry = members_.entry(accusation.subject);
    if (entry == nullptr || accusation.incarnation > entry->view.incarnation)
        return wait_for_proof(frame, accusation, accusation.subject);
    if (accusation.incarnation < entry->view.incarnation || accusation.start != entry->view.start)
        return correct(frame, *entry);
    if (entry->view.state == MemberState::dead || entry->view.state == MemberState::left) return;
    const auto held = entry->accusations.find(accusation.accuser);
    if (held != entry->accusations.end() && held->second == accusation) return;
    const Bytes* card = card_of(accusation.accuser);
    if (card == nullptr) return wait_for_proof(frame, accusation, accusation.accuser);
    if (proven(accusation, accusation.accuser, *card)) charge(*entry, accusation, Voice::theirs);
}

/// `missing` is the member that we have to learn of before this accusation means anything to us.
void Swim::wait_for_proof(Frame& frame, const Accusation& accusation, const PeerId& missing) {
    if (!pending_.keep(accusation, now_)) ++counters_.over_limit;
    frame.wanted_records.insert(missing);
}

void Swim::retry_unproven(Frame& frame, const PeerId& about) {
    for (const auto& accusation : pending_.take_about(about)) learn(frame, accusation);
}

void Swim::learn(Frame& frame, const CapacityRumour& rumour) {
    if (rumour.peer == self_.peer) return;
    Entry* entry = members_.entry(rumour.peer);
    if (entry == nullptr || entry->view.start != rumour.start) {
        if (frame.answerable) frame.wanted_records.insert(rumour.peer);  // one of us is behind
        return;
    }
    Member& view = entry->view;
    if (rumour.version <= view.capacity_version) return;
    view.capacity = rumour.record;
    view.capacity_version = rumour.version;
    view.capacity_at = now_ - rumour.age;
    out_.events.emplace_back(CapacityChanged{rumour.peer, rumour.record, rumour.age});
    spread(rumour.peer, Topic::capacity);
}

/// Our own record from a former life, or an older one of this life.
void Swim::hear_own(Frame& frame, const Announcement& announcement) {
    const bool same = announcement.start == own_.start;
    if (same && announcement.incarnation == own_.incarnation) return;
    if (announcement.incarnation < own_.incarnation) {
        frame.show_self = true;
        return;
    }
    if (!proven(announcement, self_.peer, self_.card)) return;
    own_.incarnation = announcement.incarnation;
    announce(own_.standing);
    frame.show_self = true;
}

/// The accused answers at once, and first of all to those who said it.
void Swim::hear_accused(Frame& frame, const Accusation& accusation) {
    if (accusation.incarnation > own_.incarnation) {
        frame.wanted_records.insert(self_.peer);  // only our own word can raise our incarnation
        return;
    }
    frame.show_self = true;
    if (accusation.incarnation < own_.incarnation || accusation.start != own_.start) return;
    const Bytes* card = card_of(accusation.accuser);
    if (card != nullptr && !proven(accusation, accusation.accuser, *card)) return;
    awareness_.doubted();
    announce(own_.standing);
    out_.events.emplace_back(SelfRefuted{own_.incarnation});
    if (accusation.accuser != frame.from && members_.find(accusation.accuser) != nullptr)
        send(accusation.accuser, Push{}, Records{.announcements = {own_}});
}

/// The sender is behind: it gets what we believe, and by it the accused gets to know
/// (memberlist#311).
void Swim::correct(Frame& frame, const Entry& entry) {
    if (!frame.answerable || frame.corrections.count() >= kCorrectionsMax) return;
    for (const auto& told : frame.corrections.announcements)
        if (told.peer == entry.view.id) return;
    frame.corrections.announcements.push_back(entry.announcement);
    for (const auto& [accuser, accusation] : entry.accusations)
        frame.corrections.accusations.push_back(accusation);
}

template <class Record>
bool Swim::proven(const Record& record, const PeerId& signer, BytesView card) {
    if (self_.verify(signer, card, signed_part(record), record.signature)) return true;
    ++counters_.bad_signatures;
    return false;
}

const Bytes* Swim::card_of(const PeerId& peer) const {
    if (peer == self_.peer) return &self_.card;
    if (const Bytes* card = members_.card(peer)) return card;
    const auto contact = contacts_.find(peer);
    return contact == contacts_.end() ? nullptr : &contact->second;
}

}  // namespace gaggle::gossip
