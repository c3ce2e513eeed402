// Carries out all Work about copies on one FileTree: directories in, manifests and blocks out.
//
// The agent runs it on a thread of its own (worker_posix.h), the simulator inline on a tree in
// memory; both give it the same work in the same order. It holds no thread and reads no clock.
#pragma once

#include <optional>
#include <string>

#include "allocrunner/replica/copy_store.h"
#include "allocrunner/replica/io.h"
#include "allocrunner/replica/scans.h"

namespace gaggle::replica {

/// Where things are in the tree of files.
struct Places {
    std::string allocs = "alloc";   ///< allocation directories, by id
    std::string copies = "copies";  ///< of other peers' allocations
};

constexpr std::uint64_t kFreshBytesMax = std::uint64_t{16} << 20U;  ///< just changed, in memory

class Copier {
  public:
    Copier(FileTree& files, const Places& places);

    /// Once, before any work: what is complete here, and what is damaged.
    CopyStore::Found recover() { return copies_.recover(); }
    /// The result, for work that has one. What fails without an answer is in `problem`.
    std::optional<Input> carry_out(const Work& work, WallTime wall, std::string& problem);
    /// Moves the copy into the directory of a new allocation; see CopyStore::restore.
    Result<std::string> restore(const Lineage& lineage, const AllocId& alloc, WallTime wall);

    /// True for work that touches only the source's side: it may overlap with restore().
    static bool is_of_source(const Work& work);

  private:
    Places places_;
    Scans scans_;
    CopyStore copies_;
};

}  // namespace gaggle::replica
