// What a peer must still know after its power was cut: its Raft log, its snapshot, and small named
// things.
//
// Bytes and raft's plain data in, the same out at the next start. Everything in one write() is
// durable together or not at all. Below lies LevelDB behind our own environment (checked_env.h),
// with checksums of our own on every record; beside it a guard file, so that a log that forgot what
// it had acknowledged is noticed ("amnesia": such a replica must not vote). The first failure is
// the last: after it every write fails, and the caller ends its raft replica. What the checksums
// and the guard do not notice: the last second before a kill, when the log is cut by hand
// afterwards, and a whole data directory set back to an older copy. Source of the rules: reference
// consensus.md 2.9 and 2.10. Layout on disk: layout.h.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>

#include "base/bytes.h"
#include "base/ids.h"
#include "base/result.h"
#include "gctl/store/checked_env.h"
#include "gctl/store/disk.h"
#include "placement/raft/effects.h"
#include "placement/raft/entry.h"

namespace gaggle::store {

struct Options {
    Disk* disk = nullptr;  ///< nullptr: the machine's own; else it must outlive the store
};

/// Whose log this is. A peer that leaves the commit group and comes back is another replica.
struct Membership {
    RegionId region;
    Epoch epoch;
    raft::ReplicaId replica;

    bool operator==(const Membership&) const = default;
    template <class Self>
    static auto wire_fields(Self& s) {
        return std::tie(s.region, s.epoch, s.replica);
    }
};

using Keys = std::map<std::string, Bytes>;
using KeyChanges = std::map<std::string, std::optional<Bytes>>;  ///< nothing erases the key

struct Loaded {
    std::optional<Membership> membership;  ///< nothing: this peer has no replica yet
    raft::Restored raft;                   ///< verified
    Keys keys;
    /// Why this log cannot be trusted to hold all that it acknowledged. Then the replica may not
    /// vote: it is to be replaced, and begin_replica() starts the next one.
    std::optional<std::string> amnesia;
};

struct Batch {
    std::optional<raft::Persist> raft;
    KeyChanges keys;
};

class Store {
  public:
    /// Opens or creates the store in the data directory `path` (its last component may be missing).
    /// Errc::unavailable: another agent uses it. Errc::invalid: of an unknown format; nothing was
    /// touched. Errc::corrupt: something that was acknowledged is damaged; nothing was repaired or
    /// removed.
    static Result<std::unique_ptr<Store>> open(const std::string& path,
                                               const Options& options = {});
    /// Notes the last write in the guard, unless something has failed.
    ~Store();
    Store(const Store&) = delete;
    Store& operator=(const Store&) = delete;

    /// What open() found; moved out, so it can be asked once.
    Loaded take_loaded();

    /// One atomic, synced write. A change of the hard state also goes to the guard before it
    /// returns. Errc::io is final: every later call fails with it. With amnesia, raft's part is
    /// refused (Errc::denied). Requires a membership for raft's part, and entries without a gap.
    Result<void> write(const Batch& batch);

    /// Forgets the old replica, if any, and starts one for `membership` with `first`
    /// (raft::founding(), or nothing for a learner) together with `keys`, in one write. Ends
    /// amnesia.
    Result<void> begin_replica(const Membership& membership, const raft::Restored& first,
                               const KeyChanges& keys);

    /// Lets the guard know of all writes so far. To be called about once a second: what was written
    /// since the last call can be lost unnoticed. Free when nothing was written.
    Result<void> refresh_guard();

    /// The failure that closed the store.
    const std::optional<Error>& failure() const;
    Counters counters() const;

    struct Impl;  ///< named here for the files that do the work; opaque to everybody else

  private:
    explicit Store(std::unique_ptr<Impl> impl);
    std::unique_ptr<Impl> impl_;
};

}  // namespace gaggle::store
