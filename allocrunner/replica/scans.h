// The allocation directories that are being copied from here, as they were last scanned.
//
// Carries out the source's side of Work. What is served is checked against the last scan: a block
// that is no longer what the manifest says is not given out.
#pragma once

#include <map>
#include <string>

#include "allocrunner/replica/block_cache.h"
#include "allocrunner/replica/io.h"
#include "allocrunner/replica/scan.h"

namespace gaggle::replica {

class Scans {
  public:
    /// Allocation directories are `top`/<id>. Keeps `fresh_bytes_max` of just changed blocks.
    Scans(FileTree& files, std::string top, std::uint64_t fresh_bytes_max);

    Scanned carry_out(const ScanTree& work, WallTime wall);
    TreeRead carry_out(const ReadTree& work) const;
    BlocksRead carry_out(const ReadBlocks& work);
    void carry_out(const ForgetScan& work) { scans_.erase(work.lineage); }

  private:
    struct One {
        AllocId alloc;
        Scanner scanner;
        Scan last;
    };

    FileTree& files_;
    std::string top_;
    std::map<Lineage, One> scans_;
    BlockCache fresh_;
};

}  // namespace gaggle::replica
