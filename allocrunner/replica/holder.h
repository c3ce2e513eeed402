// The holding side of one lineage: the newest complete version here, and the one on its way.
//
// An announcement of something newer begins a pull, of something older is answered with what is
// here. Only one version is pulled at a time; a newer one takes its place and keeps its blocks. A
// fetch is the same pull from another side: all given peers are asked what they have, and the best
// answer is pulled, then the next best.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>

#include "allocrunner/replica/context.h"
#include "allocrunner/replica/pull.h"

namespace gaggle::replica {

/// What the peer as a whole has left for one more version.
struct Room {
    bool pull = true;         ///< one more at a time
    std::uint64_t bytes = 0;  ///< of content, besides what other lineages hold
};

class Holder {
  public:
    explicit Holder(Lineage lineage) : lineage_(std::move(lineage)) {}

    const std::optional<SignedHeader>& complete() const { return complete_; }
    const std::optional<Pull>& pull() const { return pull_; }
    const std::string& trouble() const { return trouble_; }
    bool is_fetching() const { return fetch_.has_value(); }
    /// Nothing is held, nothing is going on and no failure is being rested from.
    bool is_idle(TimePoint now) const {
        return !complete_ && !pull_ && !fetch_ && now >= rest_until_;
    }

    void recover(SignedHeader complete) { complete_ = std::move(complete); }
    void take(Context& context, const PeerId& from, const Announce& announce, const Room& room);
    void take(Context& context, const PeerId& from, const HaveCopy& have);
    void fetch(Context& context, const std::set<PeerId>& from);

    /// For the pull: messages of its giver, and results of its work.
    template <class What>
    void take_for_pull(Context& context, const PeerId& from, const What& what) {
        if (!pull_ || pull_->from() != from) return;
        if constexpr (requires { pull_->take(context, what); })
            pull_->take(context, what);
        else if (what.version == pull_->version().header.version)
            pull_->take_gone();
        settle(context);
    }
    template <class Result>
    void on(Context& context, const Result& result) {
        if (pull_) pull_->on(context, result);
        settle(context);
    }
    /// A block of the complete version could not be served: this disk has damaged it.
    void found_damage(Context& context);
    bool waits_for(std::uint64_t work) const { return pull_ && pull_->waits_for(work); }
    void tick(Context& context);
    std::optional<TimePoint> next_wakeup(const Config& config) const;

  private:
    struct Fetching {
        std::set<PeerId> peers;
        std::set<PeerId> failed;         ///< pulled from without success
        std::map<PeerId, Version> gone;  ///< what they said to have, and then could not give
        std::map<PeerId, std::optional<SignedHeader>> answers;  ///< of this round
        std::optional<TimePoint> round_ends;                    ///< nothing: a pull is going on
        std::int64_t rounds = 0;
        std::string reason;
    };

    void settle(Context& context);
    void finished(Context& context);
    void ask_all(Context& context);
    void choose(Context& context);
    void end_fetch(Context& context, std::string error);
    void say_complete(Context& context, const PeerId& to);
    void refuse(Context& context, const PeerId& to, const Version& version, std::string reason);
    void complain(Context& context, std::string reason);

    Lineage lineage_;
    std::optional<SignedHeader> complete_;
    std::optional<Pull> pull_;
    std::optional<Fetching> fetch_;
    TimePoint rest_until_{};
    std::string trouble_;
};

}  // namespace gaggle::replica
