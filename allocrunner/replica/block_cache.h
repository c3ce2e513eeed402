// Blocks that a scan has just read, kept until holders have pulled them.
//
// A file that grows all the time would otherwise never be copied: by the time a holder asks for its
// last block, that block has changed. First in, first out, bounded in bytes.
#pragma once

#include <cstdint>
#include <deque>
#include <map>

#include "base/bytes.h"
#include "base/hash.h"

namespace gaggle::replica {

class BlockCache {
  public:
    explicit BlockCache(std::uint64_t bytes_max) : bytes_max_(bytes_max) {}

    void add(const Hash& hash, BytesView bytes) {
        if (bytes.size() > bytes_max_ ||
            !blocks_.try_emplace(hash, bytes.begin(), bytes.end()).second)
            return;
        order_.push_back(hash);
        bytes_ += bytes.size();
        while (bytes_ > bytes_max_) {
            const auto oldest = blocks_.find(order_.front());
            bytes_ -= oldest->second.size();
            blocks_.erase(oldest);
            order_.pop_front();
        }
    }

    /// Null when it is not, or no longer, here. Valid until the next add.
    const Bytes* find(const Hash& hash) const {
        const auto found = blocks_.find(hash);
        return found == blocks_.end() ? nullptr : &found->second;
    }

  private:
    std::uint64_t bytes_max_;
    std::uint64_t bytes_ = 0;
    std::map<Hash, Bytes> blocks_;
    std::deque<Hash> order_;
};

}  // namespace gaggle::replica
