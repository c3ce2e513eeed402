// The file system's own books for a directory tree: project quota of ext4 and XFS, only to count.
//
// Each allocation's directory gets a project number once it is prepared; what is made in it later
// inherits that, and what it takes is then one call, deleted but open files included. No limit is
// set: a task over its limit is to be told and ended, not to find its disk full. The number is the
// directory's inode's, moved on until it has no books yet, so that several agents and an operator's
// own projects keep apart. Where accounting is not switched on (mount option `prjquota`), open()
// says so, and the tree is walked instead.
#pragma once

#include <cstdint>
#include <string>

#include "allocrunner/disk_use.h"
#include "base/result.h"
#include "base/unique_fd.h"

namespace gaggle::allocrunner {

using ProjectNumber = std::uint32_t;  ///< 0 is everything without one

class DiskQuota {
  public:
    /// Errc::unavailable when the file system under `root` keeps no such books.
    static Result<DiskQuota> open(const std::string& root);

    /// Takes `path` and everything below it into the books of a new number, or gives the one that
    /// it has. Reads the whole tree the first time. Errors name what could not be taken in. Safe
    /// for any thread.
    Result<ProjectNumber> enrol(const std::string& path) const;
    Result<DiskUse> use(ProjectNumber number) const;

  private:
    struct Choice {
        ProjectNumber number = 0;
        bool enrolled = false;  ///< by an earlier call, completely
    };
    explicit DiskQuota(UniqueFd root) : root_(std::move(root)) {}
    Result<Choice> choose(int folder, const std::string& path) const;
    UniqueFd root_;
};

}  // namespace gaggle::allocrunner
