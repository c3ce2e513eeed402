#include "allocrunner/replica/pull.h"

#include <algorithm>

namespace gaggle::replica {

Pull::Pull(Context& context, const PeerId& from, SignedHeader version, Bytes tree)
    : from_(from),
      version_(std::move(version)),
      tree_(std::move(tree)),
      wait_(context.config.answer_wait_min),
      progressed_(context.now) {
    if (tree_.size() == version_.header.tree_bytes)
        stage_tree(context);
    else {
        tree_.clear();
        want_tree(context);
    }
}

bool Pull::waits_for(std::uint64_t work) const {
    const bool tree = phase_ == Phase::staging || phase_ == Phase::committing;
    return (tree && work_ == work) || staging_.contains(work);
}

void Pull::refresh(SignedHeader version) {
    if (phase_ != Phase::committing) version_ = std::move(version);
}

void Pull::fail(std::string reason, bool is_local) {
    progress_ = Progress::failed;
    reason_ = std::move(reason);
    is_local_ = is_local;
}

void Pull::advanced(const Context& context) {
    progressed_ = context.now;
    wait_ = context.config.answer_wait_min;
}

void Pull::want_tree(Context& context) {
    const Header& header = version_.header;
    context.send(from_, WantTree{header.lineage, header.version, tree_.size()});
    tree_deadline_ = context.now + wait_;
}

void Pull::take(Context& context, const TreeSlice& slice) {
    const std::uint64_t whole = version_.header.tree_bytes;
    const bool fits = slice.offset == tree_.size() && !slice.bytes.empty() &&
                      slice.bytes.size() <= whole - tree_.size();
    if (phase_ != Phase::tree || slice.version != version_.header.version || !fits) return;
    tree_.insert(tree_.end(), slice.bytes.begin(), slice.bytes.end());
    advanced(context);
    if (tree_.size() == whole)
        stage_tree(context);
    else
        want_tree(context);
}

void Pull::stage_tree(Context& context) {
    phase_ = Phase::staging;
    tree_deadline_.reset();
    work_ = context.begin(StageTree{.version = version_, .tree = std::move(tree_)});
    tree_.clear();
}

void Pull::on(Context& context, const TreeStaged& staged) {
    if (phase_ != Phase::staging || staged.work != work_) return;
    if (!staged.error.empty()) return fail(staged.error, true);
    blocks_total_ = std::max<std::uint64_t>(staged.blocks_total, staged.missing.size());
    set_missing(context, staged.missing);
}

void Pull::set_missing(Context& context, const std::vector<BlockRef>& missing) {
    phase_ = Phase::blocks;
    todo_.assign(missing.begin(), missing.end());
    blocks_left_ = missing.size();
    advanced(context);
    want_blocks(context);
}

void Pull::want_blocks(Context& context) {
    if (todo_.empty() && busy() == 0) {
        phase_ = Phase::committing;
        work_ = context.begin(CommitTree{.version = version_});
        return;
    }
    const Config& config = context.config;
    const Header& header = version_.header;
    while (!todo_.empty()) {
        const std::size_t batch = std::min(kBlocksPerMessage, todo_.size());
        if (busy() != 0 && busy() + batch > config.window) return;
        WantBlocks want{.lineage = header.lineage, .version = header.version, .blocks = {}};
        for (std::size_t i = 0; i < batch; ++i) {
            want.blocks.push_back(todo_.front());
            asked_[todo_.front()] = context.now + wait_;
            todo_.pop_front();
        }
        context.send(from_, std::move(want));
    }
}

void Pull::take(Context& context, const Blocks& blocks) {
    if (phase_ != Phase::blocks || blocks.version != version_.header.version) return;
    StageBlocks stage{.lineage = version_.header.lineage, .root = version_.header.root};
    std::vector<BlockRef> refs;
    for (const Block& block : blocks.blocks) {
        if (block.bytes.size() > kBlockBytes || asked_.erase(block.at) == 0) continue;
        refs.push_back(block.at);
        stage.blocks.push_back(block);
    }
    if (refs.empty()) return;
    advanced(context);
    staging_blocks_ += refs.size();
    staging_.emplace(context.begin(std::move(stage)), std::move(refs));
}

void Pull::on(Context& context, const BlocksStaged& staged) {
    const auto node = staging_.extract(staged.work);
    if (node.empty()) return;
    staging_blocks_ -= node.mapped().size();
    if (!staged.error.empty()) return fail(staged.error, true);
    blocks_left_ -= node.mapped().size() - std::min(staged.bad.size(), node.mapped().size());
    todo_.insert(todo_.end(), staged.bad.begin(), staged.bad.end());
    bad_blocks_ += staged.bad.size();
    if (bad_blocks_ > context.config.bad_blocks_max)
        return fail(
            "peer " + short_text(from_) + " sends blocks that are not those of its manifest",
            false);
    want_blocks(context);
}

void Pull::on(Context& context, const TreeCommitted& committed) {
    if (phase_ != Phase::committing || committed.work != work_) return;
    if (!committed.error.empty()) return fail(committed.error, true);
    if (committed.missing.empty())
        progress_ = Progress::done;
    else
        set_missing(context, committed.missing);
}

void Pull::take_gone() {
    if (phase_ == Phase::tree || phase_ == Phase::blocks) progress_ = Progress::gone;
}

void Pull::tick(Context& context) {
    if (progress_ != Progress::going || (phase_ != Phase::tree && phase_ != Phase::blocks)) return;
    const Config& config = context.config;
    const bool waits_for_peer = tree_deadline_ || !asked_.empty();
    if (waits_for_peer && context.now >= progressed_ + config.give_up)
        return fail("no answer from peer " + short_text(from_) + " for " +
                        for_people(context.now - progressed_),
                    false);
    bool late = tree_deadline_ && *tree_deadline_ <= context.now;
    std::erase_if(asked_, [&](const auto& item) {
        const bool is_late = item.second <= context.now;
        if (is_late) todo_.push_back(item.first);
        late = late || is_late;
        return is_late;
    });
    if (!late) return;
    wait_ = std::min(wait_ * 2, config.answer_wait_max);
    if (phase_ == Phase::tree)
        want_tree(context);
    else
        want_blocks(context);
}

std::optional<TimePoint> Pull::next_wakeup(const Config& config) const {
    std::optional<TimePoint> next = tree_deadline_;
    for (const auto& [ref, deadline] : asked_) sooner(next, deadline);
    if (next) sooner(next, progressed_ + config.give_up);
    return next;
}

}  // namespace gaggle::replica
