#include "gossip/swim.h"

#include <algorithm>
#include <utility>

#include "base/assert.h"

namespace gaggle::gossip {

namespace {

constexpr std::size_t kFarewellFanout = 8;  ///< members told directly that we leave or restart

}  // namespace

Swim::Swim(Self self, Config config, Rng rng)
    : self_(std::move(self)),
      config_(config),
      rng_(rng),
      awareness_(config.awareness_limit),
      digest_wait_(config.digest_first) {
    INVARIANT(self_.card.size() <= kCardBytesMax);
    own_.peer = self_.peer;
    own_.start = self_.start;
    own_.boot = self_.boot;
    sign_own(Standing::here, Incarnation{1});
}

Effects Swim::step(TimePoint now, const Input& input) {
    INVARIANT(now >= now_);
    const auto due = next_wakeup();
    now_ = now;
    if (own_.standing == Standing::left) return {};
    if (due && now - *due > config_.pause) forgive_pause(now - *due);
    advance();
    std::visit([&](const auto& what) { on(what); }, input);
    start_timers();
    push_if_due();
    note_isolation();
    return std::exchange(out_, {});
}

std::optional<TimePoint> Swim::next_wakeup() const {
    if (own_.standing == Standing::left) return std::nullopt;
    std::optional<TimePoint> next;
    const auto consider = [&](const std::optional<TimePoint>& at) {
        if (at) next = next ? std::min(*next, *at) : *at;
    };
    for (const auto& at : {round_at_, digest_at_, dead_probe_at_, push_at_}) consider(at);
    if (probe_ && !probe_->asked && !probe_->acked) consider(probe_->ask_at);
    consider(relays_.next_wakeup());
    consider(pending_.next_wakeup());
    if (next_capacity_) consider(capacity_.set_at + config_.capacity_interval);
    for (const auto& [peer, contact] : knocks_) consider(contact.knock_at);
    for (const auto& peer : members_.in(MemberState::suspect))
        consider(death_of(members_.all().at(peer)));
    return next;
}

Member Swim::own() const {
    return {.id = own_.peer,
            .state = own_.standing == Standing::left ? MemberState::left : MemberState::alive,
            .incarnation = own_.incarnation,
            .start = own_.start,
            .boot = own_.boot,
            .restarting = own_.standing == Standing::restarting,
            .card = own_.card,
            .capacity = capacity_.record,
            .capacity_version = capacity_.version,
            .capacity_at = capacity_.set_at};
}

void Swim::on(const Received& received) {
    if (received.from == self_.peer) return;
    auto decoded = decode_message(received.bytes);
    if (!decoded) {
        ++counters_.malformed;
        return;
    }
    const Message& message = *decoded;
    Frame frame{.from = received.from,
                .answerable = !std::holds_alternative<Correction>(message.body),
                .is_news = !std::holds_alternative<Answer>(message.body)};
    const std::size_t sends_before = out_.sends.size();
    for (const auto& announcement : message.records.announcements) learn(frame, announcement);
    for (const auto& accusation : message.records.accusations) learn(frame, accusation);
    for (const auto& capacity : message.records.capacities) learn(frame, capacity);
    std::visit([&](const auto& body) { on(frame, body); }, message.body);
    finish(frame, sends_before);
    push_if_due(frame.from);
}

void Swim::on(const Introduce& introduce) {
    const PeerId& peer = introduce.peer;
    if (peer == self_.peer) return;
    const bool fits = contacts_.contains(peer) || contacts_.size() < kMembersMax;
    if (!fits || introduce.card.size() > kCardBytesMax) {
        ++counters_.over_limit;
        return;
    }
    contacts_[peer] = introduce.card;
    if (const auto* missing = pending_.find(peer); missing != nullptr && missing->announcement) {
        Frame frame{.from = peer};
        learn(frame, Announcement(*missing->announcement));
        finish(frame, out_.sends.size());
    }
    const Member* member = members_.find(peer);
    if (member == nullptr) {
        knocks_.try_emplace(peer, Contact{.knock_at = now_, .wait = config_.knock_interval});
        knock_due();
    } else if (member->state == MemberState::suspect || member->state == MemberState::dead) {
        knock(peer);
    }
}

void Swim::on(const SetCard& set) {
    INVARIANT(set.card.size() <= kCardBytesMax);
    if (set.card == self_.card) return;
    self_.card = set.card;
    announce(own_.standing);
}

void Swim::on(const SetCapacity& set) {
    INVARIANT(set.record.size() <= kCapacityBytesMax);
    const Bytes& newest = next_capacity_ ? *next_capacity_ : capacity_.record;
    if (set.record == newest) return;
    next_capacity_ = set.record;
    const bool rested = capacity_.set_at + config_.capacity_interval <= now_;
    if (capacity_.version == 0 || rested) publish_capacity();
}

void Swim::on(const Leave&) {
    announce(Standing::left);
    push(kFarewellFanout);
}

void Swim::on(const Restarting&) {
    if (own_.standing == Standing::restarting) return;
    announce(Standing::restarting);
    push(kFarewellFanout);
}

void Swim::advance() {
    answer_late_relays();
    bury_overdue();
    if (probe_ && !probe_->asked && !probe_->acked && probe_->ask_at <= now_) ask_helpers();
    if (round_at_ && *round_at_ <= now_) {
        end_round();
        start_round();
    }
    if (digest_at_ && *digest_at_ <= now_) {
        digest_at_.reset();
        for (const auto& peer : some(members_, MemberState::alive, 1, rng_)) send_digest(peer);
    }
    if (dead_probe_at_ && *dead_probe_at_ <= now_) probe_a_dead_one();
    ask_again();
    knock_due();
    if (next_capacity_ && capacity_.set_at + config_.capacity_interval <= now_) publish_capacity();
    push_if_due();
}

/// We were stopped for a while: whoever seemed silent may have spoken to our closed ears.
void Swim::forgive_pause(Duration late) {
    awareness_.doubted();
    probe_.reset();
    for (const auto& peer : members_.in(MemberState::suspect)) {
        Entry& entry = *members_.entry(peer);
        entry.suspected_at += late;
        if (entry.grace_until) *entry.grace_until += late;
    }
}

/// Timers run only while there is somebody to run them for.
void Swim::start_timers() {
    const bool company =
        !members_.in(MemberState::alive).empty() || !members_.in(MemberState::suspect).empty();
    const auto within = [&](Duration span) {
        return now_ + Duration(rng_.between(0, span.count()));
    };
    if (!company) {
        round_at_.reset();
        digest_at_.reset();
        probe_.reset();
        digest_wait_ = config_.digest_first;
    }
    if (company && !round_at_) round_at_ = within(config_.probe_interval);
    if (company && !digest_at_) {
        const Duration jitter = config_.digest_max - config_.digest_min;
        const bool settled = digest_wait_ >= config_.digest_min;
        digest_at_ = settled ? within(jitter) + config_.digest_min : now_ + digest_wait_;
        digest_wait_ = std::min(digest_wait_ * 2, config_.digest_min);
    }
    const bool dead = members_.count(MemberState::dead) > 0;
    if (!dead) dead_probe_at_.reset();
    if (dead && !dead_probe_at_) dead_probe_at_ = within(config_.dead_probe_interval);
}

void Swim::publish_capacity() {
    capacity_.record = std::move(*next_capacity_);
    next_capacity_.reset();
    ++capacity_.version;
    capacity_.set_at = now_;
    spread(self_.peer, Topic::capacity);
}

void Swim::sign_own(Standing standing, Incarnation incarnation) {
    own_.standing = standing;
    own_.incarnation = incarnation;
    own_.card = hash_of(self_.card);
    own_.signature = self_.sign(signed_part(own_));
}

void Swim::announce(Standing standing) {
    sign_own(standing, Incarnation{own_.incarnation.value + 1});
    spread(self_.peer, Topic::announcement);
}

void Swim::note_isolation() {
    const std::size_t silent =
        members_.count(MemberState::suspect) + members_.count(MemberState::dead) + knocks_.size();
    const bool isolated = silent > 0 && members_.count(MemberState::alive) == 0;
    if (isolated == isolated_) return;
    isolated_ = isolated;
    out_.events.emplace_back(Isolated{isolated});
}

}  // namespace gaggle::gossip
