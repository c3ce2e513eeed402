// What an allocation's directory takes of the disk, and how full a disk is.
#pragma once

#include <cstdint>

namespace gaggle::allocrunner {

/// What a file costs besides its blocks: ext4's default. So a million empty files are 244 MiB, and
/// not nothing.
inline constexpr std::uint64_t kInodeBytes = 256;

struct DiskUse {
    std::uint64_t bytes = 0;   ///< blocks, also of files that are open and have no name any more
    std::uint64_t inodes = 0;  ///< files, directories and links; what has many names counts once
    /// What counts against `ephemeral_disk.size`.
    std::uint64_t charged() const { return bytes + inodes * kInodeBytes; }
    bool operator==(const DiskUse&) const = default;
};

/// How full a disk is, in percent, as `df` says it: of what its users could have, so that the
/// blocks that are kept for root count as neither. Also of inodes. 0 where there is nothing to
/// have.
constexpr double full_percent(std::uint64_t used, std::uint64_t available) {
    const double all = static_cast<double>(used) + static_cast<double>(available);
    return all == 0 ? 0 : 100 * static_cast<double>(used) / all;
}

}  // namespace gaggle::allocrunner
