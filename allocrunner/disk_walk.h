// Counts what a directory tree takes, in slices, while others change it.
//
// Every inode counts once whatever its names, blocks rather than lengths, and nothing beyond a
// mount point. The walk holds the path from the root to where it is: a few open directories, of the
// rest where to read on; so memory grows with the depth of the tree alone, and a directory that is
// renamed meanwhile is still left by its own "..", or given up and counted by the next walk.
#pragma once

#include <memory>
#include <string>

#include "allocrunner/disk_use.h"
#include "base/result.h"

namespace gaggle::allocrunner {

class DiskWalk {
  public:
    /// Errc::not_found when `path` is gone; Errc::io. A link in its place is not followed.
    static Result<DiskWalk> begin(const std::string& path);
    ~DiskWalk();
    DiskWalk(DiskWalk&&) noexcept;
    DiskWalk& operator=(DiskWalk&&) noexcept;

    struct Slice {
        std::uint64_t entries = 0;  ///< looked at
        bool done = false;
    };
    /// At most about `entries_max` more entries. Done also once charged() is more than `enough`.
    Slice advance(std::uint64_t entries_max, std::uint64_t enough);

    const DiskUse& use() const;
    /// Directories that could not be read or found again; what is in them is not counted.
    std::uint64_t missed() const;

  private:
    struct Impl;
    explicit DiskWalk(std::unique_ptr<Impl> impl);
    std::unique_ptr<Impl> impl_;
};

}  // namespace gaggle::allocrunner
