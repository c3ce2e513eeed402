// The writing side of one lineage: scans at a paced interval, numbers versions, announces them.
//
// A scan begins when its time has come and no holder is in the middle of pulling the version before
// (or patience with it is over), so that holders get to complete one version after the other. A
// scan that finds the same tree makes no version but moves its taken_at on: the copies are as fresh
// as that. Each holder is told after every scan, and again with growing pauses until it confirms.
// The running number survives a restart of the agent because holders answer with what they have.
#pragma once

#include <map>
#include <optional>
#include <string>

#include "allocrunner/replica/context.h"

namespace gaggle::replica {

class Source {
  public:
    /// What is known of one holder.
    struct Peer {
        std::optional<Version> version;  ///< newest complete one that it has confirmed
        WallTime taken_at;
        std::optional<TimePoint> heard;  ///< when it last confirmed
        std::string refused;             ///< why it does not take ours; empty: it does
        bool confirmed = false;          ///< it has the current version
        std::optional<TimePoint> asked;  ///< when it last pulled
        Duration wait{};
        std::optional<TimePoint> next_announce;
    };

    Source(const Context& context, const Watch& watch);

    Generation generation() const { return generation_; }
    const AllocId& alloc() const { return alloc_; }
    /// Nothing before the first scan.
    const std::optional<SignedHeader>& current() const { return current_; }
    const std::map<PeerId, Peer>& holders() const { return holders_; }
    const std::string& trouble() const { return trouble_; }

    void set_holders(const Context& context, const Watch& watch);
    void on(Context& context, const Scanned& scanned);
    bool waits_for(std::uint64_t work) const { return scanning_ == work; }
    void take(Context& context, const PeerId& from, const Complete& complete);
    void take(Context& context, const PeerId& from, const Refused& refused);
    void heard_want(const Context& context, const PeerId& from);
    /// A block of the current version is no longer what it was: a new scan is due.
    void changed(const Context& context);

    void tick(Context& context);
    std::optional<TimePoint> next_wakeup(const Config& config) const;

  private:
    void adopt(Context& context, Header header, bool is_new);
    void announce(Context& context, const PeerId& to, Peer& peer);
    void plan_scan(const Context& context);
    void complain(Context& context, std::string reason);
    /// Until when holders that are pulling hold back the next scan; nothing: none does.
    std::optional<TimePoint> pulling_until(const Config& config) const;

    Lineage lineage_;
    Generation generation_;
    AllocId alloc_;
    Duration period_;
    std::map<PeerId, Peer> holders_;

    std::uint64_t n_ = 0;
    std::optional<SignedHeader> current_;
    Bytes tree_;            ///< of `current_`, encoded, when it is small
    TimePoint announced_;   ///< when `current_` became a version
    TimePoint changed_at_;  ///< when a scan last found a change
    bool stale_ = false;    ///< `current_` cannot be completed any more

    std::optional<std::uint64_t> scanning_;
    TimePoint scan_began_;
    TimePoint next_scan_;
    std::string trouble_;
};

}  // namespace gaggle::replica
