#include "placement/raft/progress.h"

#include <algorithm>

#include "base/assert.h"

namespace gaggle::raft {

bool Progress::may_send(const Window& window) const {
    switch (mode_) {
        case Mode::probe: return !paused_;
        case Mode::replicate:
            return inflight_.size() < window.messages && inflight_bytes_ < window.bytes;
        case Mode::snapshot: return false;
    }
    return false;
}

void Progress::sent(LogIndex last, std::size_t bytes) {
    if (mode_ == Mode::probe) paused_ = true;
    if (mode_ != Mode::replicate || last < next_) return;
    next_ = LogIndex{last.value + 1};
    inflight_.push_back({last, bytes});
    inflight_bytes_ += bytes;
}

void Progress::sent_snapshot(LogIndex index, TimePoint now) {
    lost();
    mode_ = Mode::snapshot;
    snapshot_index_ = index;
    snapshot_sent_ = now;
}

bool Progress::acknowledged(LogIndex index) {
    while (!inflight_.empty() && inflight_.front().last <= index) {
        inflight_bytes_ -= inflight_.front().bytes;
        inflight_.pop_front();
    }
    const bool news = index > match_;
    match_ = std::max(match_, index);
    next_ = std::max(next_, LogIndex{match_.value + 1});
    if (mode_ == Mode::probe || (mode_ == Mode::snapshot && match_ >= snapshot_index_)) {
        mode_ = Mode::replicate;
        next_ = LogIndex{match_.value + 1};
    }
    return news;
}

bool Progress::rejected(LogIndex previous, LogIndex possible) {
    if (mode_ == Mode::snapshot || previous <= match_) return false;
    if (mode_ == Mode::probe && previous.value + 1 != next_.value) return false;
    const bool streaming = mode_ == Mode::replicate;
    lost();
    if (!streaming)
        next_ = LogIndex{std::max(std::min(previous.value, possible.value + 1), match_.value + 1)};
    return true;
}

void Progress::lost() {
    mode_ = Mode::probe;
    paused_ = false;
    inflight_.clear();
    inflight_bytes_ = 0;
    next_ = LogIndex{match_.value + 1};
}

}  // namespace gaggle::raft
