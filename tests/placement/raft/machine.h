// One peer of a test group: a replica, a disk that knows what is synced, and a state machine.
//
// The disk keeps only what was reported Persisted; a crash forgets the write that is on its way,
// or keeps all of it. The state machine is the list of all commands, so that any two states can
// be compared command by command.
#pragma once

#include <algorithm>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/wire.h"
#include "placement/raft/raft.h"

namespace gaggle::raft::test {

inline const RegionId kRegion{{7}};
constexpr Epoch kEpoch{1};

/// What the store does with one Persist.
inline void write(Restored& disk, const Persist& persist) {
    if (persist.hard) disk.hard = *persist.hard;
    if (persist.snapshot) disk.snapshot = persist.snapshot;
    auto& entries = disk.entries;
    if (persist.truncate_from)
        std::erase_if(entries, [&](const Entry& e) { return e.index >= *persist.truncate_from; });
    entries.insert(entries.end(), persist.append.begin(), persist.append.end());
    if (persist.drop_until)
        std::erase_if(entries, [&](const Entry& e) { return e.index <= *persist.drop_until; });
}

/// Whether the disk vouches for `entry`.
inline bool holds(const Restored& disk, const Entry& entry) {
    if (disk.snapshot && disk.snapshot->meta.index >= entry.index) return true;
    return std::find(disk.entries.begin(), disk.entries.end(), entry) != disk.entries.end();
}

struct Machine {
    ReplicaId id;
    Config config;
    std::optional<Replica> replica;  ///< nothing while crashed
    Restored disk;
    std::optional<Persist> writing;
    std::vector<std::string> state;  ///< every command that was applied, oldest first
    LogIndex applied;
    bool to_load = false;  ///< SnapshotInstalled is due

    void start(Rng rng) {
        state.clear();
        applied = {};
        writing.reset();
        to_load = false;
        replica.emplace(config, disk, rng);
    }

    /// The process is gone. The write on its way is lost, or was done without anybody hearing of
    /// it.
    void crash(bool write_was_done) {
        if (writing && write_was_done) write(disk, *writing);
        writing.reset();
        replica.reset();
    }

    /// Takes in what a step asks of the disk and of the state machine.
    void absorb(const Effects& effects) {
        if (effects.persist) {
            INVARIANT(!writing);
            writing = effects.persist;
        }
        if (effects.restore) {
            state = *decode<std::vector<std::string>>(effects.restore->state, "test state");
            applied = effects.restore->meta.index;
            to_load = true;
        }
        for (const Entry& entry : effects.committed) {
            INVARIANT(entry.index.value == applied.value + 1);
            applied = entry.index;
            if (entry.kind == EntryKind::command) state.push_back(to_text(entry.payload));
        }
    }

    /// The write is durable; the input that says so.
    Persisted finish_write() {
        write(disk, *writing);
        const Persisted done{writing->token};
        writing.reset();
        return done;
    }

    Bytes snapshot() const { return encode(state); }
};

}  // namespace gaggle::raft::test
