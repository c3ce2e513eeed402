// Copies of allocation directories: what one peer sends and what it holds, as one state machine.
//
// The peer that runs an allocation is the source of its lineage. It has the directory scanned at a
// paced interval; when something changed, the new manifest is a new version, announced to the
// holders. They pull: the manifest, then only the blocks that they lack, by window, each block
// checked where it is read and where it is stored. When all are there the holder rolls its tree
// forward under a redo journal, so that at any moment it has one complete version as a real
// directory tree, and says so to the source. Replication is best effort: a version whose blocks
// changed before they were read is given up, and the next one needs only what is still missing.
// Fetch pulls from whoever has the newest complete version, so that a peer without a copy can
// restore. All tables, windows and retries are bounded by Config. DESIGN section 10.
#pragma once

#include <map>
#include <optional>
#include <vector>

#include "allocrunner/replica/context.h"
#include "allocrunner/replica/holder.h"
#include "allocrunner/replica/io.h"
#include "allocrunner/replica/serve.h"
#include "allocrunner/replica/source.h"

namespace gaggle::replica {

/// One copy as this peer sees it, for `alloc status`. The age is the caller's wall time - taken_at.
struct CopyInfo {
    enum class Role { held_here, held_there };
    Lineage lineage;
    Role role = Role::held_here;
    PeerId peer;                     ///< held_here: the source; held_there: the holder
    std::optional<Version> version;  ///< newest complete; nothing: none yet
    WallTime taken_at;
    std::uint64_t bytes = 0;         ///< of content, of the newest complete version
    std::optional<Version> pulling;  ///< held_here: a newer version is on its way
    std::uint64_t blocks_done = 0;   ///< of `pulling`
    std::uint64_t blocks_total = 0;
    std::optional<TimePoint> heard;  ///< held_there: when the holder last confirmed
    std::string trouble;             ///< empty when all is well
};

class Replica {
  public:
    Replica(PeerId self, Keys keys, Config config);

    /// The only way in. `now` must not go backwards (checked).
    [[nodiscard]] Effects step(TimePoint now, const Input& input);
    /// Latest moment for the next Tick; nullopt when only an input can change anything.
    std::optional<TimePoint> next_wakeup() const;

    /// In the order of lineage and peer.
    std::vector<CopyInfo> copies() const;
    std::vector<CopyInfo> copies(const Lineage& lineage) const;
    /// Newest complete version that is held here, to restore from.
    std::optional<Header> newest(const Lineage& lineage) const;
    /// True while this peer is the source of the lineage.
    bool is_source(const Lineage& lineage) const { return sources_.contains(lineage); }
    /// Messages that did not decode or were not genuine, since the start.
    std::uint64_t malformed() const { return malformed_; }

  private:
    void on(Context& context, const Tick&);
    void on(Context& context, const Received& received);
    void on(Context& context, const Watch& watch);
    void on(Context& context, const Unwatch& unwatch);
    void on(Context& context, const Fetch& fetch);
    void on(Context& context, const Drop& drop);
    void on(Context& context, const Ask& ask);
    void on(Context& context, const Recovered& recovered);
    void on(Context& context, const Scanned& scanned);
    void on(Context& context, const TreeRead& read);
    void on(Context& context, const BlocksRead& read);
    void on(Context& context, const TreeStaged& staged);
    void on(Context& context, const BlocksStaged& staged);
    void on(Context& context, const TreeCommitted& committed);

    void take(Context& context, const PeerId& from, const Announce& announce);
    void take(Context& context, const PeerId& from, const WantTree& want);
    void take(Context& context, const PeerId& from, const TreeSlice& slice);
    void take(Context& context, const PeerId& from, const WantBlocks& want);
    void take(Context& context, const PeerId& from, const Blocks& blocks);
    void take(Context& context, const PeerId& from, const Gone& gone);
    void take(Context& context, const PeerId& from, const Complete& complete);
    void take(Context& context, const PeerId& from, const Refused& refused);
    void take(Context& context, const PeerId& from, const AskCopy& ask);
    void take(Context& context, const PeerId& from, const HaveCopy& have);

    /// What can be pulled from here of that version, if it can.
    std::optional<Served> served(const Lineage& lineage, const Version& version) const;
    const SignedHeader* newest_here(const Lineage& lineage) const;
    Holder* holder(const Lineage& lineage);
    /// Makes one, unless there are too many.
    Holder* holder_or_new(const Lineage& lineage);
    std::size_t pulls() const;
    std::uint64_t bytes_held() const;

    PeerId self_;
    Keys keys_;
    Config config_;
    TimePoint last_{};
    std::uint64_t last_work_ = 0;
    std::map<Lineage, Source> sources_;
    std::map<Lineage, Holder> holders_;
    Server server_;
    std::uint64_t malformed_ = 0;
};

}  // namespace gaggle::replica
