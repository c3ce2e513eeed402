// LevelDB's file system, made strict.
//
// A wrapper around a Disk's files with the rules that LevelDB 1.23 does not keep by itself
// (reference: consensus.md 2.10). The first failed write, sync, creation or rename makes every
// later one fail, because a database that appends behind a torn record acknowledges what no reader
// will find. A `.log` file is synced before it is closed, because LevelDB drops the old one
// unsynced when it starts a new one (google/leveldb#193). The first sync of a file, each rename and
// each new directory also sync the directory above. The store's own small files go through it too,
// so that one place counts what the disk was asked to do.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "base/bytes.h"
#include "base/result.h"
#include "gctl/store/disk.h"

namespace gaggle::store {

struct Counters {
    std::uint64_t file_syncs = 0;
    std::uint64_t directory_syncs = 0;
    std::uint64_t bytes_written = 0;  ///< to all files, compactions included
};

class CheckedEnv {
  public:
    /// `disk` must outlive it.
    explicit CheckedEnv(Disk& disk);
    ~CheckedEnv();
    CheckedEnv(const CheckedEnv&) = delete;
    CheckedEnv& operator=(const CheckedEnv&) = delete;

    leveldb::Env* env();

    /// With Background::after_each_call, runs what LevelDB has scheduled. To be called after each
    /// call of a database, never inside one.
    void settle();

    /// The first failure, once there was one.
    std::optional<Error> failure() const;
    Counters counters() const;

  private:
    struct Impl;
    std::unique_ptr<Impl> impl_;
};

/// Nothing when there is no such file. A file of more than `limit` bytes is Errc::corrupt.
Result<std::optional<Bytes>> read_file(CheckedEnv& env, const std::string& path, std::size_t limit);
/// Writes, syncs, closes; the name is durable too. Overwrites: a crash may leave a part of it.
Result<void> write_file(CheckedEnv& env, const std::string& path, BytesView bytes);
/// The same by way of `path`.new and a rename: a crash leaves the old file or the new one.
Result<void> replace_file(CheckedEnv& env, const std::string& path, BytesView bytes);
/// Durable, with its name in its parent, which must exist. An existing directory is fine.
Result<void> make_directory(CheckedEnv& env, const std::string& path);

}  // namespace gaggle::store
