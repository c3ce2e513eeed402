// The edge of a Replica: all that can happen to a peer's copies, and all they may ask of the world.
//
// Work carries a number that comes back in its result. Work must be carried out in the order given;
// `Copier` does so on any FileTree (on a thread in the agent, inline in the simulator).
#pragma once

#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <variant>
#include <vector>

#include "allocrunner/replica/message.h"
#include "base/time.h"

namespace gaggle::replica {

// --- work

/// Read the allocation's `alloc/data` and every `TASK/local`. Answer: Scanned.
struct ScanTree {
    std::uint64_t work = 0;
    Lineage lineage;
    AllocId alloc;
};

/// Forget what the last scan left in memory. No answer.
struct ForgetScan {
    Lineage lineage;
};

/// Whose bytes are wanted: the allocation as last scanned, or the copy that is held.
enum class Side { source, copy };

/// A slice of the encoded tree. Answer: TreeRead.
struct ReadTree {
    std::uint64_t work = 0;
    Side side = Side::source;
    Lineage lineage;
    Hash root;
    std::uint64_t offset = 0;
    std::uint64_t size = 0;
};

/// Answer: BlocksRead.
struct ReadBlocks {
    std::uint64_t work = 0;
    Side side = Side::source;
    Lineage lineage;
    Hash root;
    std::vector<BlockRef> blocks;
};

/// Begin to stage a version: check its tree, find what is missing. Answer: TreeStaged.
struct StageTree {
    std::uint64_t work = 0;
    SignedHeader version;
    Bytes tree;  ///< encoded
};

/// Answer: BlocksStaged.
struct StageBlocks {
    std::uint64_t work = 0;
    Lineage lineage;
    Hash root;
    std::vector<Block> blocks;
};

/// Make the staged version the newest complete one. Answer: TreeCommitted.
struct CommitTree {
    std::uint64_t work = 0;
    SignedHeader version;
};

/// The complete version was seen unchanged again, later. No answer.
struct RefreshCopy {
    SignedHeader version;
};

/// Forget the copy and all that is staged. No answer.
struct DropCopy {
    Lineage lineage;
};

using Work = std::variant<ScanTree, ForgetScan, ReadTree, ReadBlocks, StageTree, StageBlocks,
                          CommitTree, RefreshCopy, DropCopy>;

// --- results of work; `error` is empty when all went well

struct Scanned {
    std::uint64_t work = 0;
    std::string error;
    Hash root;
    std::uint64_t tree_bytes = 0;
    std::uint64_t bytes = 0;
    WallTime taken_at;
    bool steady = false;
    Bytes tree;  ///< encoded; empty when it is larger than kTreeInlineBytes
};

struct TreeRead {
    std::uint64_t work = 0;
    std::string error;
    Bytes bytes;
};

struct BlocksRead {
    std::uint64_t work = 0;
    std::vector<Block> blocks;  ///< those that are still as they were
    bool changed = false;       ///< others are not, or could not be read
};

struct TreeStaged {
    std::uint64_t work = 0;
    std::string error;
    std::vector<BlockRef> missing;   ///< one place for each block that is neither held nor staged
    std::uint64_t blocks_total = 0;  ///< that differ from the complete version here
};

struct BlocksStaged {
    std::uint64_t work = 0;
    std::string error;
    std::vector<BlockRef> bad;  ///< not the bytes that the tree names
};

struct TreeCommitted {
    std::uint64_t work = 0;
    std::string error;
    std::vector<BlockRef> missing;  ///< not committed: these turned out damaged or absent here
};

// --- other inputs

struct Tick {};

struct Received {
    PeerId from;
    Bytes bytes;
};

/// The allocation runs here and is the writer of its lineage from now on. Give it after the
/// allocation's directory is ready (restored): what is held of the lineage here is dropped. Again
/// with the same generation: the holders changed.
struct Watch {
    Lineage lineage;
    Generation generation;
    AllocId alloc;
    std::set<PeerId> holders;
    Duration period = std::chrono::seconds(1);  ///< least time between two scans
};

struct Unwatch {
    Lineage lineage;
};

/// Have the newest version that one of these peers can give, then FetchDone.
struct Fetch {
    Lineage lineage;
    std::set<PeerId> from;
};

/// This peer no longer holds the lineage. Also ends a Fetch, without FetchDone.
struct Drop {
    Lineage lineage;
};

/// How fresh is it there? Each answer is a CopyHeard.
struct Ask {
    Lineage lineage;
    std::set<PeerId> peers;
};

/// Once, before everything else: the complete copies found on disk.
struct Recovered {
    std::vector<SignedHeader> copies;
};

using Input = std::variant<Tick, Received, Watch, Unwatch, Fetch, Drop, Ask, Recovered, Scanned,
                           TreeRead, BlocksRead, TreeStaged, BlocksStaged, TreeCommitted>;

// --- effects

/// By the bulk carrier. May be lost.
struct Send {
    PeerId to;
    Bytes bytes;
};

/// At the holder: a newer version is complete here.
struct CopyComplete {
    Lineage lineage;
    Version version;
    WallTime taken_at;
    PeerId source;
};

/// At the source: a holder says that this is its newest complete version. Only when it changed.
struct HolderConfirmed {
    Lineage lineage;
    PeerId holder;
    Version version;
    WallTime taken_at;
};

/// Answer to Ask. Nothing: that peer has no copy.
struct CopyHeard {
    Lineage lineage;
    PeerId from;
    std::optional<Version> version;
    WallTime taken_at;
};

struct FetchDone {
    Lineage lineage;
    std::string error;  ///< empty: a complete version is held here, ready to be restored
    std::optional<Version> version;
    WallTime taken_at;
};

/// A copy cannot be made or kept as it should; for people. Said once per new reason.
struct Trouble {
    Lineage lineage;
    std::string reason;
};

using Event = std::variant<CopyComplete, HolderConfirmed, CopyHeard, FetchDone, Trouble>;

struct Effects {
    std::vector<Send> sends;
    std::vector<Work> work;
    std::vector<Event> events;
};

constexpr std::size_t kTreeInlineBytes = 128U << 10U;

}  // namespace gaggle::replica
