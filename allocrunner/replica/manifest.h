// What a version of a lineage consists of: every file, folder and link, and the hash of every
// block.
//
// The tree holds `alloc/data` and each task's `local` of one allocation directory, sorted by path.
// File content is cut into fixed blocks of 64 KiB; a block is known by its hash, so that only what
// changed travels, and an all-zero block is a hole that needs no bytes. The header names lineage,
// version and root (the hash of the encoded tree) and is signed by the source; whoever passes a
// version on passes that signature on. Decoding checks every path, so that a tree that was decoded
// can be written below a folder without leaving it.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <tuple>
#include <vector>

#include "allocrunner/replica/lineage.h"
#include "base/bytes.h"
#include "base/hash.h"
#include "base/ids.h"
#include "base/result.h"
#include "base/time.h"

namespace gaggle::replica {

constexpr std::uint64_t kBlockBytes = 64U << 10U;
constexpr std::size_t kEntriesMax = 100'000;
constexpr std::size_t kBlocksMax = 1U << 20U;                  ///< of one tree: 64 GiB of content
constexpr std::size_t kTreeBytesMax = std::size_t{64} << 20U;  ///< encoded
constexpr std::size_t kPathBytesMax = 4096;
constexpr std::size_t kNameBytesMax = 255;
constexpr std::size_t kXattrBytesMax = 64U << 10U;  ///< of one entry, names included
constexpr std::uint32_t kModeMask = 01777;          ///< never setuid or setgid

using Xattrs = std::map<std::string, Bytes>;

enum class Kind { file, dir, symlink, hardlink };
constexpr Kind wire_last(Kind) { return Kind::hardlink; }

/// What a file, folder or link carries besides its content. A hard link carries nothing: its
/// target does.
struct Attributes {
    std::uint32_t mode = 0;  ///< within kModeMask
    std::uint32_t uid = 0;
    std::uint32_t gid = 0;
    std::int64_t mtime = 0;  ///< nanoseconds since 1970
    Xattrs xattrs;           ///< of the namespace "user." only
    bool operator==(const Attributes&) const = default;
    template <class Self>
    static auto wire_fields(Self& s) {
        return std::tie(s.mode, s.uid, s.gid, s.mtime, s.xattrs);
    }
};

struct Entry {
    std::string path;  ///< below the allocation directory: "alloc/data/dump.rdb"
    Kind kind = Kind::file;
    Attributes attributes;
    std::uint64_t size = 0;    ///< of a file, in bytes
    std::string target;        ///< of a symlink: what it says; of a hard link: the entry's path
    std::vector<Hash> blocks;  ///< of a file; an empty hash is a hole
    bool operator==(const Entry&) const = default;
    template <class Self>
    static auto wire_fields(Self& s) {
        return std::tie(s.path, s.kind, s.attributes, s.size, s.target, s.blocks);
    }
};

struct Tree {
    std::vector<Entry> entries;  ///< strictly ascending by path
    bool operator==(const Tree&) const = default;
    template <class Self>
    static auto wire_fields(Self& s) {
        return std::tie(s.entries);
    }

    /// Nothing when there is no such path.
    const Entry* find(const std::string& path) const;
};

/// One block of a tree: its entry and its place in that file.
struct BlockRef {
    std::uint32_t entry = 0;
    std::uint32_t block = 0;
    auto operator<=>(const BlockRef&) const = default;
    template <class Self>
    static auto wire_fields(Self& s) {
        return std::tie(s.entry, s.block);
    }
};

/// Bytes of block `block` of a file of `size` bytes: all but the last are full.
std::uint64_t block_length(std::uint64_t size, std::uint64_t block);
/// Number of blocks of a file of `size` bytes.
std::uint64_t block_count(std::uint64_t size);
/// The hash that a tree names a block by: empty when all bytes are zero.
Hash block_hash(BytesView block);
/// Nothing when the tree has no such block.
const Hash* block_at(const Tree& tree, BlockRef ref);
/// Content in bytes, holes and hard links not counted.
std::uint64_t content_bytes(const Tree& tree);
/// True for "alloc/data" and "TASK/local", the folders that a copy consists of.
bool is_root_folder(std::string_view path);
/// "a/b" for "a/b/c", empty for "a".
std::string parent_of(const std::string& path);

/// "12 B", "1.2 MiB".
std::string size_for_people(std::uint64_t bytes);

/// Why this is no tree that we would write down, or nothing.
Result<void> check_tree(const Tree& tree);
Bytes encode_tree(const Tree& tree);
/// `corrupt` for anything that check_tree refuses. `root` is the hash that the bytes must have.
Result<Tree> decode_tree(BytesView bytes, const Hash& root);

/// A version in short; what is signed.
struct Header {
    Lineage lineage;
    Version version;
    PeerId source;  ///< who signed
    Hash root;
    std::uint64_t tree_bytes = 0;  ///< of the encoded tree
    std::uint64_t bytes = 0;       ///< content_bytes of the tree
    WallTime taken_at;    ///< begin of the latest scan that found exactly this tree, source's clock
    bool steady = false;  ///< nothing changed while it was scanned
    bool operator==(const Header&) const = default;
    template <class Self>
    static auto wire_fields(Self& s) {
        return std::tie(s.lineage, s.version, s.source, s.root, s.tree_bytes, s.bytes, s.taken_at,
                        s.steady);
    }
};

struct SignedHeader {
    Header header;
    Bytes signature;
    bool operator==(const SignedHeader&) const = default;
    template <class Self>
    static auto wire_fields(Self& s) {
        return std::tie(s.header, s.signature);
    }
};

/// How this peer signs, and how anybody's signature is checked; given by the caller, pure. `verify`
/// is about authenticity alone and must not depend on who is a member now, for a copy outlives its
/// source: let the signature carry the public key that the signer's id is the hash of. (Who may
/// announce at all is decided where connections are admitted.)
struct Keys {
    std::function<Bytes(BytesView message)> sign;
    std::function<bool(const PeerId& signer, BytesView message, BytesView signature)> verify;
};

SignedHeader sign(const Keys& keys, Header header);
/// True when the header is within the limits above and signed by its source.
bool is_genuine(const Keys& keys, const SignedHeader& header);

}  // namespace gaggle::replica
