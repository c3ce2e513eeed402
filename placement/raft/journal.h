// What the disk has, what it has been given, and what may not be said before it is there.
//
// Every change to durable state makes a new version; a Persist carries everything up to the
// present version, and its answer makes that version durable. One Persist is on its way at a
// time, so whatever changes meanwhile gathers for the next: group commit without a timer. Cutting
// off entries that the disk is just writing also takes them out of what its answer will mean, so
// an old answer never vouches for the entries that took their place (the A-B-A race in etcd's
// async storage notes).
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "base/ids.h"
#include "placement/raft/effects.h"
#include "placement/raft/log.h"

namespace gaggle::raft {

class Journal {
  public:
    using Version = std::uint64_t;

    /// `last`: the last entry, which is durable as everything is at a start.
    explicit Journal(LogIndex last) : durable_(last), handed_(last) {}

    void changed_hard_state();
    void appended() { ++version_; }
    void truncated(LogIndex from);
    /// The state machine's own snapshot: the log stays, but for what is at or below `drop_until`.
    void took(Snapshot snapshot, LogIndex drop_until);
    /// A snapshot from the leader: it replaces the whole log.
    void installed(Snapshot snapshot);

    /// The last entry that is on disk here, exactly as it is in memory.
    LogIndex durable() const { return durable_; }
    Version version() const { return version_; }
    bool is_durable(Version version) const { return version <= durable_version_; }
    bool hard_state_durable() const { return is_durable(hard_version_); }

    /// Hands the message to `now` if everything (or, for HoldFor::hard_state, term and vote) is
    /// durable; else keeps it for the answer that makes it so.
    enum class HoldFor { hard_state, everything };
    void send(HoldFor what, Message message, std::vector<Message>& now);

    /// The next write, if there is something to write and none is on its way.
    std::optional<Persist> next(const Log& log, const HardState& hard);
    /// The write is durable. Returns the messages that waited for it, in the order they were
    /// sent. Nothing when `token` is not the one on its way.
    std::vector<Message> persisted(std::uint64_t token);

  private:
    struct Held {
        Version needs = 0;
        Message message;
    };
    struct InFlight {
        Version version = 0;
        /// Of the entries it makes durable; lowered when they are cut off meanwhile.
        LogIndex last;
    };

    Version version_ = 0;
    Version hard_version_ = 0;
    Version handed_version_ = 0;
    Version durable_version_ = 0;
    LogIndex durable_;
    LogIndex handed_;  ///< last entry given to the disk
    std::uint64_t token_ = 0;
    std::optional<InFlight> in_flight_;
    Persist gathering_;  ///< snapshot, truncate_from and drop_until of the next write
    std::vector<Held> held_;
};

}  // namespace gaggle::raft
