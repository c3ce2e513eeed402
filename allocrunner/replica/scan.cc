#include "allocrunner/replica/scan.h"

#include <algorithm>

namespace gaggle::replica {

namespace {

constexpr std::int64_t kStampTick = 100'000'000;     ///< ns; the kernel's is at most 10 ms
constexpr std::int64_t kWriteBack = 60'000'000'000;  ///< ns; twice Linux's dirty_expire
constexpr int kReadsMax = 3;                         ///< of a file that keeps changing

bool is_gone(const Error& error) { return error.code == Errc::not_found; }

/// Hashes of all blocks of a file. Short when the file has shrunk meanwhile.
Result<std::vector<Hash>> hash_blocks(FileTree& files, const std::string& path, std::uint64_t size,
                                      const FreshBlock& fresh) {
    std::vector<Hash> blocks;
    for (std::uint64_t at = 0; at < size; at += kBlockBytes) {
        const Bytes block = TRY(files.read(path, at, std::min(kBlockBytes, size - at)));
        if (block.empty()) break;
        blocks.push_back(block_hash(block));
        if (fresh && !blocks.back().empty()) fresh(blocks.back(), block);
        if (block.size() < std::min(kBlockBytes, size - at)) break;
    }
    return blocks;
}

}  // namespace

struct Scanner::Pass {
    FileTree& files;
    const std::string& top;
    std::int64_t now;
    const FreshBlock& fresh;
    Scan out;
    std::map<std::string, Known> seen;
    std::vector<std::string> folders;
    std::map<std::uint64_t, std::string> linked;  ///< first path of an inode with several
};

bool Scanner::is_current(const Known& known, const Stat& stat, std::int64_t now) {
    if (known.stat != stat) return false;
    const std::int64_t settled = known.read_at - stat.ctime;
    if (settled < kStampTick) return false;
    return settled >= kWriteBack || now - stat.ctime < kWriteBack;
}

Result<Scan> Scanner::scan(FileTree& files, const std::string& path, WallTime wall,
                           const FreshBlock& fresh) {
    Pass pass{.files = files, .top = path, .now = wall.nanoseconds, .fresh = fresh};
    pass.out.taken_at = wall;
    for (const Named& folder : TRY(files.list(path))) {
        if (folder.stat.type != Stat::Type::dir) continue;
        const std::string root = folder.name + (folder.name == "alloc" ? "/data" : "/local");
        const auto stat = files.stat(path + '/' + root);
        if (!stat && !is_gone(stat.error())) return stat.error();
        if (stat && stat->type == Stat::Type::dir) TRY(scan_one(pass, root, *stat));
    }
    if (pass.out.steady) pass.out.steady = is_unchanged(pass);
    auto& entries = pass.out.tree.entries;
    std::sort(entries.begin(), entries.end(),
              [](const Entry& a, const Entry& b) { return a.path < b.path; });
    known_ = std::move(pass.seen);
    if (auto checked = check_tree(pass.out.tree); !checked)
        return within("copy " + path, std::move(checked).error());
    pass.out.encoded = encode_tree(pass.out.tree);
    pass.out.root = hash_of(pass.out.encoded);
    return std::move(pass.out);
}

bool Scanner::is_unchanged(const Pass& pass) {
    for (const std::string& folder : pass.folders) {
        const auto stat = pass.files.stat(pass.top + '/' + folder);
        const auto inside = pass.files.list(pass.top + '/' + folder);
        if (!stat || !inside || *stat != pass.seen.at(folder).stat) return false;
        for (const Named& named : *inside) {
            const auto known = pass.seen.find(folder + '/' + named.name);
            if (known != pass.seen.end() && known->second.stat != named.stat) return false;
        }
    }
    return true;
}

Result<void> Scanner::scan_folder(Pass& pass, const std::string& path) {
    const auto inside = pass.files.list(pass.top + '/' + path);
    if (!inside && !is_gone(inside.error())) return inside.error();
    if (!inside) {
        pass.out.steady = false;
        return {};
    }
    for (const Named& named : *inside) TRY(scan_one(pass, path + '/' + named.name, named.stat));
    return {};
}

Result<void> Scanner::scan_one(Pass& pass, const std::string& path, const Stat& stat) {
    if (stat.type == Stat::Type::other) return {};  // sockets, pipes and devices are not state
    if (path.size() > kPathBytesMax || pass.out.tree.entries.size() >= kEntriesMax)
        return Error{Errc::invalid, "copy " + pass.top + ": " +
                                        (path.size() > kPathBytesMax ? "a path is too long at "
                                                                     : "more files than a copy "
                                                                       "holds, at ") +
                                        path.substr(0, 200)};
    auto known = look(pass, path, stat);
    if (!known && is_gone(known.error())) {
        pass.out.steady = false;
        return {};
    }
    if (!known) return std::move(known).error();

    const Stat& now = known->stat;
    Entry entry{.path = path};
    entry.attributes = {.mode = now.mode & kModeMask,
                        .uid = now.uid,
                        .gid = now.gid,
                        .mtime = now.mtime,
                        .xattrs = known->xattrs};
    if (now.type == Stat::Type::dir) {
        entry.kind = Kind::dir;
        pass.folders.push_back(path);
    } else if (now.type == Stat::Type::symlink) {
        entry.kind = Kind::symlink;
        entry.target = known->target;
        entry.attributes.mode = 0;
    } else {
        entry.size = now.size;
        entry.blocks = known->blocks;
    }
    const bool is_dir = entry.kind == Kind::dir;
    if (entry.kind == Kind::file && now.links > 1) {
        // Folders are read by name in ascending order, but "a-b" sorts before "a/b": the path that
        // sorts first must be the file, so the roles may have to be exchanged.
        const auto [first, is_first] = pass.linked.try_emplace(now.inode, path);
        if (!is_first) {
            auto& entries = pass.out.tree.entries;
            if (path < first->second) {
                for (Entry& other : entries) {
                    if (other.path == first->second)
                        other = {.path = other.path, .kind = Kind::hardlink, .target = path};
                    else if (other.kind == Kind::hardlink && other.target == first->second)
                        other.target = path;
                }
                first->second = path;
            } else {
                entry = {.path = path, .kind = Kind::hardlink, .target = first->second};
            }
        }
    }
    pass.out.tree.entries.push_back(std::move(entry));
    pass.seen.emplace(path, *std::move(known));
    return is_dir ? scan_folder(pass, path) : Result<void>{};
}

Result<Scanner::Known> Scanner::look(Pass& pass, const std::string& path, const Stat& stat) {
    const auto before = known_.find(path);
    if (before != known_.end() && is_current(before->second, stat, pass.now)) return before->second;
    const std::string whole = pass.top + '/' + path;
    Known known{.stat = stat, .read_at = pass.now};
    for (int reads = 1;; ++reads) {
        if (known.stat.type == Stat::Type::symlink) {
            known.target = TRY(pass.files.read_link(whole));
            return known;
        }
        if (block_count(known.stat.size) > kBlocksMax)
            return Error{Errc::invalid, "copy " + whole + ": " +
                                            std::to_string(known.stat.size >> 30U) +
                                            " GiB are more than a copy holds"};
        known.xattrs = TRY(pass.files.xattrs(whole));
        if (known.stat.type == Stat::Type::dir) return known;
        known.blocks = TRY(hash_blocks(pass.files, whole, known.stat.size, pass.fresh));
        const Stat after = TRY(pass.files.stat(whole));
        if (after == known.stat && known.blocks.size() == block_count(after.size)) return known;
        pass.out.steady = false;
        if (after.type != Stat::Type::file)
            return Error{Errc::not_found, whole + " was replaced while it was read"};
        known.stat = after;
        if (reads >= kReadsMax && known.blocks.size() == block_count(after.size)) {
            known.read_at = 0;  // torn: never trusted, read again next time
            return known;
        }
        if (reads >= 10 * kReadsMax)
            return Error{Errc::not_found, whole + " changes faster than it can be read"};
    }
}

}  // namespace gaggle::replica
