// Every byte of the store, by name.
//
//     FORMAT                  "gaggle 2\n": what wrote this directory
//     LOCK                    held by the running agent; its process number
//     GUARD.0 GUARD.1         guard.h
//     state/snapshot-I-S      the state machine's bytes at log index I, written with write number S
//     log/                    a LevelDB database:
//       s                     Span: write number, first and last log index
//       m                     Membership (store.h)
//       h                     raft::HardState
//       d                     StoredSnapshot: which file is the snapshot
//       e + index             raft::Entry; the index big-endian, so that the order is the log's
//       k + name              a named thing of the node
//
// A record in the database is 8 bytes of checksum over key and value, little-endian, then the
// value: a msgpack array (base/wire.h), but for `k`, which is the caller's bytes. `s` is written
// with every write.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <tuple>

#include "base/bytes.h"
#include "base/hash.h"
#include "base/ids.h"
#include "base/result.h"
#include "base/wire.h"
#include "placement/raft/entry.h"

namespace gaggle::store {

/// 1 was the first flight's, whose commands and tables had other fields: nothing of it can be read.
constexpr std::string_view kFormat = "gaggle 2\n";

constexpr std::string_view kFirstFormat = "gaggle 1\n";

constexpr std::string_view kSpanKey = "s";
constexpr std::string_view kMembershipKey = "m";
constexpr std::string_view kHardStateKey = "h";
constexpr std::string_view kSnapshotKey = "d";
constexpr std::string_view kEntryPrefix = "e";
constexpr std::string_view kNamePrefix = "k";

/// Our own records, so generous; what they hold was limited when it came in.
constexpr Limits kRecordLimits{.fields = Fields::exact, .bytes = std::size_t{64} << 20U};
constexpr std::size_t kSnapshotBytesMax = std::size_t{64} << 20U;

struct Span {
    std::uint64_t writes = 0;  ///< grows by one with each write
    LogIndex first{1};
    LogIndex last;  ///< first - 1 when there are no entries

    bool empty() const { return last < first; }
    bool operator==(const Span&) const = default;
    template <class Self>
    static auto wire_fields(Self& s) {
        return std::tie(s.writes, s.first, s.last);
    }
};

struct StoredSnapshot {
    raft::SnapshotMeta meta;
    std::string file;  ///< its name under state/
    std::uint64_t bytes = 0;
    Hash hash;

    bool operator==(const StoredSnapshot&) const = default;
    template <class Self>
    static auto wire_fields(Self& s) {
        return std::tie(s.meta, s.file, s.bytes, s.hash);
    }
};

std::string entry_key(LogIndex index);
std::string name_key(std::string_view name);

/// A record as it lies in the database.
std::string sealed(std::string_view key, BytesView value);
/// Errc::corrupt when the checksum does not fit the key and the value.
Result<Bytes> unsealed(std::string_view key, std::string_view record);

}  // namespace gaggle::store
