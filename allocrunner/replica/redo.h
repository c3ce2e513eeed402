// From one complete tree to the next, in place, so that it can be begun again at any point.
//
// What the two manifests share stays untouched; everything else is removed and made anew, and
// changed blocks of files that stay are overwritten from the staged ones. Which is which follows
// from the manifests alone, never from what is on disk, so doing it again after a crash ends in the
// same tree. It reads no block from the old tree: what is needed elsewhere must be staged before.
#pragma once

#include <functional>
#include <set>
#include <string>
#include <vector>

#include "allocrunner/replica/file_tree.h"

namespace gaggle::replica {

struct Redo {
    std::vector<bool> kept;             ///< per entry of the new tree: its inode stays
    std::vector<BlockRef> writes;       ///< blocks to be written, no holes
    std::vector<BlockRef> punches;      ///< holes to be made where there are bytes now
    std::vector<std::string> removals;  ///< of the old tree, children before their folder
};

/// `old` is null when nothing is known of what is on disk: all is made anew.
Redo plan_redo(const Tree* old, const Tree& next);

/// Hashes of all blocks that `redo` writes.
std::set<Hash> blocks_needed(const Redo& redo, const Tree& next);

using ReadBlock = std::function<Result<Bytes>(const Hash&)>;

/// Makes the folder `top` hold exactly `next`, durably.
Result<void> carry_out(const Redo& redo, const Tree* old, const Tree& next, FileTree& files,
                       const std::string& top, const ReadBlock& read);

}  // namespace gaggle::replica
