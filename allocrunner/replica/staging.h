// Blocks that have arrived and are not part of a complete version yet.
//
// One file per lineage, appended to: hash, length, bytes, and so on. It can be read again after a
// crash: each block is checked against its hash, and what is damaged or cut off ends the file.
// Blocks are known by hash alone, so they serve whatever version needs them.
#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <string>

#include "allocrunner/replica/file_tree.h"

namespace gaggle::replica {

class Staging {
  public:
    /// Reads what is there at `path`; nothing there is empty.
    static Result<Staging> open(FileTree& files, std::string path);

    bool has(const Hash& hash) const { return at_.contains(hash); }
    std::uint64_t bytes() const { return end_; }
    /// `bytes` must have that hash (checked by the caller). A block that is there already: fine.
    Result<void> add(const Hash& hash, BytesView bytes);
    /// `corrupt` when the bytes are no longer those of the hash; then it is forgotten.
    Result<Bytes> get(const Hash& hash);
    Result<void> sync();
    /// Leaves only the blocks in `wanted`.
    Result<void> keep(const std::set<Hash>& wanted);
    Result<void> clear();

  private:
    struct Place {
        std::uint64_t offset = 0;
        std::uint32_t length = 0;
    };

    Staging(FileTree& files, std::string path) : files_(&files), path_(std::move(path)) {}
    Result<void> load();

    FileTree* files_;  ///< outlives this
    std::string path_;
    std::uint64_t end_ = 0;
    std::map<Hash, Place> at_;
};

}  // namespace gaggle::replica
