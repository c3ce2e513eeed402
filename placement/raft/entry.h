// What a replica of the commit group keeps on disk, as plain data.
//
// The store writes and reads exactly these; the core promises nothing that was not reported
// durable. Each entry's checksum covers the entry and the checksum before it, so one number
// vouches for the whole log up to there, and a damaged entry in the middle is told from a torn
// tail.
#pragma once

#include <cstdint>
#include <optional>
#include <tuple>
#include <vector>

#include "base/bytes.h"
#include "base/ids.h"
#include "placement/raft/configuration.h"

namespace gaggle::raft {

enum class EntryKind : std::uint8_t {
    empty,          ///< a new leader's first entry; nothing to apply
    command,        ///< the payload belongs to the state machine
    configuration,  ///< the payload is encode_configuration()
};
constexpr EntryKind wire_last(EntryKind) { return EntryKind::configuration; }

struct Entry {
    LogIndex index;
    Term term;
    EntryKind kind = EntryKind::empty;
    Bytes payload;
    std::uint64_t checksum = 0;  ///< chained(checksum of the entry before, this)

    bool operator==(const Entry&) const = default;
    template <class Self>
    static auto wire_fields(Self& s) {
        return std::tie(s.index, s.term, s.kind, s.payload, s.checksum);
    }
};

/// The checksum that `entry` must have after an entry with checksum `previous` (0 before the
/// first).
std::uint64_t chained(std::uint64_t previous, const Entry& entry);

struct HardState {
    Term term;
    std::optional<ReplicaId> vote;  ///< whom this replica voted for in `term`

    bool operator==(const HardState&) const = default;
    template <class Self>
    static auto wire_fields(Self& s) {
        return std::tie(s.term, s.vote);
    }
};

/// Describes a snapshot: it stands for all entries up to `index`.
struct SnapshotMeta {
    LogIndex index;
    Term term;                    ///< of the entry at `index`
    Configuration configuration;  ///< the effective one at `index`
    LogIndex configuration_index;
    std::uint64_t checksum = 0;  ///< of the entry at `index`, so that the chain goes on

    bool operator==(const SnapshotMeta&) const = default;
    template <class Self>
    static auto wire_fields(Self& s) {
        return std::tie(s.index, s.term, s.configuration, s.configuration_index, s.checksum);
    }
};

struct Snapshot {
    SnapshotMeta meta;
    Bytes state;  ///< the state machine's own bytes

    bool operator==(const Snapshot&) const = default;
    template <class Self>
    static auto wire_fields(Self& s) {
        return std::tie(s.meta, s.state);
    }
};

/// Everything that was durable when the process ended; what a replica starts from.
struct Restored {
    HardState hard;
    std::optional<Snapshot> snapshot;
    /// Without gaps. Begins at 1, or somewhere at or below snapshot->meta.index + 1; may be
    /// empty.
    std::vector<Entry> entries;
};

/// The first log of a new region, the same bytes on every founder: the founders are voters 1, 2,
/// ... in the given order. Requires at least one, all different.
Restored founding(const std::vector<PeerNumber>& founders);

/// Whether `restored` is a log that a replica may start from: contiguous, checksums chained,
/// terms never falling, reaching back to the start or the snapshot. Errc::corrupt says where it
/// breaks.
Result<void> verify(const Restored& restored);

}  // namespace gaggle::raft
