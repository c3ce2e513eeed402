// The links between peers: slow, lossy, cut.
//
// A frame takes a while, may be lost, doubled or overtaken. A cut stops everything between two
// peers, in one direction or both. Keys are not the network's matter: whoever receives asks its
// keyring.
#pragma once

#include <functional>
#include <set>

#include "base/rng.h"
#include "tests/sim/events.h"

namespace gaggle::sim {

struct NetworkFaults {
    double loss = 0.0;
    double duplicates = 0.0;
    Duration delay_min = 100us;
    Duration delay_mean = 400us;  ///< beyond the least; exponential
    Duration delay_max = 50ms;
};

class Network {
  public:
    Network(Events& events, Rng rng) : events_(events), rng_(rng) {}

    NetworkFaults faults;

    /// `deliver` is called once, twice, or never.
    void send(std::size_t from, std::size_t to, const std::function<void()>& deliver) {
        if (!open(from, to) || rng_.chance(faults.loss)) return;
        events_.in(delay(), [this, from, to, deliver] {
            if (open(from, to)) deliver();
        });
        if (rng_.chance(faults.duplicates)) events_.in(delay(), deliver);
    }

    bool open(std::size_t from, std::size_t to) const { return !cuts_.contains({from, to}); }
    void cut(std::size_t from, std::size_t to) { cuts_.insert({from, to}); }
    void heal() { cuts_.clear(); }
    bool whole() const { return cuts_.empty(); }

  private:
    Duration delay() {
        // Exponential by integer arithmetic: how many of 64 coins fall heads in a row, and a bit
        // more.
        std::int64_t units = 0;
        while (units < 640 && !rng_.chance(0.1)) ++units;
        const Duration tail{faults.delay_mean.count() * units / 10};
        return std::min(faults.delay_max, faults.delay_min + tail);
    }

    Events& events_;
    Rng rng_;
    std::set<std::pair<std::size_t, std::size_t>> cuts_;
};

}  // namespace gaggle::sim
