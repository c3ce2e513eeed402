// One simulated peer: the real node and the real store on a disk, a network and tasks that are not.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>

#include "crypto/invitation.h"
#include "gctl/node/node.h"
#include "gctl/store/store.h"
#include "tests/sim/disk.h"
#include "tests/sim/machine.h"
#include "tests/sim/network.h"

namespace gaggle::sim {

/// What all peers of a region share: the world around them.
struct World;

/// What each peer offers; it never changes.
Amounts offer_of(std::size_t place);

class Peer {
  public:
    Peer(World& world, std::size_t place, Identity identity);

    /// Its data directory begins: the founder's with the first log entry, a newcomer's with its
    /// admission.
    void found(const Founding& founding);
    void join(Certificate certificate, const node::KnockAnswer& answer);
    bool initialised() const { return certificate_.has_value(); }

    void start();      ///< the agent, on the data directory as it is
    void kill();       ///< the agent alone; its tasks run on
    void power_off();  ///< the machine: tasks and unsynced bytes are gone
    bool running() const { return node_ != nullptr; }
    /// The disk's next fitting change but `changes` fails; mended when the agent starts anew.
    void fail_disk(std::uint64_t changes, Fault fault) { disk_.fail_after(changes, fault); }
    /// Its agent runs without a store.
    bool store_failed() const { return store_failed_; }

    void feed(const node::Input& input);
    void receive(const PeerId& from, const Bytes& bytes);
    /// One tick at a time is scheduled; called after each step.
    void wake();

    std::size_t place() const { return place_; }
    PeerId id() const { return identity_.id(); }
    const Identity& identity() const { return identity_; }
    const node::Node* node() const { return node_.get(); }
    const Machine& machine() const { return machine_; }
    const Keyring& keyring() const { return keyring_; }
    std::uint64_t starts() const { return starts_; }

  private:
    node::Config config();
    void act(node::Effects effects);
    void write(const node::StoreWrite& write);

    World& world_;
    std::size_t place_;
    Identity identity_;
    Rng rng_;
    SimDisk disk_;
    Machine machine_;
    std::optional<Certificate> certificate_;
    PeerNumber number_;
    PublicKey authority_;
    RegionId region_;
    BootId boot_;
    std::unique_ptr<store::Store> store_;
    bool store_failed_ = false;
    std::unique_ptr<node::Node> node_;
    Keyring keyring_;
    std::uint64_t starts_ = 0;  ///< events of an earlier life are void
    TimePoint tick_at_ = TimePoint::max();
};

struct World {
    World(std::uint64_t seed) : rng(seed), network(events, rng.fork()) {}

    Events events;
    Rng rng;
    Network network;
    std::vector<std::unique_ptr<Peer>> peers;
    std::map<PeerId, std::size_t> places;
    std::function<void(std::size_t peer, const node::ApiReply&)> replied;
    std::function<void(const std::string&)> say;    ///< a line for the end of a failing run
    std::function<void(std::size_t peer)> stepped;  ///< after every step: the checkers
    std::map<std::uint64_t, bool> signatures;       ///< remembered answers of the real check
    std::map<std::pair<std::size_t, std::uint64_t>, Bytes> lobby;  ///< answers to knocks
    /// What replicas of the group find on their disk, and what they give it to write.
    std::function<void(std::size_t peer, const raft::Restored&)> began;
    std::function<void(std::size_t peer, const raft::Persist&)> wrote;
    std::set<std::size_t> gone;      ///< these peers never come back
    std::set<std::size_t> expelled;  ///< by a statement that is, or will be, in the ledger

    /// Whether the peer is, for now and for good, a part of the region.
    bool belongs(std::size_t place) const {
        return !gone.contains(place) && !expelled.contains(place);
    }
    /// The node that leads in the latest term, if any says so.
    const node::Node* leader() const;
    /// Whether the peer at this place is a voter, by its number in the leader's ledger.
    bool votes(const raft::Configuration& configuration, std::size_t place) const;
};

}  // namespace gaggle::sim
