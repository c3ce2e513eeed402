// What a leader knows of one other member's log, and how much it may send there.
//
// Three modes, as etcd's raft has them: `probe` sends one message and waits for its answer;
// `replicate` streams ahead of the answers, bounded in messages and bytes; `snapshot` waits for
// an installed snapshot. The mode and the window are arithmetic on what was sent and answered;
// what to send is the leader's matter.
#pragma once

#include <cstdint>
#include <deque>
#include <optional>

#include "base/ids.h"
#include "base/time.h"

namespace gaggle::raft {

class Progress {
  public:
    enum class Mode { probe, replicate, snapshot };

    /// Knows nothing yet; the first probe asks about the entry before `next`.
    Progress(LogIndex next, TimePoint now) : next_(next), heard_(now) {}

    Mode mode() const { return mode_; }
    LogIndex match() const { return match_; }   ///< durable there
    LogIndex next() const { return next_; }     ///< first entry that was not sent yet
    TimePoint heard() const { return heard_; }  ///< of any answer; the election, before the first
    LogIndex sent_commit() const { return sent_commit_; }

    void hear(TimePoint now) { heard_ = now; }
    void told_commit(LogIndex commit) { sent_commit_ = commit; }

    struct Window {
        std::size_t messages = 0;
        std::size_t bytes = 0;
    };
    /// Whether another message may go out now.
    bool may_send(const Window& window) const;
    /// Entries up to `last` (next - 1 when the message had none) are on their way.
    void sent(LogIndex last, std::size_t bytes);
    void sent_snapshot(LogIndex index, TimePoint now);
    /// In Mode::snapshot: since when the answer is awaited.
    TimePoint snapshot_sent() const { return snapshot_sent_; }

    /// Everything up to `index` is durable there. False when that is no news.
    bool acknowledged(LogIndex index);
    /// The message after `previous` was rejected; nothing above `possible` can match. False when
    /// the answer is about something that has been settled since.
    bool rejected(LogIndex previous, LogIndex possible);
    /// A heartbeat came back: what was thought to be on its way may be lost, so one more message
    /// may go out.
    void nudge() { paused_ = false; }
    /// Start again with a probe from what is known.
    void lost();

  private:
    struct Sent {
        LogIndex last;
        std::size_t bytes = 0;
    };

    Mode mode_ = Mode::probe;
    LogIndex match_;
    LogIndex next_;
    LogIndex sent_commit_;
    LogIndex snapshot_index_;
    TimePoint heard_;
    TimePoint snapshot_sent_;
    bool paused_ = false;  ///< in probe: one message is on its way
    std::deque<Sent> inflight_;
    std::size_t inflight_bytes_ = 0;
};

}  // namespace gaggle::raft
