// The small part of a file system that copies are made with.
//
// One tree holds both the allocation directories and the copies, so that a restore is a rename.
// Paths are relative to its top, without "." and "..", and nothing here ever follows a symlink.
// Two implementations: file_tree_posix.cc on a real directory, and tests/sim/memory_tree.h, whose
// disk forgets what was not synced and can stop between any two operations.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "allocrunner/replica/manifest.h"
#include "base/result.h"

namespace gaggle::replica {

struct Stat {
    enum class Type { file, dir, symlink, other };
    Type type = Type::other;
    std::uint32_t mode = 0;  ///< with setuid and setgid bits, as they are
    std::uint32_t uid = 0;
    std::uint32_t gid = 0;
    std::int64_t mtime = 0;  ///< nanoseconds since 1970
    std::int64_t ctime = 0;
    std::uint64_t size = 0;
    std::uint64_t inode = 0;
    std::uint64_t links = 1;
    bool operator==(const Stat&) const = default;
};

struct Named {
    std::string name;
    Stat stat;
};

class FileTree {
  public:
    virtual ~FileTree() = default;

    /// What is in a folder, by name in ascending order.
    virtual Result<std::vector<Named>> list(const std::string& path) = 0;
    /// `not_found` also when a parent is missing or is no folder.
    virtual Result<Stat> stat(const std::string& path) = 0;
    /// Fewer bytes than `size` only at the end of the file.
    virtual Result<Bytes> read(const std::string& path, std::uint64_t offset,
                               std::uint64_t size) = 0;
    virtual Result<std::string> read_link(const std::string& path) = 0;
    /// Those of a file or folder whose name begins with "user.".
    virtual Result<Xattrs> xattrs(const std::string& path) = 0;

    /// One that exists already is left as it is, but made writable for us.
    virtual Result<void> make_dir(const std::string& path) = 0;
    /// A new or existing file, writable for us, of exactly this size; what is new in it is a hole.
    virtual Result<void> make_file(const std::string& path, std::uint64_t size) = 0;
    /// Into an existing file.
    virtual Result<void> write(const std::string& path, std::uint64_t offset, BytesView bytes) = 0;
    /// Makes that part of a file zero, without bytes on disk where the file system can.
    virtual Result<void> punch(const std::string& path, std::uint64_t offset,
                               std::uint64_t size) = 0;
    virtual Result<void> make_symlink(const std::string& path, const std::string& target) = 0;
    virtual Result<void> make_hardlink(const std::string& path, const std::string& existing) = 0;
    /// All of them, on a file, folder or symlink (which takes owner and time only). The owner is
    /// set only by root. Never follows; never sets more than kModeMask.
    virtual Result<void> set_attributes(const std::string& path, const Attributes& attributes) = 0;
    /// Replaces a file, or an empty folder by a folder.
    virtual Result<void> rename(const std::string& from, const std::string& to) = 0;
    /// Not a folder that has something in it. `not_found` as in stat.
    virtual Result<void> remove(const std::string& path) = 0;

    /// Content and attributes of a file, or the names in a folder, are durable.
    virtual Result<void> sync(const std::string& path) = 0;
    /// All of the tree is durable.
    virtual Result<void> sync_all() = 0;
};

/// Whether there is something at `path`.
Result<bool> exists(FileTree& tree, const std::string& path);
/// With all that is in it. Nothing there: fine.
Result<void> remove_all(FileTree& tree, const std::string& path);
/// The folder and those above it, as far as they are missing.
Result<void> make_dirs(FileTree& tree, const std::string& path);
/// The whole file has these bytes, durably, or (after a crash) what it had before.
Result<void> replace_file(FileTree& tree, const std::string& path, BytesView bytes);
/// A whole file of at most `limit` bytes.
Result<Bytes> read_file(FileTree& tree, const std::string& path, std::uint64_t limit);

}  // namespace gaggle::replica
