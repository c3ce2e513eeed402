#include "placement/raft/journal.h"

#include <algorithm>
#include <limits>
#include <utility>

#include "base/assert.h"

namespace gaggle::raft {

void Journal::changed_hard_state() { hard_version_ = ++version_; }

void Journal::truncated(LogIndex from) {
    ++version_;
    const LogIndex kept{from.value - 1};
    if (handed_ >= from) {
        gathering_.truncate_from = std::min(from, gathering_.truncate_from.value_or(from));
        handed_ = kept;
    }
    durable_ = std::min(durable_, kept);
    if (in_flight_) in_flight_->last = std::min(in_flight_->last, kept);
}

void Journal::took(Snapshot snapshot, LogIndex drop_until) {
    ++version_;
    gathering_.snapshot = std::move(snapshot);
    if (drop_until.value > 0) gathering_.drop_until = drop_until;
}

void Journal::installed(Snapshot snapshot) {
    ++version_;
    handed_ = snapshot.meta.index;
    durable_ = LogIndex{};
    if (in_flight_) in_flight_->last = LogIndex{};
    gathering_.truncate_from = LogIndex{1};
    gathering_.drop_until = snapshot.meta.index;
    gathering_.snapshot = std::move(snapshot);
}

void Journal::send(HoldFor what, Message message, std::vector<Message>& now) {
    const Version needs = what == HoldFor::hard_state ? hard_version_ : version_;
    if (is_durable(needs)) return now.push_back(std::move(message));
    held_.push_back({needs, std::move(message)});
}

std::optional<Persist> Journal::next(const Log& log, const HardState& hard) {
    if (in_flight_ || version_ == handed_version_) return std::nullopt;
    Persist out = std::exchange(gathering_, {});
    out.token = ++token_;
    if (hard_version_ > handed_version_) out.hard = hard;
    if (log.last() > handed_) {
        constexpr std::size_t all = std::numeric_limits<std::size_t>::max();
        out.append = log.slice({handed_.value + 1}, all, all);
    }
    handed_ = log.last();
    handed_version_ = version_;
    in_flight_ = InFlight{.version = version_, .last = handed_};
    return out;
}

std::vector<Message> Journal::persisted(std::uint64_t token) {
    if (!in_flight_ || token != token_) return {};
    durable_version_ = in_flight_->version;
    durable_ = std::max(durable_, in_flight_->last);
    in_flight_.reset();
    std::vector<Message> out;
    std::vector<Held> still;
    for (Held& held : held_) {
        if (is_durable(held.needs))
            out.push_back(std::move(held.message));
        else
            still.push_back(std::move(held));
    }
    held_ = std::move(still);
    return out;
}

}  // namespace gaggle::raft
