// What goes wrong in a simulated region, as its seed decides.
//
// Small strikes come all the time: agents die, machines lose power, links are cut, frames are lost.
// Rare ones come in some seeds only: an outage long enough for the group to replace a voter, a peer
// that never returns, one that is expelled, one whose store fails. None of them may take the
// majority of the voters away for good, for then nothing short of `gctl region recover` helps.
#pragma once

#include <set>
#include <string>

#include "crypto/invitation.h"
#include "tests/sim/run.h"

namespace gaggle::sim {

class Adversary {
  public:
    Adversary(World& world, const Options& options, const Founding& founding, Rng rng,
              Tally& tally);

    void begin();
    /// The agent of this peer dies now, if agents may, and starts again soon.
    void strike(Peer& peer);
    /// No new strikes; what is under way goes on, until busy_until().
    void rest() { resting_ = true; }
    TimePoint busy_until() const { return busy_until_; }
    /// Everything heals, but for what is for good.
    void heal();
    /// At rest: which votes of those who are away for good were taken over.
    void count_replaced();
    /// True when the answer was to a request of the adversary's.
    bool replied(const node::ApiReply& reply) const { return reply.id >= kFirstRequest; }

  private:
    static constexpr std::uint64_t kFirstRequest = std::uint64_t{1} << 40U;
    enum class Rare { outage, loss, expulsion, disk };

    Duration between(Duration least, Duration most);
    void strike_again();
    void kill(bool machine, Duration down);
    void cut(Duration span);
    void disturb(Duration span);

    void plan_rare();
    void rare(Rare what);
    std::optional<std::size_t> victim();
    bool majority_without(const raft::Configuration& voters, std::size_t place) const;
    void away(Peer& peer, bool for_good);
    void expel(std::size_t place, const Bytes& statement);
    void fail_store(Peer& peer);
    void start_later(Peer& peer, Duration span);
    void was_voter(std::size_t place);
    void count_replaced(std::size_t place);

    World& world_;
    const Options options_;
    const Issuer issuer_;
    const RegionId region_;
    Rng rng_;
    Tally& tally_;
    bool resting_ = false;
    bool healed_ = false;
    TimePoint busy_until_{}, waits_until_{};
    std::uint64_t requests_ = kFirstRequest;
    std::set<std::size_t> busy_;    ///< a rare strike is on it: no other
    std::set<std::size_t> voters_;  ///< of those, voters when they were struck
};

}  // namespace gaggle::sim
