// One version on its way to this peer: its tree, then the blocks that are missing, then the commit.
//
// Blocks are asked for a few at a time, with a bounded number asked for or being staged; what is
// not answered in time is asked for again, ever more patiently. The pull ends done, gone (the giver
// does not have that version any more) or failed; what was staged stays on disk, so that the next
// pull of any version asks only for what is still missing.
#pragma once

#include <deque>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "allocrunner/replica/context.h"

namespace gaggle::replica {

enum class Progress { going, done, gone, failed };

class Pull {
  public:
    /// `tree` is the encoded tree, or empty when it must be pulled as well.
    Pull(Context& context, const PeerId& from, SignedHeader version, Bytes tree);

    const PeerId& from() const { return from_; }
    const SignedHeader& version() const { return version_; }
    bool is_committing() const { return phase_ == Phase::committing; }
    Progress progress() const { return progress_; }
    /// Why it failed. `is_local`: the fault is here, not with the giver.
    const std::string& reason() const { return reason_; }
    bool is_local() const { return is_local_; }
    std::uint64_t blocks_done() const { return blocks_total_ - blocks_left_; }
    std::uint64_t blocks_total() const { return blocks_total_; }
    bool waits_for(std::uint64_t work) const;

    /// The same version and tree, seen again later by the source.
    void refresh(SignedHeader version);
    void take(Context& context, const TreeSlice& slice);
    void take(Context& context, const Blocks& blocks);
    void take_gone();
    void on(Context& context, const TreeStaged& staged);
    void on(Context& context, const BlocksStaged& staged);
    void on(Context& context, const TreeCommitted& committed);
    void tick(Context& context);
    std::optional<TimePoint> next_wakeup(const Config& config) const;

  private:
    enum class Phase { tree, staging, blocks, committing };

    void want_tree(Context& context);
    void want_blocks(Context& context);
    void stage_tree(Context& context);
    void set_missing(Context& context, const std::vector<BlockRef>& missing);
    void advanced(const Context& context);
    void fail(std::string reason, bool is_local);
    std::size_t busy() const { return asked_.size() + staging_blocks_; }

    PeerId from_;
    SignedHeader version_;
    Phase phase_ = Phase::tree;
    Progress progress_ = Progress::going;
    std::string reason_;
    bool is_local_ = false;

    Bytes tree_;
    std::optional<TimePoint> tree_deadline_;
    std::uint64_t work_ = 0;  ///< StageTree or CommitTree under way

    std::deque<BlockRef> todo_;
    std::map<BlockRef, TimePoint> asked_;                     ///< until when we wait
    std::map<std::uint64_t, std::vector<BlockRef>> staging_;  ///< by number of the work
    std::size_t staging_blocks_ = 0;
    std::uint64_t blocks_total_ = 0;
    std::uint64_t blocks_left_ = 0;
    std::size_t bad_blocks_ = 0;

    Duration wait_;
    TimePoint progressed_;
};

}  // namespace gaggle::replica
