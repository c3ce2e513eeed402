#include <algorithm>

#include "placement/raft/planner.h"

namespace gaggle::raft {

void Health::observe(TimePoint now, PeerNumber peer, bool healthy) {
    const auto [found, fresh] = records_.try_emplace(peer, Record{.needed = stable_after_});
    Record& record = found->second;
    if (healthy == record.since.has_value()) {
        // Long peace is forgiveness.
        if (healthy && now - *record.since >= most_) record.needed = stable_after_;
        return;
    }
    if (healthy)
        record.since = now;
    else {
        record.since.reset();
        record.needed = std::min(2 * record.needed, most_);
    }
}

std::optional<Duration> Health::healthy_for(TimePoint now, PeerNumber peer) const {
    const auto found = records_.find(peer);
    if (found == records_.end() || !found->second.since) return std::nullopt;
    return now - *found->second.since;
}

bool Health::stable(TimePoint now, PeerNumber peer) const {
    const auto healthy = healthy_for(now, peer);
    return healthy && *healthy >= records_.at(peer).needed;
}

}  // namespace gaggle::raft
