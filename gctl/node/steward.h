// The commit group manages itself: who should be voter and standby, decided by raft's planner.
//
// On the leader, every second, the planner is shown what raft and gossip know, and its decision
// becomes at most one change of configuration. Its words are kept for `gctl region status`.
#pragma once

#include <deque>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "gctl/node/directory.h"
#include "gctl/node/group.h"
#include "gctl/node/outbox.h"
#include "placement/raft/planner.h"

namespace gaggle::node {

constexpr Duration kStewardInterval = 1s;
constexpr std::size_t kNotesKept = 20;

class Steward {
  public:
    Steward(const Directory& directory, const Group& group);

    /// What raft shall be told, if anything.
    std::optional<raft::Input> tick(Now now, Outbox& out);
    /// Raft has taken what tick() returned last.
    void taken();
    std::optional<TimePoint> next_wakeup() const;
    void role_changed(Now now);
    std::vector<std::string> notes() const { return {notes_.begin(), notes_.end()}; }

  private:
    raft::Prospect candidate(Now now, const ledger::PeerRecord& peer, const raft::Status& status);
    void note(const std::string& why);

    const Directory& directory_;
    const Group& group_;
    raft::Health health_;
    raft::History history_;
    TimePoint due_{};
    std::optional<std::pair<raft::PlannerInput, raft::Plan>> asked_;
    bool leading_ = false;
    std::deque<std::string> notes_;
};

}  // namespace gaggle::node
