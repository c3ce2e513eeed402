// The entries of a replica, in memory, and the configurations among them.
//
// Holds everything behind `base`, which is entry 0, or the last entry that was cut away; of the
// base only index, term and checksum are left. Configurations are kept by index, so cutting off
// several uncommitted ones just forgets them (scylladb#30936 remembered only one). Knows nothing
// of disks, commits or leaders.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <vector>

#include "base/ids.h"
#include "placement/raft/entry.h"

namespace gaggle::raft {

class Log {
  public:
    /// Requires that verify(restored) accepts it.
    explicit Log(const Restored& restored);

    LogIndex first() const {
        return LogIndex{base_.value + 1};
    }  ///< of the first entry held, or to be held
    LogIndex last() const { return LogIndex{base_.value + entries_.size()}; }
    Term last_term() const;
    std::uint64_t last_checksum() const;
    /// Nothing outside [base, last].
    std::optional<Term> term_at(LogIndex index) const;
    /// Requires first() <= index <= last().
    const Entry& at(LogIndex index) const;
    /// As many entries from `from` on as fit into `bytes`, at least one if there is one, at most
    /// `count`.
    std::vector<Entry> slice(LogIndex from, std::size_t bytes, std::size_t count) const;
    /// Bytes of the entries in (after, up_to], as far as they are held.
    std::uint64_t bytes_between(LogIndex after, LogIndex up_to) const;

    /// Whether a log that ends with (index, term) may lead us: later term, or the same and not
    /// shorter.
    bool up_to_date(LogIndex index, Term term) const;
    /// The largest index at or below `index` whose term is at most `term`: above it nothing can
    /// match a log that has `term` at `index`. Skips a whole term at a step, on both sides of the
    /// wire (etcd's probe hints).
    LogIndex last_possible_match(LogIndex index, Term term) const;

    /// Requires the next index, a term that does not fall, and the chained checksum.
    void append(Entry entry);
    /// Forgets all entries at and above `from`. Requires first() <= from.
    void truncate(LogIndex from);
    /// Forgets all entries at and below `until`; the base moves there. Requires until <= last().
    void cut(LogIndex until);
    /// Becomes the empty log behind this snapshot.
    void reset(const SnapshotMeta& meta);

    const Configuration& configuration() const { return configurations_.rbegin()->second; }
    LogIndex configuration_index() const { return configurations_.rbegin()->first; }
    /// Effective at `index`. Requires index >= the index of the snapshot.
    std::pair<LogIndex, Configuration> configuration_at(LogIndex index) const;
    /// By index; the first is the oldest that is still known (index 0 and empty at the very
    /// beginning).
    const std::map<LogIndex, Configuration>& configurations() const { return configurations_; }
    /// Everything about the entry at `index` that a snapshot must carry. Requires base <= index
    /// <= last().
    SnapshotMeta describe(LogIndex index) const;

  private:
    struct Held {
        Entry entry;
        std::uint64_t bytes_before = 0;  ///< of all entries before this one, since construction
    };
    const Held& held(LogIndex index) const { return entries_[index.value - base_.value - 1]; }

    LogIndex base_;
    Term base_term_;
    std::uint64_t base_checksum_ = 0;
    std::uint64_t bytes_end_ = 0;
    std::deque<Held> entries_;
    std::map<LogIndex, Configuration> configurations_;
};

}  // namespace gaggle::raft
