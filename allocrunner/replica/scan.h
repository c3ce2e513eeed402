// Reading an allocation directory into a manifest, again and again, cheaply.
//
// A file whose inode, size, mtime and ctime are as they were is not read again. Two exceptions keep
// that honest: a file that changed within the last tick of the kernel's clock is read again next
// time (the stamps could not show another change), and once more a minute later, because writes
// through a memory map move the stamps only when the page was clean before (Linux writes dirty
// pages back after 30 s). A file that changes while it is read is read again a few times; what
// still moves then is taken as it is, and the scan says that it was not steady.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <string>

#include "allocrunner/replica/file_tree.h"
#include "base/time.h"

namespace gaggle::replica {

/// Called with each block that was just hashed; it may be asked for soon.
using FreshBlock = std::function<void(const Hash& hash, BytesView bytes)>;

struct Scan {
    Tree tree;
    Bytes encoded;
    Hash root;
    WallTime taken_at;
    bool steady = true;  ///< no file or folder changed from first look to last
};

class Scanner {
  public:
    /// The allocation directory at `path`, beginning at `wall`. The error says which file and why.
    Result<Scan> scan(FileTree& files, const std::string& path, WallTime wall,
                      const FreshBlock& fresh);

  private:
    struct Known {
        Stat stat;
        std::int64_t read_at = 0;  ///< wall time, nanoseconds
        Xattrs xattrs;
        std::vector<Hash> blocks;  ///< of a file
        std::string target;        ///< of a symlink
    };
    struct Pass;

    static bool is_current(const Known& known, const Stat& stat, std::int64_t now);
    /// A second look at everything finds it as the first did.
    static bool is_unchanged(const Pass& pass);
    Result<void> scan_folder(Pass& pass, const std::string& path);
    Result<void> scan_one(Pass& pass, const std::string& path, const Stat& stat);
    Result<Known> look(Pass& pass, const std::string& path, const Stat& stat);

    std::map<std::string, Known> known_;  ///< by path, of the last scan
};

}  // namespace gaggle::replica
