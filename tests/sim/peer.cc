#include "tests/sim/peer.h"

#include <algorithm>

namespace gaggle::sim {

namespace {

constexpr const char* kDataDir = "/data";

}  // namespace

Amounts offer_of(std::size_t place) {
    return {.cpu = {2000},
            .memory = {512 + 256 * static_cast<std::int64_t>(place % 3)},
            .disk = {10'000}};
}

const node::Node* World::leader() const {
    const node::Node* found = nullptr;
    for (const auto& peer : peers) {
        const node::Node* node = peer->node();
        if (node == nullptr || !node->group().ready()) continue;
        if (found == nullptr || found->group().role().term < node->group().role().term)
            found = node;
    }
    return found;
}

bool World::votes(const raft::Configuration& configuration, std::size_t place) const {
    const node::Node* node = leader();
    const auto* record =
        node != nullptr ? node->group().ledger().peer(peers[place]->id()) : nullptr;
    return record != nullptr && configuration.is_voter(configuration.replica_of(record->number));
}

Peer::Peer(World& world, std::size_t place, Identity identity)
    : world_(world),
      place_(place),
      identity_(std::move(identity)),
      rng_(world.rng.fork()),
      machine_(world.events, world.rng.fork()),
      boot_(random_id<BootId>(rng_)) {}

void Peer::found(const Founding& founding) {
    certificate_ = founding.founder;
    authority_ = founding.issuer.authority;
    region_ = founding.region;
    number_ = PeerNumber{1};
    const ledger::Found found{
        .region = region_,
        .name = "global",
        .founder = node::newcomer_from(*certificate_, "peer-" + std::to_string(place_), "dc1"),
        .issuer = {founding.issuer.certificate.body.serial.bytes}};
    auto store = store::Store::open(kDataDir, {.disk = &disk_});
    INVARIANT(store.ok());
    INVARIANT((*store)
                  ->begin_replica({region_, Epoch{1}, raft::ReplicaId{1}},
                                  raft::founding({PeerNumber{1}}),
                                  {{node::kFoundKey, encode(found)}})
                  .ok());
}

void Peer::join(Certificate certificate, const node::KnockAnswer& answer) {
    authority_ = world_.peers.front()->authority_;
    region_ = world_.peers.front()->region_;
    certificate_ = std::move(certificate);
    number_ = answer.number;
    auto store = store::Store::open(kDataDir, {.disk = &disk_});
    INVARIANT(store.ok());
    INVARIANT(
        (*store)->write({.raft = {}, .keys = {{node::kRosterKey, encode(answer.cards)}}}).ok());
}

node::Config Peer::config() {
    node::Config config{.signing = identity_.signing,
                        .authority = authority_,
                        .region = region_,
                        .certificate = *certificate_};
    config.number = number_;
    config.endpoint = {.host = "10.0.0." + std::to_string(place_),
                       .base_port = 4647,
                       .curve = identity_.curve.open};
    config.start = random_id<StartId>(rng_);
    config.boot = boot_;
    config.offer.total = offer_of(place_);
    config.offer.drivers = {"raw_exec"};
    config.description.name = "peer-" + std::to_string(place_);
    config.description.datacenter = "dc" + std::to_string(1 + place_ % 3);
    config.group.snapshot_log_bytes = 48U << 10U;  // often enough to be met in every run
    config.group.log_tail_bytes = 16U << 10U;
    config.host.id = to_string(id());
    config.host.name = config.description.name;
    config.host.alloc_root = "/alloc";
    // Ed25519 is dear and pure: the same question has the same answer.
    config.check_signature = [this](const PublicKey& key, BytesView message, BytesView signature) {
        const std::uint64_t about =
            checksum64(checksum64(checksum64(key.bytes), message), signature);
        const auto known = world_.signatures.find(about);
        if (known != world_.signatures.end()) return known->second;
        Signature fixed;
        if (signature.size() != fixed.bytes.size()) return false;
        std::copy(signature.begin(), signature.end(), fixed.bytes.begin());
        return world_.signatures[about] = verify(key, node::kGossipLabel, message, fixed);
    };
    return config;
}

void Peer::start() {
    INVARIANT(!node_ && certificate_);
    disk_.heal();
    store_failed_ = false;
    auto opened = store::Store::open(kDataDir, {.disk = &disk_});
    if (!opened.ok()) {
        world_.say("peer " + std::to_string(place_) +
                   " cannot open its store: " + opened.error().detail);
        INVARIANT(opened.ok());
    }
    store_ = std::move(*opened);
    store::Loaded loaded = store_->take_loaded();
    ++starts_;
    tick_at_ = TimePoint::max();
    node_ = std::make_unique<node::Node>(config(), rng_.fork());
    machine_.attach([this](node::Input input) { feed(input); });
    node::Durable durable;
    INVARIANT(!loaded.amnesia);  // our disk forgets, but never what was synced
    if (loaded.membership) durable.replica = loaded.membership->replica;
    durable.raft = std::move(loaded.raft);
    durable.keys = std::move(loaded.keys);
    world_.began(place_, durable.raft);
    world_.events.mark("start", as_bytes(std::to_string(place_)));
    act(node_->start({world_.events.now(), world_.events.wall()}, std::move(durable)));
    world_.stepped(place_);
    feed(replica::Input(machine_.found_copies()));
    feed(allocrunner::Input{world_.events.wall(), machine_.found()});
    wake();
}

void Peer::kill() {
    ++starts_;
    node_.reset();
    machine_.detach();  // a copier starts anew with the agent
    machine_.restart_copier();
    disk_.kill();
    store_.reset();
}

void Peer::power_off() {
    ++starts_;
    node_.reset();
    machine_.detach();
    machine_.reboot();
    disk_.crash(rng_);
    store_.reset();
    boot_ = random_id<BootId>(rng_);
}

void Peer::feed(const node::Input& input) {
    if (!node_) return;
    act(node_->step({world_.events.now(), world_.events.wall()}, input));
    world_.stepped(place_);
    wake();
}

void Peer::receive(const PeerId& from, const Bytes& bytes) {
    if (!node_ || !keyring_.lookup(from)) return;  // its door does not open
    world_.events.mark("frame", bytes);
    feed(node::FrameReceived{from, bytes});
}

void Peer::wake() {
    if (!node_) return;
    const TimePoint due = std::max(node_->next_wakeup(), world_.events.now() + 1us);
    if (due >= tick_at_) return;
    tick_at_ = due;
    world_.events.at(due, [this, life = starts_, due] {
        if (life != starts_ || tick_at_ != due) return;
        tick_at_ = TimePoint::max();
        feed(node::Tick{});
        wake();
    });
}

void Peer::act(node::Effects effects) {
    if (effects.keyring) keyring_ = std::move(*effects.keyring);
    if (effects.store) write(*effects.store);
    for (node::SendFrame& frame : effects.send) {
        const auto to = world_.places.find(frame.to);
        if (to == world_.places.end()) continue;
        world_.network.send(place_, to->second,
                            [this, to = to->second, bytes = std::move(frame.bytes)] {
                                world_.peers[to]->receive(id(), bytes);
                            });
    }
    for (const node::AnswerLobby& answer : effects.lobby)
        world_.lobby[{place_, std::stoull(to_text(answer.token))}] = answer.bytes;
    for (const node::ApiReply& reply : effects.replies) world_.replied(place_, reply);
    for (const allocrunner::Work& work : effects.tasks) machine_.carry_out(work);
    for (const replica::Work& work : effects.copies) machine_.carry_out(work);
    for (const node::DoLocally& work : effects.local)
        world_.events.in(1ms, [this, id = work.work, life = starts_] {
            if (life == starts_)
                feed(node::DoneLocally{.work = id, .answer = node::LocalAnswer(node::Done{})});
        });
    for (const PeerId& tested : effects.connect_tests) {
        const auto to = world_.places.find(tested);
        if (to == world_.places.end()) continue;
        const bool reachable =
            world_.network.open(place_, to->second) && world_.network.open(to->second, place_);
        const bool refused = reachable && !world_.peers[to->second]->running();
        world_.events.in(reachable ? Duration(1ms) : Duration(500ms),
                         [this, tested, refused, life = starts_] {
                             if (life == starts_) feed(node::ConnectTested{tested, refused});
                         });
    }
    for (const node::Note& note : effects.notes)
        world_.say("peer " + std::to_string(place_) + (note.warning ? " warns: " : ": ") +
                   note.text);
}

/// Durable first, told later; a machine that dies in between has it on disk and nobody knows.
void Peer::write(const node::StoreWrite& write) {
    if (write.begin_replica) world_.began(place_, {});
    if (write.raft) world_.wrote(place_, *write.raft);
    const Duration disk = Duration(rng_.between(100, 3'000));
    world_.events.in(disk, [this, write, life = starts_] {
        if (life != starts_) return;
        Result<void> done;
        if (write.begin_replica)
            done = store_->begin_replica({region_, Epoch{1}, *write.begin_replica}, {}, write.keys);
        else
            done = store_->write({.raft = write.raft, .keys = write.keys});
        world_.events.in(Duration(rng_.between(10, 500)), [this, token = write.token, done, life] {
            if (life != starts_) return;
            store_failed_ = store_failed_ || !done.ok();
            feed(
                node::Stored{token, done.ok() ? std::nullopt : std::optional(done.error().detail)});
        });
    });
}

}  // namespace gaggle::sim
