// Which allocations something is due for, so that a step costs what it touches and not what is
// here.
//
// A machine may run a thousand allocations, and any of their starts, exits and checks is a step.
// What the runner asks about all of them (who is due, who waits, who has ended, whose state is
// awaited) is kept here, brought up to date for those that a step touched. It is arithmetic only.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <utility>
#include <vector>

#include "base/ids.h"
#include "base/time.h"

namespace gaggle::allocrunner {

class AllocIndex {
  public:
    /// How one allocation stands.
    struct Standing {
        std::optional<TimePoint> due;       ///< latest moment for its next Tick
        std::optional<TimePoint> finished;  ///< it is over, and no order names it: since when
        std::optional<AllocId> awaits;      ///< whose state it may still take over
        bool waiting = false;               ///< its directory was not asked for
        bool live = false;                  ///< processes of it may be alive
        bool operator==(const Standing&) const = default;
    };
    using ByTime = std::set<std::pair<TimePoint, AllocId>>;

    void update(const AllocId& id, const Standing& standing);
    void erase(const AllocId& id);

    std::vector<AllocId> due(TimePoint now) const;
    std::optional<TimePoint> next_due() const;
    const ByTime& finished() const { return finished_; }
    const std::set<AllocId>& waiting() const { return waiting_; }
    const std::set<AllocId>& live() const { return live_; }
    bool is_awaited(const AllocId& id) const { return awaited_.contains(id); }

  private:
    void put(const AllocId& id, const Standing& standing);
    void take(const AllocId& id, const Standing& standing);

    std::map<AllocId, Standing> standings_;
    ByTime due_;
    ByTime finished_;
    std::set<AllocId> waiting_;
    std::set<AllocId> live_;
    std::multiset<AllocId> awaited_;
};

}  // namespace gaggle::allocrunner
