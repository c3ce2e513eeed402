// What peers say to each other about copies. All of it goes by the bulk carrier.
//
// The source announces, holders pull: first the manifest in slices, then the blocks that they lack.
// Whoever has a version complete serves it the same way, so a peer that has to restore can pull
// from a holder. Everything may be lost, doubled or reordered; nothing here changes a copy by
// itself, for bytes are checked against the signed root. Limits: a message of kMessageBytesMax.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <tuple>
#include <variant>
#include <vector>

#include "allocrunner/replica/manifest.h"
#include "base/bytes.h"
#include "base/result.h"

namespace gaggle::replica {

constexpr std::uint32_t kMessageVersion = 1;
constexpr std::size_t kMessageBytesMax = 1U << 20U;
constexpr std::size_t kBlocksPerMessage = 4;
constexpr std::size_t kTreeSliceBytes = 256U << 10U;

/// Source to holder, after each scan: the newest version, or an old one seen unchanged again.
struct Announce {
    SignedHeader version;
    Bytes tree;  ///< the encoded tree when it is small, else empty: pull it
    template <class Self>
    static auto wire_fields(Self& s) {
        return std::tie(s.version, s.tree);
    }
};

struct WantTree {
    Lineage lineage;
    Version version;
    std::uint64_t offset = 0;
    template <class Self>
    static auto wire_fields(Self& s) {
        return std::tie(s.lineage, s.version, s.offset);
    }
};

struct TreeSlice {
    Lineage lineage;
    Version version;
    std::uint64_t offset = 0;
    Bytes bytes;
    template <class Self>
    static auto wire_fields(Self& s) {
        return std::tie(s.lineage, s.version, s.offset, s.bytes);
    }
};

struct WantBlocks {
    Lineage lineage;
    Version version;
    std::vector<BlockRef> blocks;  ///< at most kBlocksPerMessage
    template <class Self>
    static auto wire_fields(Self& s) {
        return std::tie(s.lineage, s.version, s.blocks);
    }
};

struct Block {
    BlockRef at;
    Bytes bytes;
    template <class Self>
    static auto wire_fields(Self& s) {
        return std::tie(s.at, s.bytes);
    }
};

struct Blocks {
    Lineage lineage;
    Version version;
    std::vector<Block> blocks;
    template <class Self>
    static auto wire_fields(Self& s) {
        return std::tie(s.lineage, s.version, s.blocks);
    }
};

/// That version cannot be had here any more: it was superseded, or a block of it has changed.
struct Gone {
    Lineage lineage;
    Version version;
    template <class Self>
    static auto wire_fields(Self& s) {
        return std::tie(s.lineage, s.version);
    }
};

/// Holder to source: this is the newest version that I have complete.
struct Complete {
    Lineage lineage;
    Version version;
    Hash root;
    WallTime taken_at;
    template <class Self>
    static auto wire_fields(Self& s) {
        return std::tie(s.lineage, s.version, s.root, s.taken_at);
    }
};

/// Holder to source: I do not take that version.
struct Refused {
    Lineage lineage;
    Version version;
    std::string reason;
    template <class Self>
    static auto wire_fields(Self& s) {
        return std::tie(s.lineage, s.version, s.reason);
    }
};

/// Anybody to anybody: what have you of this lineage?
struct AskCopy {
    Lineage lineage;
    template <class Self>
    static auto wire_fields(Self& s) {
        return std::tie(s.lineage);
    }
};

struct HaveCopy {
    Lineage lineage;
    std::optional<SignedHeader> version;  ///< newest that can be pulled from here, if any
    template <class Self>
    static auto wire_fields(Self& s) {
        return std::tie(s.lineage, s.version);
    }
};

using Body = std::variant<Announce, WantTree, TreeSlice, WantBlocks, Blocks, Gone, Complete,
                          Refused, AskCopy, HaveCopy>;

struct Message {
    std::uint32_t version = kMessageVersion;
    Body body;
    template <class Self>
    static auto wire_fields(Self& s) {
        return std::tie(s.version, s.body);
    }
};

Bytes encode_message(Body body);
/// `corrupt` for anything but a message of this version within the limits above.
Result<Body> decode_message(BytesView bytes);
/// The lineage that a message is about.
const Lineage& lineage_of(const Body& body);

}  // namespace gaggle::replica
