// What rumours missed: digests, wants and answers, cards, and knocking at peers that are silent.
#include <algorithm>
#include <utility>

#include "gossip/swim.h"

namespace gaggle::gossip {

namespace {

constexpr std::size_t kChunkBytes = 40 * 1024;  ///< of records or cards in one frame
constexpr Duration kWantInterval = 500ms;       ///< between two questions about one peer
constexpr std::size_t kKnocksAtOnce = 4;
constexpr Duration kNextKnocks = 50ms;        ///< until the others' turn
constexpr Duration kHintInterval = 1s;        ///< between two unasked hints to one accused member
constexpr std::size_t kKnocksPerStretch = 8;  ///< silent peers that share one pause

PeerId last_id() {
    PeerId peer;
    peer.bytes.fill(0xff);
    return peer;
}

int rank(MemberState state) {
    return state == MemberState::dead ? 2 : state == MemberState::suspect ? 1 : 0;
}

/// Calls `flush` with records of at most kChunkBytes each time.
template <class Flush>
void in_chunks(const Records& records, const Flush& flush) {
    Records chunk;
    std::size_t bytes = 0;
    const auto add = [&](auto& list, const auto& record) {
        if (bytes + wire_bytes(record) > kChunkBytes) {
            flush(std::exchange(chunk, {}));
            bytes = 0;
        }
        bytes += wire_bytes(record);
        list.push_back(record);
    };
    for (const auto& record : records.announcements) add(chunk.announcements, record);
    for (const auto& record : records.accusations) add(chunk.accusations, record);
    for (const auto& record : records.capacities) add(chunk.capacities, record);
    if (!chunk.empty()) flush(std::move(chunk));
}

}  // namespace

/// The answers to a frame as a whole, after all of it was taken in.
void Swim::finish(Frame& frame, std::size_t sends_before) {
    Entry* sender = members_.entry(frame.from);
    const Pending::Missing unknown{.teller = frame.from, .since = now_, .asked_at = now_};
    if (sender == nullptr && pending_.find(frame.from) == nullptr &&
        pending_.wait_for(frame.from, unknown)) {
        frame.wanted_records.insert(frame.from);
        frame.wanted_cards.insert(frame.from);
    }
    std::erase_if(frame.wanted_cards, [&](const auto& peer) { return !pending_.find(peer); });
    std::erase_if(frame.wanted_records, [&](const auto& peer) { return !may_ask(peer); });
    send_want(frame.from, frame.wanted_records, frame.wanted_cards);
    if (frame.show_self) frame.corrections.announcements.push_back(own_);
    if (!frame.corrections.empty()) send(frame.from, Correction{}, std::move(frame.corrections));

    // One that we hold dead speaks: it must learn of that, or it will never refute.
    const bool accused = sender != nullptr && !sender->accusations.empty();
    const bool heard =
        std::any_of(out_.sends.begin() + static_cast<std::ptrdiff_t>(sends_before),
                    out_.sends.end(), [&](const Send& sent) { return sent.to == frame.from; });
    if (!accused || heard || !frame.answerable || now_ < sender->hinted_at + kHintInterval) return;
    sender->hinted_at = now_;
    send(frame.from, Correction{});
}

/// An answer may leave the same question open: what cannot be proven here (a peer that was
/// expelled) would be asked for and told without end.
bool Swim::may_ask(const PeerId& peer) {
    if (asked_.size() >= kMembersMax)
        std::erase_if(asked_, [&](const auto& one) { return one.second + kWantInterval <= now_; });
    const auto [asked, is_first] = asked_.try_emplace(peer, now_);
    if (!is_first && now_ < asked->second + kWantInterval) return false;
    asked->second = now_;
    return true;
}

void Swim::ask_again() {
    std::map<PeerId, std::set<PeerId>> by_teller;
    for (const auto& ask : pending_.due(now_)) by_teller[ask.teller].insert(ask.peer);
    for (const auto& [teller, peers] : by_teller) send_want(teller, peers, peers);
}

void Swim::send_want(const PeerId& to, const std::set<PeerId>& records,
                     const std::set<PeerId>& cards) {
    auto record = records.begin();
    auto card = cards.begin();
    while (record != records.end() || card != cards.end()) {
        Want want;
        while (record != records.end() && want.records.size() < kWantsMax)
            want.records.push_back(*record++);
        while (card != cards.end() && want.cards.size() < kWantsMax) want.cards.push_back(*card++);
        send(to, std::move(want));
    }
}

void Swim::on(Frame& frame, const Want& want) {
    Records records;
    for (const auto& peer : want.records) {
        Records about = all_about(peer);
        std::move(about.announcements.begin(), about.announcements.end(),
                  std::back_inserter(records.announcements));
        std::move(about.accusations.begin(), about.accusations.end(),
                  std::back_inserter(records.accusations));
        std::move(about.capacities.begin(), about.capacities.end(),
                  std::back_inserter(records.capacities));
    }
    // A card next to its announcement is believed at once, where it came alone it would be asked
    // for.
    if (want.cards.empty() || wire_bytes(records) > kCardBytesMax)
        send_answer(frame.from, std::exchange(records, {}));
    Cards cards;
    std::size_t bytes = wire_bytes(records);
    for (const auto& peer : want.cards) {
        const Bytes* card = card_of(peer);
        if (card == nullptr) continue;
        if (bytes + card->size() > kChunkBytes) {
            send(frame.from, std::exchange(cards, {}), std::exchange(records, {}));
            bytes = 0;
        }
        bytes += card->size() + 32;
        cards.cards.push_back({peer, *card});
    }
    if (!cards.cards.empty() || !records.empty())
        send(frame.from, std::move(cards), std::move(records));
}

void Swim::on(Frame& frame, const Cards& cards) {
    for (const auto& card : cards.cards) learn_card(frame, card.peer, card.bytes);
}

void Swim::send_answer(const PeerId& to, const Records& records) {
    in_chunks(records, [&](Records chunk) { send(to, Answer{}, std::move(chunk)); });
}

/// Says who we are, with our card, and asks for all that the other knows.
void Swim::knock(const PeerId& peer) {
    send(peer, Cards{{{self_.peer, self_.card}}}, Records{.announcements = {own_}});
    send_digest(peer);
}

void Swim::knock_due() {
    std::size_t knocked = 0;
    const auto stretch = static_cast<std::int64_t>(1 + knocks_.size() / kKnocksPerStretch);
    for (auto& [peer, contact] : knocks_) {
        if (contact.knock_at > now_) continue;
        if (++knocked > kKnocksAtOnce) {
            contact.knock_at = now_ + kNextKnocks;
            continue;
        }
        contact.knock_at = now_ + contact.wait;
        contact.wait = std::min(contact.wait * 2, config_.dead_probe_interval * stretch);
        knock(peer);
    }
}

DigestEntry Swim::summary(const Member& member, std::size_t accusers) const {
    return {.peer = member.id,
            .incarnation = member.incarnation,
            .state = member.state,
            .start = member.start,
            .accusers = static_cast<std::uint32_t>(accusers),
            .capacity_version = member.capacity_version};
}

/// All that we know, ourselves included, in as many frames as it takes.
void Swim::send_digest(const PeerId& to) {
    std::map<PeerId, DigestEntry> all;
    all.emplace(self_.peer, summary(own(), 0));
    for (const auto& [peer, entry] : members_.all())
        all.emplace(peer, summary(entry.view, entry.accusations.size()));
    Digest digest;
    for (const auto& [peer, entry] : all) {
        if (digest.entries.size() == kDigestEntriesMax) {
            digest.upto = digest.entries.back().peer;
            const PeerId after = digest.upto;
            send(to, std::exchange(digest, Digest{.after = after}));
        }
        digest.entries.push_back(entry);
    }
    digest.upto = last_id();
    send(to, std::move(digest));
}

void Swim::on(Frame& frame, const Digest& digest) {
    Records newer;
    std::set<PeerId> listed;
    for (const auto& theirs : digest.entries) {
        listed.insert(theirs.peer);
        compare(frame, theirs, newer);
    }
    const auto missing = [&](const PeerId& peer) {
        return digest.after < peer && peer <= digest.upto && !listed.contains(peer);
    };
    const auto add = [&](const PeerId& peer) {
        if (missing(peer)) compare(frame, DigestEntry{.peer = peer}, newer);
    };
    add(self_.peer);
    for (const auto& [peer, entry] : members_.all()) add(peer);
    send_answer(frame.from, newer);
}

/// Adds to `newer` what we know better, to the wants of the frame what they know better.
void Swim::compare(Frame& frame, const DigestEntry& theirs, Records& newer) {
    const PeerId& peer = theirs.peer;
    Records mine = all_about(peer);
    if (mine.announcements.empty()) {
        frame.wanted_records.insert(peer);
        return;
    }
    const Member* member = members_.find(peer);
    const MemberState state = member == nullptr ? MemberState::alive : member->state;
    const auto& told = mine.announcements.front();
    const auto ours_version = std::pair(told.incarnation, told.start);
    const auto their_version = std::pair(theirs.incarnation, theirs.start);
    if (ours_version < their_version) {
        frame.wanted_records.insert(peer);
        return;
    }
    const bool same = ours_version == their_version;
    const auto our_case = std::pair(rank(state), mine.accusations.size());
    const auto their_case = std::pair(rank(theirs.state), std::size_t{theirs.accusers});
    const std::uint64_t capacity = mine.capacities.empty() ? 0 : mine.capacities.front().version;
    const bool behind = our_case < their_case || capacity < theirs.capacity_version;
    if (same && behind) frame.wanted_records.insert(peer);
    if (!same) newer.announcements.push_back(told);
    if (!same || our_case > their_case)
        newer.accusations.insert(newer.accusations.end(), mine.accusations.begin(),
                                 mine.accusations.end());
    if (!mine.capacities.empty() && (!same || capacity > theirs.capacity_version))
        newer.capacities.push_back(mine.capacities.front());
}

}  // namespace gaggle::gossip
