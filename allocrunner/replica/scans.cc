#include "allocrunner/replica/scans.h"

#include <algorithm>

namespace gaggle::replica {

Scans::Scans(FileTree& files, std::string top, std::uint64_t fresh_bytes_max)
    : files_(files), top_(std::move(top)), fresh_(fresh_bytes_max) {}

Scanned Scans::carry_out(const ScanTree& work, WallTime wall) {
    One& one = scans_[work.lineage];
    if (one.alloc != work.alloc) one = One{.alloc = work.alloc};
    auto scan =
        one.scanner.scan(files_, top_ + '/' + to_string(work.alloc), wall,
                         [&](const Hash& hash, BytesView bytes) { fresh_.add(hash, bytes); });
    Scanned out{.work = work.work};
    if (!scan) {
        out.error = "copy " + to_string(work.lineage) + ": " + scan.error().detail;
        return out;
    }
    out.root = scan->root;
    out.tree_bytes = scan->encoded.size();
    out.bytes = content_bytes(scan->tree);
    out.taken_at = scan->taken_at;
    out.steady = scan->steady;
    if (scan->encoded.size() <= kTreeInlineBytes) out.tree = scan->encoded;
    one.last = *std::move(scan);
    return out;
}

TreeRead Scans::carry_out(const ReadTree& work) const {
    TreeRead out{.work = work.work};
    const auto one = scans_.find(work.lineage);
    if (one == scans_.end() || one->second.last.root != work.root) {
        out.error = "read manifest of " + to_string(work.lineage) + ": it was superseded";
        return out;
    }
    const Bytes& encoded = one->second.last.encoded;
    const auto begin = std::min<std::uint64_t>(work.offset, encoded.size());
    const auto end = begin + std::min<std::uint64_t>(work.size, encoded.size() - begin);
    out.bytes.assign(encoded.begin() + static_cast<std::ptrdiff_t>(begin),
                     encoded.begin() + static_cast<std::ptrdiff_t>(end));
    return out;
}

BlocksRead Scans::carry_out(const ReadBlocks& work) {
    BlocksRead out{.work = work.work};
    const auto one = scans_.find(work.lineage);
    if (one == scans_.end() || one->second.last.root != work.root) {
        out.changed = true;
        return out;
    }
    const Tree& tree = one->second.last.tree;
    for (const BlockRef& ref : work.blocks) {
        const Hash* hash = block_at(tree, ref);
        if (hash == nullptr || hash->empty()) {
            out.changed = true;
            continue;
        }
        if (const Bytes* fresh = fresh_.find(*hash)) {
            out.blocks.push_back({ref, *fresh});
            continue;
        }
        const Entry& entry = tree.entries[ref.entry];
        const std::string path = top_ + '/' + to_string(one->second.alloc) + '/' + entry.path;
        auto bytes =
            files_.read(path, ref.block * kBlockBytes, block_length(entry.size, ref.block));
        if (bytes && hash_of(*bytes) == *hash)
            out.blocks.push_back({ref, *std::move(bytes)});
        else
            out.changed = true;
    }
    return out;
}

}  // namespace gaggle::replica
