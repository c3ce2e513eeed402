#include "gctl/node/copies.h"

#include <algorithm>

namespace gaggle::node {

namespace {

constexpr std::string_view kCopyLabel = "gaggle copy 1";

replica::Keys keys_of(const SigningKey& signing, const Directory& directory) {
    // The key travels with the signature: a source may be gone for good when its copy is fetched.
    return {
        .sign =
            [&signing](BytesView message) {
                return encode(std::pair(signing.public_key(), signing.sign(kCopyLabel, message)));
            },
        .verify =
            [&directory](const PeerId& signer, BytesView message, BytesView signature) {
                const auto both =
                    decode<std::pair<PublicKey, Signature>>(signature, "copy's signature");
                return both.ok() && gaggle::id_of(both->first) == signer &&
                       !directory.expelled(signer) &&
                       verify(both->first, kCopyLabel, message, both->second);
            }};
}

ledger::Slot slot_of(const replica::Lineage& lineage) {
    return {.job = {lineage.name_space, lineage.job},
            .group = lineage.group,
            .index = static_cast<std::uint32_t>(lineage.index)};
}

}  // namespace

replica::Lineage lineage_of(const ledger::Slot& slot) {
    return {.name_space = slot.job.name_space,
            .job = slot.job.id,
            .group = slot.group,
            .index = slot.index};
}

Copies::Copies(PeerId self, const SigningKey& signing, const Directory& directory, Courier& courier)
    : self_(self),
      directory_(directory),
      courier_(courier),
      replica_(self, keys_of(signing, directory), {}) {}

void Copies::on(Now now, const replica::Input& input, Outbox& out) {
    absorb(now, replica_.step(now.time, input), out);
}

void Copies::absorb(Now now, replica::Effects effects, Outbox& out) {
    for (replica::Send& send : effects.sends)
        out.send(send.to, ReplicaFrame{std::move(send.bytes)}, true);
    std::move(effects.work.begin(), effects.work.end(), std::back_inserter(out.effects.copies));
    for (const replica::Event& event : effects.events)
        std::visit([&](const auto& what) { news(now, what, out); }, event);
}

/// Those that hold stay as long as they may be alive; the rest is drawn by hash, so that the copies
/// of many lineages spread evenly and every look comes to the same choice.
std::set<PeerId> Copies::choose(const replica::Lineage& lineage, std::size_t wanted,
                                const std::set<PeerId>& present) const {
    std::set<PeerId> out;
    for (const PeerId& peer : present) {
        const Known* known = directory_.find(peer);
        const bool may_live = known != nullptr && (known->liveness == Liveness::alive ||
                                                   known->liveness == Liveness::suspect);
        if (may_live && !directory_.expelled(peer) && out.size() < wanted) out.insert(peer);
    }
    std::vector<std::pair<std::uint64_t, PeerId>> ranked;
    for (const auto& [id, known] : directory_.all()) {
        const bool able =
            known.liveness == Liveness::alive && !known.agent_gone && known.rights.has(Right::hold);
        if (able && id != self_ && !directory_.expelled(id))
            ranked.emplace_back(checksum64(checksum64(as_bytes(to_string(lineage))), id.bytes), id);
    }
    std::sort(ranked.begin(), ranked.end());
    for (const auto& [rank, id] : ranked)
        if (out.size() < wanted) out.insert(id);
    return out;
}

void Copies::running(Now now, const std::vector<Copied>& now_running, Outbox& out) {
    std::set<replica::Lineage> still;
    for (const Copied& copied : now_running) {
        still.insert(copied.lineage);
        const auto found = sources_.find(copied.lineage);
        const bool same = found != sources_.end() &&
                          found->second.what.generation == copied.generation &&
                          found->second.what.replicas == copied.replicas;
        if (same) continue;
        const std::set<PeerId> present =
            found != sources_.end() ? found->second.holders : std::set<PeerId>{};
        sources_[copied.lineage] = {copied, choose(copied.lineage, copied.replicas, present)};
        const Source& source = sources_[copied.lineage];
        absorb(now,
               replica_.step(now.time, replica::Watch{.lineage = copied.lineage,
                                                      .generation = copied.generation,
                                                      .alloc = copied.alloc,
                                                      .holders = source.holders}),
               out);
        if (said_.erase(copied.lineage) > 0) {  // what was held here has become the data itself
            const ledger::HoldersChanged dropped{.slot = slot_of(copied.lineage),
                                                 .generation = copied.generation,
                                                 .holders = {},
                                                 .dropped = {number_}};
            courier_.submit(
                now, dropped, 30s, [](Now, Result<CommandResult>, Outbox&) {}, out);
        }
    }
    for (auto at = sources_.begin(); at != sources_.end();) {
        if (still.contains(at->first)) {
            ++at;
            continue;
        }
        absorb(now, replica_.step(now.time, replica::Unwatch{at->first}), out);
        at = sources_.erase(at);
    }
}

void Copies::tick(Now now, Outbox& out) {
    if (const auto due = replica_.next_wakeup(); due && *due <= now.time)
        absorb(now, replica_.step(now.time, replica::Tick{}), out);
    if (due_ <= now.time) {
        due_ = now.time + kHoldersInterval;
        for (auto& [lineage, source] : sources_) {
            std::set<PeerId> holders = choose(lineage, source.what.replicas, source.holders);
            if (holders == source.holders) continue;
            source.holders = std::move(holders);
            absorb(now,
                   replica_.step(now.time, replica::Watch{.lineage = lineage,
                                                          .generation = source.what.generation,
                                                          .alloc = source.what.alloc,
                                                          .holders = source.holders}),
                   out);
        }
    }
    for (std::size_t at = asking_.size(); at-- > 0;) {
        if (asking_[at].deadline > now.time && !asking_[at].waiting.empty()) continue;
        Asking ended = std::move(asking_[at]);
        asking_.erase(asking_.begin() + static_cast<std::ptrdiff_t>(at));
        std::vector<CopyState> states;
        for (auto& [peer, state] : ended.states) states.push_back(std::move(state));
        ended.done(now, std::move(states), out);
    }
}

std::optional<TimePoint> Copies::next_wakeup() const {
    auto due = replica_.next_wakeup();
    if (!sources_.empty()) replica::sooner(due, due_);
    for (const Asking& asking : asking_)
        replica::sooner(due, asking.waiting.empty() ? TimePoint{} : asking.deadline);
    return due;
}

Copies::Fetched Copies::fetch(Now now, const replica::Lineage& lineage, const AllocId& alloc,
                              Outbox& out) {
    Fetch& asked = fetches_[lineage];
    if (asked.alloc == alloc) return asked.state;
    asked = {.alloc = alloc};
    std::set<PeerId> from;
    for (const auto& [id, known] : directory_.all())
        if (id != self_ && known.liveness == Liveness::alive && !directory_.expelled(id))
            from.insert(id);
    if (from.empty()) return asked.state = Fetched::nowhere;
    absorb(now, replica_.step(now.time, replica::Fetch{lineage, std::move(from)}), out);
    return fetches_.at(lineage).state;
}

void Copies::news(Now, const replica::FetchDone& event, Outbox& out) {
    const auto asked = fetches_.find(event.lineage);
    if (asked == fetches_.end()) return;
    asked->second.state = event.error.empty() ? Fetched::here : Fetched::nowhere;
    fetched_ = true;
    if (!event.error.empty())
        out.warn("fetch the data of " + to_string(event.lineage) + ": " + event.error);
}

void Copies::news(Now now, const replica::CopyComplete& event, Outbox& out) {
    const auto said = said_.find(event.lineage);
    if (said != said_.end() && said->second == event.version.generation) return;
    say_holding(now, event.lineage, event.version.generation, out);
}

void Copies::say_holding(Now now, const replica::Lineage& lineage, Generation generation,
                         Outbox& out) {
    said_[lineage] = generation;
    const ledger::HoldersChanged holding{
        .slot = slot_of(lineage), .generation = generation, .holders = {number_}, .dropped = {}};
    courier_.submit(
        now, holding, 60s,
        [this, lineage](Now, Result<CommandResult> result, Outbox&) {
            if (!result.ok()) said_.erase(lineage);  // said again with the next version
        },
        out);
}

void Copies::news(Now, const replica::HolderConfirmed&, Outbox&) {}

void Copies::news(Now, const replica::Trouble& event, Outbox& out) {
    out.warn("copy of " + to_string(event.lineage) + ": " + event.reason);
}

void Copies::ages(Now now, const replica::Lineage& lineage,
                  const std::vector<ledger::PeerRecord>& holders, Ages done, Outbox& out) {
    Asking asking{.lineage = lineage,
                  .states = {},
                  .waiting = {},
                  .deadline = now.time + kCopyAgePatience,
                  .done = std::move(done)};
    for (const ledger::PeerRecord& peer : holders) {
        CopyState state{.peer = peer.who.id, .name = peer.description.name};
        if (peer.who.id == self_) {
            if (const auto newest = replica_.newest(lineage)) {
                state.generation = newest->version.generation;
                state.n = newest->version.n;
                state.taken_at = newest->taken_at;
                state.reachable = true;
            }
        } else {
            asking.waiting.insert(peer.who.id);
        }
        asking.states[peer.who.id] = std::move(state);
    }
    const std::set<PeerId> peers = asking.waiting;
    asking_.push_back(std::move(asking));
    if (!peers.empty()) absorb(now, replica_.step(now.time, replica::Ask{lineage, peers}), out);
    tick(now, out);
}

void Copies::news(Now, const replica::CopyHeard& event, Outbox&) {
    for (Asking& asking : asking_) {
        if (asking.lineage != event.lineage || asking.waiting.erase(event.from) == 0) continue;
        CopyState& state = asking.states.at(event.from);
        state.reachable = true;
        if (!event.version) continue;
        state.generation = event.version->generation;
        state.n = event.version->n;
        state.taken_at = event.taken_at;
    }
}

}  // namespace gaggle::node
