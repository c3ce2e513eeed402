// Queries at a full copy: made certain where that is asked for, and waiting until something
// changed.
//
// A query that must not be stale first learns from the leader's ReadIndex that this replica still
// leads; a blocking one then waits here until its index moves on or its time is up. Everything is
// answered in the end: with records, or with "not served here", so that the asker goes elsewhere.
#pragma once

#include <cstdint>
#include <map>
#include <optional>

#include "gctl/node/group.h"
#include "gctl/node/outbox.h"

namespace gaggle::node {

constexpr std::size_t kParkedMax = 16'384;
constexpr Duration kBlockingMax = 300s;

class Board {
  public:
    /// Answered by AskAnswer{request} to `from`, which may be ourselves.
    void ask(Now now, Group& group, const PeerId& from, const AskQuery& what,
             GroupOutput& group_out, Outbox& out);
    /// ReadIndex was answered.
    void read_done(Now now, const Group& group, const GroupOutput::Read& read, Outbox& out);
    /// The ledger changed: whoever waits for that is answered.
    void changed(Now now, const Group& group, Outbox& out);
    void tick(Now now, const Group& group, Outbox& out);
    /// This replica is none any more: everybody is sent elsewhere.
    void dismiss(Outbox& out);
    std::optional<TimePoint> next_wakeup() const;

  private:
    struct Parked {
        PeerId from;
        std::uint64_t request = 0;
        Query query;
        TimePoint deadline;
        bool certain = false;  ///< the read was confirmed, or staleness is allowed
    };
    void settle(Now now, const Group& group, std::uint64_t id, Outbox& out);
    void reply(Now now, const Group& group, const Parked& parked, Outbox& out);

    std::map<std::uint64_t, Parked> parked_;
    std::uint64_t next_id_ = 1U << 20U;
};

/// The commit group as this replica sees it; `notes` are the planner's words.
RegionStatus region_status(const Group& group);

}  // namespace gaggle::node
