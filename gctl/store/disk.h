// What the store needs of a disk: LevelDB's files, directories that can be synced, and one lock.
//
// There are two: the machine's file system, and the simulator's disk in memory (tests/sim/disk.h),
// which forgets what was not synced. LevelDB's own Env cannot sync a directory and cannot say who
// holds a lock; that is why this interface stands around it.
#pragma once

#include <memory>
#include <string>

#include "base/result.h"

namespace leveldb {
class Env;
}

namespace gaggle::store {

/// Held as long as it lives, and gone with the process.
class DirectoryLock {
  public:
    virtual ~DirectoryLock() = default;
};

/// Where LevelDB's compactions run.
enum class Background {
    own_thread,       ///< on LevelDB's thread, beside the caller
    after_each_call,  ///< on the caller's, before a call returns: same calls, same trace
};

class Disk {
  public:
    virtual ~Disk() = default;

    /// Never null; lives as long as the disk.
    virtual leveldb::Env* files() = 0;
    /// Makes the names in `directory` durable (created, renamed and removed ones).
    virtual Result<void> sync_directory(const std::string& directory) = 0;
    /// Errc::unavailable while somebody else holds it; the error then names the process.
    virtual Result<std::unique_ptr<DirectoryLock>> lock(const std::string& directory) = 0;
    virtual Background background() const = 0;
};

/// The machine's file system; directories are made for their owner alone. Never destroyed.
Disk& real_disk();

/// The parts of the real one that LevelDB has not (directory_posix.cc).
Result<void> sync_real_directory(const std::string& directory);
Result<std::unique_ptr<DirectoryLock>> lock_real_directory(const std::string& directory);

}  // namespace gaggle::store
