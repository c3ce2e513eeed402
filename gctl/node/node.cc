#include "gctl/node/node.h"

#include <algorithm>

namespace gaggle::node {

namespace {

constexpr std::size_t kLocalFramesMax = 100'000;  // of one step; more is a loop of ours

gossip::Self gossip_self(const Config& config, const PeerId& self, const Directory& directory,
                         Bytes card) {
    const auto check = [&config](const PublicKey& key, BytesView message, BytesView signature) {
        if (config.check_signature) return config.check_signature(key, message, signature);
        Signature fixed;
        if (signature.size() != fixed.bytes.size()) return false;
        std::copy(signature.begin(), signature.end(), fixed.bytes.begin());
        return verify(key, kGossipLabel, message, fixed);
    };
    return {.peer = self,
            .start = config.start,
            .boot = config.boot,
            .card = std::move(card),
            .sign =
                [&config](BytesView message) {
                    const Signature signature = config.signing.sign(kGossipLabel, message);
                    return Bytes(signature.bytes.begin(), signature.bytes.end());
                },
            .verify =
                [&config, &directory, check](const PeerId& peer, BytesView card, BytesView message,
                                             BytesView signature) {
                    if (directory.expelled(peer)) return false;
                    if (const auto known = directory.keyring().lookup(peer))
                        return check(known->signing, message, signature);
                    const auto decoded = decode<Card>(card, "card", Limits{.bytes = kCardBytesMax});
                    if (!decoded.ok()) return false;
                    const auto certificate = decode<Certificate>(
                        decoded->certificate, "certificate", Limits{.fields = Fields::exact});
                    if (!certificate.ok() || gaggle::id_of(*certificate) != peer) return false;
                    if (!verify(*certificate, config.authority, config.region).ok()) return false;
                    return check(certificate->body.peer, message, signature);
                }};
}

GroupConfig group_config(const Config& config) {
    GroupConfig out = config.group;
    out.region = config.region;
    out.epoch = config.epoch;
    return out;
}

}  // namespace

Node::Node(Config config, Rng rng)
    : config_(std::move(config)),
      self_(gaggle::id_of(config_.certificate)),
      directory_(config_.authority, config_.region),
      courier_(directory_, self_, rng.fork()),
      group_(group_config(config_), rng.fork()),
      claimant_(config_.number, directory_, group_, courier_, rng.fork()),
      keeper_(directory_, group_, courier_, rng.fork()),
      steward_(directory_, group_),
      copies_(self_, config_.signing, directory_, courier_),
      runs_(config_.host, config_.collection, courier_, writer_, copies_, rng.fork()),
      presence_(config_.start, config_.boot, courier_, rng.fork()),
      admission_(config_.authority, config_.region, config_.region_name, directory_, courier_),
      swim_(gossip_self(config_, self_, directory_, own_card()), config_.gossip, rng.fork()),
      catalogue_(self_, directory_, rng.fork()) {
    out_.self = self_;
    out_.region = config_.region;
    out_.epoch = config_.epoch;
    presence_.describe(config_.offer, config_.description);
    presence_.set_number(config_.number);
    runs_.set_number(config_.number);
    runs_.set_offer(config_.offer.total);
    copies_.set_number(config_.number);
    admission_.set_own_card(own_card());
}

Bytes Node::own_card() const {
    return encode(Card{.certificate = encode(config_.certificate),
                       .number = config_.number,
                       .endpoint = config_.endpoint,
                       .offer = config_.offer,
                       .description = config_.description});
}

Effects Node::start(Now now, Durable durable) {
    last_ = now.time;
    const auto learned = directory_.learn(self_, own_card());
    INVARIANT(learned.ok());  // the agent has verified its own certificate
    Known& me = *directory_.find(self_);
    me.liveness = Liveness::alive;
    me.start = config_.start;
    me.boot = config_.boot;
    const auto key = [&](const char* name) -> const Bytes* {
        const auto found = durable.keys.find(name);
        return found == durable.keys.end() ? nullptr : &found->second;
    };
    if (const Bytes* expelled = key(kExpelledKey)) {
        const auto statements = decode<std::vector<Bytes>>(*expelled, "expulsions");
        if (!statements.ok())
            out_.warn(statements.error().detail);
        else
            for (const Bytes& statement : *statements) (void)directory_.expel(statement).ok();
        if (directory_.expelled(self_)) out_.warn(kSelfExpelled);
    }
    if (const auto started = runs_.start(now, key(kOrdersKey)); !started.ok())
        out_.warn(started.error().detail);
    if (const Bytes* found = key(kFoundKey)) {
        const auto command =
            decode<ledger::Found>(*found, "founding", Limits{.fields = Fields::exact});
        if (command.ok())
            founding_ = *command;
        else
            out_.warn(command.error().detail);
    }
    if (durable.forgotten) ended_ = *durable.forgotten;
    if (durable.replica) act(now, group_.start(now, *durable.replica, std::move(durable.raft)));
    gossip(now, gossip::Tick{});
    if (const Bytes* roster = key(kRosterKey)) {
        const auto cards = decode<std::vector<std::pair<PeerId, Bytes>>>(*roster, "roster");
        if (!cards.ok())
            out_.warn(cards.error().detail);
        else
            for (const auto& [peer, card] : *cards) {
                if (peer == self_) continue;
                learn_card(now, peer, card);
                if (directory_.find(peer) != nullptr) gossip(now, gossip::Introduce{peer, card});
            }
    }
    out_.effects.keyring = directory_.keyring();
    publish_state(now);
    return finish(now);
}

Effects Node::step(Now now, const Input& input) {
    INVARIANT(now.time >= last_);
    last_ = now.time;
    std::visit([&](const auto& what) { on(now, what); }, input);
    return finish(now);
}

Effects Node::finish(Now now) {
    if (copies_.take_fetched()) runs_.fetched(now, out_);
    for (std::size_t handled = 0; !out_.local.empty(); ++handled) {
        INVARIANT(handled < kLocalFramesMax);
        Frame frame = std::move(out_.local.front());
        out_.local.pop_front();
        route(now, self_, frame);
    }
    publish_state(now);
    while (!out_.local.empty()) {
        Frame frame = std::move(out_.local.front());
        out_.local.pop_front();
        route(now, self_, frame);
    }
    writer_.pump(out_);
    return std::exchange(out_.effects, {});
}

void Node::on(Now now, const Tick&) {
    const auto due = [&](std::optional<TimePoint> at) { return at && *at <= now.time; };
    if (due(swim_.next_wakeup())) gossip(now, gossip::Tick{});
    if (due(group_.next_wakeup())) act(now, group_.step(now, raft::Tick{}));
    if (due(courier_.next_wakeup())) courier_.tick(now, out_);
    if (due(board_.next_wakeup())) board_.tick(now, group_, out_);
    if (due(claimant_.next_wakeup())) claimant_.tick(now, out_);
    if (due(keeper_.next_wakeup())) keeper_.tick(now, out_);
    if (due(steward_.next_wakeup())) {
        if (const auto change = steward_.tick(now, out_)) {
            GroupOutput output = group_.step(now, *change);
            if (!output.change_dropped) steward_.taken();
            act(now, std::move(output));
        }
    }
    if (due(runs_.next_wakeup())) runs_.tick(now, out_);
    if (due(copies_.next_wakeup())) copies_.tick(now, out_);
    if (due(catalogue_.next_wakeup())) catalogue_.tick(now, out_);
    if (due(exec_.next_wakeup())) exec_.tick(now, out_);
    presence_.tick(now,
                   {.orders_epoch = runs_.epoch(),
                    .orders_index = runs_.index(),
                    .expelled = static_cast<std::uint32_t>(directory_.statements().size())},
                   out_);
    if (due(roster_due_)) save_roster();
}

TimePoint Node::next_wakeup() const {
    TimePoint soonest = presence_.next_wakeup();
    for (const auto& due :
         {swim_.next_wakeup(), group_.next_wakeup(), courier_.next_wakeup(), board_.next_wakeup(),
          claimant_.next_wakeup(), keeper_.next_wakeup(), steward_.next_wakeup(),
          runs_.next_wakeup(), copies_.next_wakeup(), catalogue_.next_wakeup(), exec_.next_wakeup(),
          roster_due_, runs_.services_changed() ? std::optional(services_due_) : std::nullopt})
        if (due && *due < soonest) soonest = *due;
    return soonest;
}

void Node::on(Now now, const FrameReceived& received) {
    if (directory_.expelled(received.from)) return;
    auto frame =
        decode<Frame>(received.bytes, "frame", Limits{.bytes = kBulkBytesMax, .depth = 128});
    if (!frame.ok() || frame->version != kFrameVersion || frame->region != config_.region) {
        ++dropped_frames_;
        return;
    }
    route(now, received.from, *frame);
}

void Node::on(Now now, const Knocked& knocked) { admission_.on(now, knocked, out_); }

void Node::on(Now now, const Stored& stored) {
    if (stored.error) return store_failed(now, *stored.error);
    Writer::Finished finished = writer_.stored(stored.token);
    if (finished.raft_token) act(now, group_.step(now, raft::Persisted{*finished.raft_token}));
    for (const Writer::Then& then : finished.then)
        if (then) then(now, out_);
}

/// Goes on as a peer that runs what it runs, and takes and starts nothing: new orders cannot be
/// made durable. What they stop is stopped.
void Node::store_failed(Now now, const std::string& why) {
    writer_.fail();
    end_replica(now, "the store failed: " + why);
    config_.offer.drivers.clear();  // the ledger refuses every claim from now on
    describe_anew(now);
    runs_.store_failed(now, out_);
}

void Node::on(Now now, const ConnectTested& tested) {
    gossip(now, gossip::ConnectResult{tested.peer, tested.refused});
}

void Node::on(Now now, const LinkClosed& closed) {
    gossip(now, gossip::ConnectionLost{closed.peer});
}

void Node::on(Now now, const DriversFound& found) {
    if (writer_.failed()) return;  // it offers none any more
    take_drivers(found, config_.offer, config_.description);
    describe_anew(now);
}

/// What this peer offers or is has changed: the ledger, gossip and newcomers are told.
void Node::describe_anew(Now now) {
    presence_.describe(config_.offer, config_.description);
    admission_.set_own_card(own_card());
    gossip(now, gossip::SetCard{own_card()});
}

void Node::on(Now now, const Restarting&) { gossip(now, gossip::Restarting{}); }

void Node::on(Now now, const allocrunner::Input& input) { runs_.on(now, input, out_); }

void Node::on(Now now, const replica::Input& input) { copies_.on(now, input, out_); }

/// Who was expelled waits in vain for the commit group: it says so at once, and answers from what
/// it has itself.
void Node::on(Now now, const ApiRequest& request) {
    const bool from_here = std::holds_alternative<AskPeer>(request.what) ||
                           std::holds_alternative<ListMembers>(request.what) ||
                           std::holds_alternative<DescribeSelf>(request.what);
    if (!from_here && directory_.expelled(self_))
        return out_.effects.replies.push_back(
            {request.id, Error{Errc::unavailable, kSelfExpelled}});
    std::visit([&](const auto& what) { serve(now, request.id, what); }, request.what);
}

void Node::on(Now, const CancelRequest& cancel) {
    const auto found = api_asks_.find(cancel.id);
    if (found == api_asks_.end()) return;
    courier_.cancel(found->second);
    api_asks_.erase(found);
}

Role Node::role() const {
    if (!group_.is_replica()) return Role::spare;
    return group_.configuration().is_voter(group_.self()) ? Role::voter : Role::standby;
}

}  // namespace gaggle::node
