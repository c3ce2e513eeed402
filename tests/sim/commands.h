// What people ask of running tasks in a simulated region: signals and restarts, through any peer.
//
// Each signal has a number of its own, so the machines see whether one was obeyed twice. A restart
// shows in the number of the task's run: who was told that it was taken finds one run more soon,
// and never two, whatever happened to questions, answers and agents on the way. An allocation is
// asked for one thing at a time, and no more once it is not known what came of it. That no task is
// left stopped by it, checks.h sees when the region is at rest.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>

#include "tests/sim/peer.h"

namespace gaggle::sim {

class Commands {
  public:
    /// `strike` has the agent of a peer killed that is in the middle of obeying.
    Commands(World& world, Rng rng, std::function<void(Peer&)> strike)
        : world_(world), rng_(rng), strike_(std::move(strike)) {}

    /// Asks for something, perhaps; from any peer, about any task that runs.
    void ask_one();
    /// True when the answer was to one of these.
    bool replied(const node::ApiReply& reply);

    /// The first thing that went wrong, in words.
    const std::optional<std::string>& failure() const { return failure_; }
    /// Those that were taken, as their askers were told.
    std::uint64_t obeyed() const { return obeyed_; }
    std::uint64_t restarts() const { return restarts_; }  ///< of those

  private:
    static constexpr std::uint64_t kFirstRequest = std::uint64_t{1} << 41U;
    struct Asked {
        AllocId alloc;
        node::CommandTask what;
        const Machine* machine = nullptr;  ///< where its task ran
        std::uint64_t agent = 0;           ///< of that machine, then
        std::uint64_t boot = 0;
        std::uint64_t run = 0;
    };
    node::CommandTask draw(const Machine& machine, const AllocId& alloc, std::uint64_t request);
    void signalled(const Asked& asked);
    void restarted(const Asked& asked);
    void fail(const std::string& what);

    World& world_;
    Rng rng_;
    std::function<void(Peer&)> strike_;
    std::uint64_t requests_ = kFirstRequest;
    std::map<std::uint64_t, Asked> asked_;
    std::set<AllocId> busy_;  ///< asked for something that is not over, or nobody knows
    std::optional<std::string> failure_;
    std::uint64_t obeyed_ = 0, restarts_ = 0;
};

}  // namespace gaggle::sim
