// New orders wait here until nobody else is on the ports that they were given.
//
// The ledger knows what Gaggle's own allocations have; a stranger's process it cannot know. So
// before anything of an allocation is made here, its ports are tried. A port that stays taken for
// three tries is said (Effects::ports_taken); the commit group then gives another one, or another
// peer, and that comes as the next orders. Until then the ports are tried again now and then, for
// the stranger may go. An allocation that has begun is never held up: its ports are its own.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "allocrunner/context.h"
#include "allocrunner/input.h"

namespace gaggle::allocrunner {

class PortGate {
  public:
    static constexpr int kTries = 3;  ///< a port may be free a moment after its last user
    static constexpr Duration kBetweenTries = 500ms;
    static constexpr Duration kAgainAfter = 10s;

    /// A new order with ports; again: it may have others now.
    void hold(Context& context, const Order& order);
    bool holds(const AllocId& alloc) const { return held_.contains(alloc); }
    void forget(const AllocId& alloc) { held_.erase(alloc); }
    /// As forget, for one that is to stop before it began: "Port 8080 of this peer is held by nginx
    /// (pid 5)", of the ports that it has; empty when none was found taken.
    std::string give_up(const AllocId& alloc);
    std::vector<AllocId> held() const;
    /// It is to take over the state of `previous`.
    bool awaits(const AllocId& previous) const;

    struct Passed {
        Order order;
        std::string note;  ///< which ports it was given first, and who has them; or empty
    };
    /// The order, when it may begin now.
    std::optional<Passed> on(Context& context, const PortsProbed& input);
    void on_tick(Context& context);
    std::optional<TimePoint> next_wakeup() const;

  private:
    struct Held {
        Order order;
        int tries = 0;
        std::optional<TimePoint> again;              ///< nothing: a ProbePorts is out
        std::map<std::uint16_t, std::string> taken;  ///< port -> by whom; also of ports it had
    };
    static void probe(Context& context, Held& held);
    std::map<AllocId, Held> held_;
};

}  // namespace gaggle::allocrunner
