// The leader's duties: orders out, hellos answered, the lost declared, evaluations handed out.
//
// All of it follows from the ledger and from gossip, so a new leader simply goes on. Everything
// that changes something is a command like anybody else's; nothing here is remembered that the next
// leader would miss.
#pragma once

#include <map>
#include <set>
#include <string>
#include <vector>

#include "gctl/node/courier.h"
#include "gctl/node/directory.h"
#include "gctl/node/group.h"
#include "gctl/node/outbox.h"

namespace gaggle::node {

constexpr Duration kEvaluationLease = 10s;  ///< then somebody else may do it
constexpr Duration kKeeperInterval = 100ms;
constexpr Duration kUnseenAfter = 30s;      ///< of leadership: who was never seen is lost
constexpr std::size_t kHandedOutMax = 256;  ///< evaluations under way at once

class Keeper {
  public:
    Keeper(const Directory& directory, const Group& group, Courier& courier, Rng rng);

    void on(Now now, const PeerId& from, const Hello& hello, Outbox& out);
    /// Entries were applied while leading.
    void applied(Now now, const ledger::Applied& applied, Outbox& out);
    void tick(Now now, Outbox& out);
    std::optional<TimePoint> next_wakeup() const;
    /// Leadership began or ended.
    void role_changed(Now now);

  private:
    void push_orders(PeerNumber number, Outbox& out);
    void advance(Now now, Outbox& out);
    void watch(Now now, Outbox& out);
    void watch(Now now, const ledger::PeerRecord& peer, Outbox& out);
    void hand_out(Now now, Outbox& out);
    void hand_out(Now now, bool found_none, Outbox& out);
    std::optional<std::pair<PeerNumber, PeerId>> worker();
    /// A command whose answer matters to nobody but the log; one at a time for each `about`.
    void say(Now now, const std::string& about, const ledger::Command::What& what, Outbox& out);

    const Directory& directory_;
    const Group& group_;
    Courier& courier_;
    Rng rng_;
    bool leading_ = false;
    TimePoint leading_since_{};
    TimePoint due_{};
    std::set<std::string> saying_;
    std::set<EvalId> handing_out_;
    std::map<PeerNumber, TimePoint> gone_since_;  ///< by gossip, ready in the ledger
};

}  // namespace gaggle::node
