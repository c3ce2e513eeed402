// The failure detector: our probe, and the probes that we do for others.
#include <algorithm>

#include "gossip/swim.h"

namespace gaggle::gossip {

namespace {

constexpr std::size_t kConnectTestsMax = 64;
constexpr Duration kConnectTestPatience = 3s;  ///< after which a test without a result is forgotten
constexpr std::uint64_t kNoAnswerCounted = 0;  ///< the sequence of pings whose ack decides nothing

/// Known, and neither dead nor gone by its own word.
bool in_doubt(const Entry* entry) {
    return entry != nullptr &&
           (entry->view.state == MemberState::alive || entry->view.state == MemberState::suspect);
}

}  // namespace

void Swim::start_round() {
    probe_.reset();
    const auto target = targets_.next_probe(members_, rng_);
    if (!target) return round_at_.reset();
    const StartId start = members_.find(*target)->start;
    probe_ = Probe{.target = *target,
                   .start = start,
                   .sequence = ++sequence_,
                   .ask_at = now_ + awareness_.scaled(config_.probe_timeout)};
    round_at_ = now_ + awareness_.scaled(config_.probe_interval);
    send(*target, Ping{.sequence = probe_->sequence, .start = start});
}

/// The second half of a round. When we are late ourselves, the helpers still get their full time.
void Swim::ask_helpers() {
    probe_->asked = true;
    const Entry* entry = members_.entry(probe_->target);
    if (!in_doubt(entry)) return;
    const Duration timeout = awareness_.scaled(config_.probe_timeout);
    const Duration half = awareness_.scaled(config_.probe_interval) - timeout;
    round_at_ = std::max(*round_at_, now_ + half);
    const auto count = static_cast<std::size_t>(config_.helpers);
    for (const auto& helper : some(members_, MemberState::alive, count, rng_, {probe_->target})) {
        probe_->helpers.insert(helper);
        send(helper, PingRequest{.sequence = probe_->sequence,
                                 .target = probe_->target,
                                 .start = probe_->start,
                                 .timeout = std::min(timeout, kRelayTimeoutMax)});
    }
    test_connect(*entry);
}

void Swim::end_round() {
    if (!probe_ || probe_->acked) return;
    Entry* entry = members_.entry(probe_->target);
    if (!in_doubt(entry) || entry->view.start != probe_->start) return;  // settled meanwhile
    awareness_.unanswered(static_cast<int>(probe_->helpers.size()),
                          static_cast<int>(probe_->nacked.size()));
    accuse(*entry, Charge::suspect, false);
}

/// The ping carries what it is accused of, so that one that lives can refute.
void Swim::probe_a_dead_one() {
    dead_probe_at_ = now_ + config_.dead_probe_interval;
    for (const auto& peer : some(members_, MemberState::dead, 1, rng_))
        send(peer, Ping{.sequence = kNoAnswerCounted, .start = members_.find(peer)->start});
}

void Swim::answer_late_relays() {
    for (const auto& relay : relays_.due(now_)) send(relay.origin, Nack{relay.origin_sequence});
}

void Swim::test_connect(const Entry& entry) {
    const auto mine = entry.accusations.find(self_.peer);
    if (mine != entry.accusations.end() && mine->second.refused) return;
    std::erase_if(connect_tests_, [&](const auto& item) {
        return item.second.asked_at + kConnectTestPatience <= now_;
    });
    if (connect_tests_.contains(entry.view.id)) return;
    if (connect_tests_.size() >= kConnectTestsMax) {
        ++counters_.over_limit;
        return;
    }
    connect_tests_[entry.view.id] = {.start = entry.view.start, .asked_at = now_};
    out_.connect_tests.push_back(entry.view.id);
}

void Swim::on(const ConnectionLost& lost) {
    const Entry* entry = members_.entry(lost.peer);
    if (!in_doubt(entry)) return;
    test_connect(*entry);
    targets_.hurry(lost.peer);
}

void Swim::on(const ConnectResult& result) {
    const auto test = connect_tests_.find(result.peer);
    if (test == connect_tests_.end()) return;
    const StartId start = test->second.start;
    connect_tests_.erase(test);
    Entry* entry = members_.entry(result.peer);
    if (result.refused && in_doubt(entry) && entry->view.start == start)
        accuse(*entry, Charge::suspect, true);
}

void Swim::on(Frame& frame, const Ping& ping) {
    Records records;
    const bool mistaken = !ping.start.empty() && ping.start != own_.start;
    if (mistaken || frame.show_self) records.announcements.push_back(own_);
    frame.show_self = false;
    send(frame.from, Ack{.sequence = ping.sequence, .start = own_.start}, std::move(records));
}

void Swim::on(Frame& frame, const PingRequest& request) {
    if (request.target == self_.peer) return on(frame, Ping{request.sequence, request.start});
    const std::uint64_t sequence = ++sequence_;
    const bool taken = members_.find(request.target) != nullptr &&
                       relays_.add(sequence, {.origin = frame.from,
                                              .origin_sequence = request.sequence,
                                              .target = request.target,
                                              .nack_at = now_ + request.timeout * 4 / 5,
                                              .ends_at = now_ + request.timeout * 2});
    if (taken)
        send(request.target, Ping{.sequence = sequence, .start = request.start});
    else
        send(frame.from, Nack{request.sequence});
}

void Swim::on(Frame& frame, const Ack& ack) {
    if (ack.sequence == kNoAnswerCounted) return;
    const bool ours = probe_ && ack.sequence == probe_->sequence &&
                      (frame.from == probe_->target || probe_->helpers.contains(frame.from));
    if (ours && ack.start == probe_->start) {
        if (!probe_->acked) awareness_.answered();
        probe_->acked = true;
    } else if (const auto relay = relays_.acked(ack.sequence, frame.from)) {
        send(relay->origin, Ack{.sequence = relay->origin_sequence, .start = ack.start});
    } else {
        ++counters_.late_acks;  // late, or of another start: no sign of life of the one we probe
    }
}

void Swim::on(Frame& frame, const Nack& nack) {
    if (probe_ && nack.sequence == probe_->sequence && probe_->helpers.contains(frame.from))
        probe_->nacked.insert(frame.from);
}

}  // namespace gaggle::gossip
