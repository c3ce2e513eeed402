#include "tests/sim/adversary.h"

namespace gaggle::sim {

namespace {

constexpr Duration kPatience = 120s;  // of rare strikes, until a peer can be spared

std::string name(const Peer& peer) { return "peer " + std::to_string(peer.place()); }

}  // namespace

Adversary::Adversary(World& world, const Options& options, const Founding& founding, Rng rng,
                     Tally& tally)
    : world_(world),
      options_(options),
      issuer_(founding.issuer),
      region_(founding.region),
      rng_(rng),
      tally_(tally) {}

Duration Adversary::between(Duration least, Duration most) {
    return Duration(rng_.between(least.count(), most.count()));
}

void Adversary::begin() {
    world_.events.in(5s, [this] { strike_again(); });
    plan_rare();
}

// --- small strikes

void Adversary::strike_again() {
    if (resting_) return;
    const Faults& faults = options_.faults;
    switch (rng_.below(4)) {
        case 0:
            if (faults.kills) kill(false, between(100ms, 15s));
            break;
        case 1:
            if (faults.reboots) kill(true, between(500ms, 20s));
            break;
        case 2:
            if (faults.cuts && world_.network.whole()) cut(between(1s, 25s));
            break;
        case 3:
            if (faults.loss) disturb(between(1s, 10s));
            break;
    }
    world_.events.in(between(200ms, 6s), [this] { strike_again(); });
}

void Adversary::kill(bool machine, Duration down) {
    Peer& peer = *world_.peers[rng_.below(options_.peers)];
    std::size_t dead = 0;
    for (const auto& other : world_.peers) dead += other->running() ? 0 : 1;
    if (!peer.running() || dead > options_.peers / 3) return;
    if (machine) {
        world_.say("--- power of " + name(peer) + " gone for " + for_people(down));
        peer.power_off();
        ++tally_.reboots;
        return start_later(peer, down);
    }
    ++tally_.kills;
    const auto die = [this, &peer, down, life = peer.starts()] {
        if (life != peer.starts()) return;
        world_.say("--- agent of " + name(peer) + " gone for " + for_people(down));
        peer.kill();
        start_later(peer, down);
    };
    if (!rng_.chance(0.4)) return die();
    // As on SIGTERM: it says that it means to come back, and ends a moment later.
    world_.say("--- " + name(peer) + " announces a restart");
    ++tally_.farewells;
    peer.feed(node::Restarting{});
    world_.events.in(100ms, die);
}

void Adversary::strike(Peer& peer) {
    if (resting_ || !options_.faults.kills || !peer.running()) return;
    ++tally_.kills;
    world_.say("--- agent of " + name(peer) + " gone in the middle of a command");
    peer.kill();
    start_later(peer, between(100ms, 2s));
}

void Adversary::start_later(Peer& peer, Duration span) {
    world_.events.in(span, [this, &peer] {
        if (peer.running() || world_.gone.contains(peer.place()) || busy_.contains(peer.place()))
            return;
        world_.say("--- " + name(peer) + " starts");
        peer.start();
    });
}

void Adversary::cut(Duration span) {
    std::set<std::size_t> side;
    const std::size_t size = 1 + rng_.below(std::max<std::size_t>(1, options_.peers / 2));
    while (side.size() < size && side.size() + 1 < options_.peers)
        side.insert(rng_.below(options_.peers));
    const bool one_way = rng_.chance(0.25);
    std::string names;
    for (const std::size_t one : side) {
        names += " " + std::to_string(one);
        for (std::size_t other = 0; other < options_.peers; ++other) {
            if (side.contains(other)) continue;
            world_.network.cut(one, other);
            if (!one_way) world_.network.cut(other, one);
        }
    }
    ++tally_.cuts;
    world_.say(std::string("--- cut") + (one_way ? " one way:" : ":") + names + " for " +
               for_people(span));
    world_.events.in(span, [this] {
        world_.say("--- links heal");
        world_.network.heal();
    });
}

void Adversary::disturb(Duration span) {
    world_.network.faults.loss = 0.01 * static_cast<double>(rng_.below(20));
    world_.network.faults.duplicates = 0.01 * static_cast<double>(rng_.below(10));
    world_.network.faults.delay_mean = between(200us, 8ms);
    world_.say("--- frames are lost and doubled for " + for_people(span));
    world_.events.in(span, [this] { world_.network.faults = {}; });
}

// --- rare ones

/// Each class in every tenth seed, but every_rare; from half a minute on, when the group has
/// voters.
void Adversary::plan_rare() {
    waits_until_ = world_.events.now() + options_.trouble + kPatience;
    const Faults& faults = options_.faults;
    const bool enough = options_.peers >= 5;
    const std::pair<Rare, bool> classes[] = {{Rare::outage, faults.outages},
                                             {Rare::loss, faults.losses && enough},
                                             {Rare::expulsion, faults.expulsions && enough},
                                             {Rare::disk, faults.disks}};
    for (const auto& [what, allowed] : classes) {
        const bool comes = rng_.chance(0.1);
        const Duration when = between(options_.trouble / 3, options_.trouble);
        if (!allowed || (!comes && !faults.every_rare)) continue;
        busy_until_ = std::max(busy_until_, world_.events.now() + when + 1s);
        world_.events.in(when, [this, what = what] { rare(what); });
    }
}

void Adversary::rare(Rare what) {
    if (healed_) return;
    const auto chosen = victim();
    if (!chosen) {
        if (world_.events.now() > waits_until_) return;
        busy_until_ = std::max(busy_until_, world_.events.now() + 6s);
        return world_.events.in(5s, [this, what] { rare(what); });
    }
    Peer& peer = *world_.peers[*chosen];
    busy_.insert(*chosen);
    was_voter(*chosen);
    switch (what) {
        case Rare::outage:
        case Rare::loss: return away(peer, what == Rare::loss);
        case Rare::expulsion: {
            world_.say("--- " + name(peer) + " is to be expelled");
            world_.expelled.insert(*chosen);
            ++tally_.expulsions;
            const SecretSource fresh = [this] {
                Secret secret{};
                for (auto& byte : secret) byte = static_cast<std::uint8_t>(rng_.next());
                return secret;
            };
            return expel(*chosen,
                         encode(gaggle::expel(issuer_, peer.id(), region_, Epoch{1}, fresh)));
        }
        case Rare::disk: return fail_store(peer);
    }
}

/// A peer that can be spared for long: half of the time a voter. Nothing while the group is too
/// shaken to tell.
std::optional<std::size_t> Adversary::victim() {
    const node::Node* leader = world_.leader();
    if (leader == nullptr) return std::nullopt;
    const raft::Configuration& members = leader->group().configuration();
    if (members.joint()) return std::nullopt;
    const bool voter = rng_.chance(0.6);
    std::vector<std::size_t> may;
    for (const auto& peer : world_.peers) {
        const std::size_t place = peer->place();
        if (!peer->running() || busy_.contains(place)) continue;
        if (voter == world_.votes(members, place) && majority_without(members, place))
            may.push_back(place);
    }
    if (may.empty()) return std::nullopt;
    return rng_.pick(std::span<std::size_t>(may));
}

/// Whether a majority of the voters is left when this peer and all that are away for long are not
/// counted.
bool Adversary::majority_without(const raft::Configuration& members, std::size_t place) const {
    std::size_t left = 0;
    for (const auto& peer : world_.peers)
        left += peer->place() != place && !busy_.contains(peer->place()) &&
                        world_.votes(members, peer->place())
                    ? 1
                    : 0;
    return left * 2 > members.voters.size();
}

void Adversary::was_voter(std::size_t place) {
    if (!world_.votes(world_.leader()->group().configuration(), place)) return;
    voters_.insert(place);
    ++tally_.voters;
}

void Adversary::count_replaced(std::size_t place) {
    const node::Node* leader = world_.leader();
    const bool replaced = leader != nullptr && voters_.erase(place) == 1 &&
                          !world_.votes(leader->group().configuration(), place);
    tally_.replaced += replaced ? 1 : 0;
}

void Adversary::count_replaced() {
    const std::set<std::size_t> left = voters_;
    for (const std::size_t place : left) count_replaced(place);
}

/// Without power, or without its agent.
void Adversary::away(Peer& peer, bool for_good) {
    const Duration span = between(90s, 180s);
    world_.say("--- " + name(peer) + " is away " +
               (for_good ? "for good" : "for " + for_people(span)));
    if (rng_.chance(0.5))
        peer.power_off();
    else
        peer.kill();
    if (for_good) {
        ++tally_.losses;
        world_.gone.insert(peer.place());
        return;
    }
    ++tally_.outages;
    busy_until_ = std::max(busy_until_, world_.events.now() + span + 1s);
    world_.events.in(span, [this, &peer] {
        busy_.erase(peer.place());
        count_replaced(peer.place());
        start_later(peer, 0s);
    });
}

/// Asks somebody, again and again, until the ledger says so.
void Adversary::expel(std::size_t place, const Bytes& statement) {
    const node::Node* leader = world_.leader();
    if (leader != nullptr &&
        leader->group().ledger().expulsions().contains(world_.peers[place]->id()))
        return;
    Peer& asked = *world_.peers[rng_.below(options_.peers)];
    if (asked.place() != place)
        asked.feed(node::ApiRequest{.id = ++requests_, .what = node::ExpelPeer{statement}});
    world_.events.in(2s, [this, place, statement] { expel(place, statement); });
}

/// Its next write or so fails. The agent lives on without a store until somebody has mended the
/// disk and restarts it.
void Adversary::fail_store(Peer& peer) {
    const bool full = rng_.chance(0.5);
    const Duration span = between(20s, 120s);
    world_.say("--- the disk of " + name(peer) +
               (full ? " is full for " : " fails a sync within ") + for_people(span));
    ++tally_.disks;
    peer.fail_disk(rng_.below(20), full ? Fault::no_space : Fault::sync_fails);
    busy_until_ = std::max(busy_until_, world_.events.now() + span + 2s);
    world_.events.in(span, [this, &peer] {
        busy_.erase(peer.place());
        count_replaced(peer.place());
        if (peer.running()) {
            world_.say("--- " + name(peer) + " is restarted with a mended disk");
            peer.kill();
        }
        start_later(peer, 1s);
    });
}

void Adversary::heal() {
    resting_ = healed_ = true;
    world_.say("--- the trouble is over");
    world_.network.heal();
    world_.network.faults = {};
    for (const auto& peer : world_.peers)
        if (!peer->running() && peer->initialised() && !world_.gone.contains(peer->place()))
            peer->start();
}

}  // namespace gaggle::sim
