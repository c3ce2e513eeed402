#include "allocrunner/replica/manifest.h"

#include <fmt/core.h>

#include <algorithm>

#include "base/wire.h"

namespace gaggle::replica {

namespace {

constexpr std::string_view kLabel = "gaggle copy manifest 1";
constexpr std::size_t kShownBytes = 200;  ///< of a path, in an error
constexpr std::size_t kNamesMax = 1024;   ///< of namespace, job and group, in bytes

const Limits kTreeLimits{
    .fields = Fields::exact, .bytes = kTreeBytesMax, .items = kBlocksMax, .depth = 8};

Bytes signed_bytes(const Header& header) {
    Bytes out = to_bytes(kLabel);
    const Bytes body = encode(header);
    out.insert(out.end(), body.begin(), body.end());
    return out;
}

bool is_path(const std::string& path) {
    if (path.empty() || path.size() > kPathBytesMax) return false;
    if (path.find('\0') != std::string::npos) return false;
    for (std::size_t begin = 0; begin <= path.size();) {
        const std::size_t end = std::min(path.find('/', begin), path.size());
        const std::string_view name(path.data() + begin, end - begin);
        if (name.empty() || name == "." || name == ".." || name.size() > kNameBytesMax)
            return false;
        begin = end + 1;
    }
    return true;
}

bool is_within_limits(const Attributes& attributes) {
    if ((attributes.mode & ~kModeMask) != 0) return false;
    std::size_t bytes = 0;
    for (const auto& [name, value] : attributes.xattrs) {
        if (!name.starts_with("user.") || name.size() > kNameBytesMax) return false;
        if (name.find('\0') != std::string::npos) return false;
        bytes += name.size() + value.size();
    }
    return bytes <= kXattrBytesMax;
}

/// Why `entry` may not stand in `tree`; nothing when it may.
const char* objection(const Tree& tree, const Entry& entry) {
    if (!is_path(entry.path)) return "a path that leaves its folder or is too long";
    if (!is_within_limits(entry.attributes)) return "attributes beyond the limits";
    const bool is_file = entry.kind == Kind::file;
    const bool is_link = entry.kind == Kind::symlink || entry.kind == Kind::hardlink;
    if (!is_file && (entry.size != 0 || !entry.blocks.empty())) return "content without a file";
    if (is_link == entry.target.empty()) return "a target where there must be none, or none";
    if (entry.target.size() > kPathBytesMax || entry.target.find('\0') != std::string::npos)
        return "a target that is too long";
    if (is_file && entry.size > kBlocksMax * kBlockBytes) return "too many blocks";
    if (is_file && entry.blocks.size() != block_count(entry.size))
        return "another number of blocks than its size has";
    if (entry.kind == Kind::hardlink) {
        const Entry* target = tree.find(entry.target);
        if (target == nullptr || target->kind != Kind::file) return "a hard link to no file";
        if (entry.attributes != Attributes{}) return "attributes on a hard link";
    }
    if (is_root_folder(entry.path)) return entry.kind == Kind::dir ? nullptr : "no folder";
    const Entry* parent = tree.find(parent_of(entry.path));
    if (parent == nullptr || parent->kind != Kind::dir) return "no folder that it is in";
    return nullptr;
}

}  // namespace

const Entry* Tree::find(const std::string& path) const {
    const auto at =
        std::lower_bound(entries.begin(), entries.end(), path,
                         [](const Entry& e, const std::string& p) { return e.path < p; });
    return at != entries.end() && at->path == path ? &*at : nullptr;
}

std::uint64_t block_count(std::uint64_t size) {
    return size / kBlockBytes + (size % kBlockBytes != 0 ? 1 : 0);
}

std::uint64_t block_length(std::uint64_t size, std::uint64_t block) {
    return std::min(kBlockBytes, size - std::min(size, block * kBlockBytes));
}

Hash block_hash(BytesView block) {
    const bool zero = std::all_of(block.begin(), block.end(), [](auto byte) { return byte == 0; });
    return zero ? Hash{} : hash_of(block);
}

const Hash* block_at(const Tree& tree, BlockRef ref) {
    if (ref.entry >= tree.entries.size()) return nullptr;
    const Entry& entry = tree.entries[ref.entry];
    return ref.block < entry.blocks.size() ? &entry.blocks[ref.block] : nullptr;
}

std::uint64_t content_bytes(const Tree& tree) {
    std::uint64_t bytes = 0;
    for (const Entry& entry : tree.entries)
        for (std::size_t block = 0; block < entry.blocks.size(); ++block)
            if (!entry.blocks[block].empty()) bytes += block_length(entry.size, block);
    return bytes;
}

bool is_root_folder(std::string_view path) {
    const std::size_t slash = path.find('/');
    if (slash == std::string_view::npos) return false;
    const std::string_view first = path.substr(0, slash);
    const std::string_view second = path.substr(slash + 1);
    return second == (first == "alloc" ? "data" : "local");
}

std::string parent_of(const std::string& path) {
    const std::size_t slash = path.rfind('/');
    return slash == std::string::npos ? std::string() : path.substr(0, slash);
}

std::string size_for_people(std::uint64_t bytes) {
    if (bytes < 1U << 10U) return fmt::format("{} B", bytes);
    if (bytes < 1U << 20U) return fmt::format("{:.1f} KiB", static_cast<double>(bytes) / 1024);
    if (bytes < 1U << 30U)
        return fmt::format("{:.1f} MiB", static_cast<double>(bytes) / (1U << 20U));
    return fmt::format("{:.1f} GiB", static_cast<double>(bytes) / (1U << 30U));
}

Result<void> check_tree(const Tree& tree) {
    if (tree.entries.size() > kEntriesMax)
        return Error{Errc::invalid, std::to_string(tree.entries.size()) +
                                        " files and folders, where a copy holds at most " +
                                        std::to_string(kEntriesMax)};
    for (std::size_t at = 1; at < tree.entries.size(); ++at)
        if (!(tree.entries[at - 1].path < tree.entries[at].path))
            return Error{Errc::corrupt, "entry " + std::to_string(at) + " is out of order"};
    std::size_t blocks = 0;
    for (std::size_t at = 0; at < tree.entries.size(); ++at) {
        if (const char* what = objection(tree, tree.entries[at]))
            return Error{Errc::corrupt,
                         tree.entries[at].path.substr(0, kShownBytes) + " has " + what};
        blocks += tree.entries[at].blocks.size();
    }
    if (blocks > kBlocksMax)
        return Error{Errc::invalid, std::to_string(blocks) + " blocks of content, where a copy " +
                                        "holds at most " + std::to_string(kBlocksMax)};
    return {};
}

Bytes encode_tree(const Tree& tree) { return encode(tree); }

Result<Tree> decode_tree(BytesView bytes, const Hash& root) {
    if (hash_of(bytes) != root)
        return Error{Errc::corrupt, "decode manifest: the bytes have another hash than its root"};
    Tree tree = TRY(decode<Tree>(bytes, "manifest", kTreeLimits));
    if (auto checked = check_tree(tree); !checked)
        return within("decode manifest", std::move(checked).error());
    return tree;
}

SignedHeader sign(const Keys& keys, Header header) {
    Bytes signature = keys.sign(signed_bytes(header));
    return {std::move(header), std::move(signature)};
}

bool is_genuine(const Keys& keys, const SignedHeader& header) {
    const Header& h = header.header;
    const Lineage& l = h.lineage;
    if (l.name_space.size() + l.job.size() + l.group.size() > kNamesMax || l.index < 0)
        return false;
    if (h.version.n == 0 || h.tree_bytes > kTreeBytesMax) return false;
    if (h.bytes > kBlocksMax * kBlockBytes) return false;
    return keys.verify(h.source, signed_bytes(h), header.signature);
}

}  // namespace gaggle::replica
