#include "gctl/node/catalogue.h"

#include <algorithm>

#include "base/hash.h"

namespace gaggle::node {

namespace {

constexpr Duration kNextTurn = 100ms;  // until the next kListsAskedMax are asked for
constexpr Limits kListLimits{.fields = Fields::lenient, .bytes = kServiceListBytesMax};

/// Of a list that is not empty; never 0.
std::uint64_t checksum_of(BytesView bytes) { return std::max<std::uint64_t>(1, checksum64(bytes)); }

Bytes encode_within_limit(ServiceList& list) {
    Bytes bytes = encode(list);
    while (bytes.size() > kServiceListBytesMax) {
        list.resize(list.size() / 2);
        bytes = encode(list);
    }
    return bytes;
}

/// A refused port is an agent that is away; what it looks after runs on.
Trust trust_of(const Known& known) {
    if (known.liveness == Liveness::dead || known.liveness == Liveness::left) return Trust::gone;
    const bool away = known.agent_gone || known.restarting;
    return known.liveness == Liveness::suspect && !away ? Trust::doubtful : Trust::good;
}

}  // namespace

Catalogue::Catalogue(PeerId self, const Directory& directory, Rng rng)
    : self_(self), directory_(directory), rng_(rng) {}

void Catalogue::publish(Now, ServiceList own, Outbox& out) {
    const std::size_t offered = own.size();
    Bytes bytes = encode_within_limit(own);
    const std::uint64_t checksum = own.empty() ? 0 : checksum_of(bytes);
    if (checksum == own_checksum_) return;
    if (own.size() < offered)
        out.warn("this peer offers " + std::to_string(offered) +
                 " instances of services, more than fit in a list of " +
                 std::to_string(kServiceListBytesMax) + " bytes: DNS and templates get the first " +
                 std::to_string(own.size()));
    own_ = std::move(bytes);
    own_checksum_ = checksum;
    tell(self_, Trust::good, std::move(own), out);
}

void Catalogue::heard(Now now, const PeerId& peer, Outbox& out) {
    const Known* known = directory_.find(peer);
    if (known == nullptr || peer == self_) return;
    const Trust trust = directory_.expelled(peer) ? Trust::gone : trust_of(*known);
    const std::uint64_t checksum = known->state ? known->state->services : 0;
    if (trust == Trust::gone || checksum == 0) return drop(peer, out);
    const auto held = lists_.find(peer);
    if (held != lists_.end() && held->second.trust != trust) {
        held->second.trust = trust;
        auto list = decode<ServiceList>(held->second.bytes, "list of services", kListLimits);
        INVARIANT(list.ok());  // it was read here before
        tell(peer, trust, std::move(*list), out);
    }
    const auto refused = refused_.find(peer);
    if ((held != lists_.end() && held->second.checksum == checksum) ||
        (refused != refused_.end() && refused->second == checksum)) {
        wants_.erase(peer);
        return;
    }
    const auto [want, is_new] = wants_.try_emplace(peer);
    if (!is_new && want->second.checksum == checksum) return;
    want->second = {.checksum = checksum, .due = now.time + kNextTurn};
    if (wants_.size() <= kListsAskedMax) ask(now, peer, want->second, out);
}

void Catalogue::ask(Now now, const PeerId& owner, Want& want, Outbox& out) {
    out.send(whom(owner, want.tries++), AskServices{.owner = owner, .checksum = want.checksum});
    want.due = now.time + kAskListAgain + Duration(rng_.between(0, 100'000));
}

/// The partners of a peer are always the same, so their connections stay; and they are others for
/// each peer, so that what one knows is soon known to all.
PeerId Catalogue::whom(const PeerId& owner, int tries) {
    if (directory_.all().size() <= kAskOwnerUpTo || tries >= kPartnerTries) return owner;
    std::vector<std::pair<Hash, PeerId>> nearest;
    const Hash seed = hash_of(BytesView(self_.bytes.data(), self_.bytes.size()));
    for (const auto& [peer, known] : directory_.all()) {
        if (peer == self_ || known.liveness != Liveness::alive) continue;
        nearest.emplace_back(hash_of(seed, BytesView(peer.bytes.data(), peer.bytes.size())), peer);
    }
    if (nearest.empty()) return owner;
    const std::size_t count = std::min(kPartners, nearest.size());
    std::partial_sort(nearest.begin(), nearest.begin() + static_cast<std::ptrdiff_t>(count),
                      nearest.end());
    for (std::size_t at = 0; at < count; ++at)
        if (nearest[at].second == owner) return owner;
    return nearest[rng_.below(count)].second;
}

void Catalogue::on(const PeerId& from, const AskServices& ask, Outbox& out) const {
    const auto held = lists_.find(ask.owner);
    ServicesAnswer answer{.owner = ask.owner};
    if (ask.owner == self_ && own_checksum_ != 0) {
        answer.checksum = own_checksum_;  // perhaps newer than what was asked for
        answer.list = own_;
    } else if (held != lists_.end() && held->second.checksum == ask.checksum) {
        answer.checksum = ask.checksum;
        answer.list = held->second.bytes;
    }
    out.send(from, std::move(answer));
}

void Catalogue::on(const PeerId& from, const ServicesAnswer& answer, Outbox& out) {
    const auto want = wants_.find(answer.owner);
    if (want == wants_.end() || answer.checksum == 0) return;
    // From its owner a newer list than the one that was asked for is as welcome.
    const bool asked_for = answer.checksum == want->second.checksum || from == answer.owner;
    if (!asked_for || checksum_of(answer.list) != answer.checksum) return;
    ServiceList list;
    if (const std::string why = objection(answer, list); !why.empty()) {
        refused_[answer.owner] = answer.checksum;  // until it says another one
        wants_.erase(want);
        return out.warn("the services of peer " + to_string(answer.owner) +
                        " are left out of DNS and templates here: " + why);
    }
    refused_.erase(answer.owner);
    List& kept = lists_[answer.owner];
    bytes_ += answer.list.size() - kept.bytes.size();
    kept.checksum = answer.checksum;
    kept.bytes = answer.list;
    kept.trust = trust_of(*directory_.find(answer.owner));
    tell(answer.owner, kept.trust, std::move(list), out);
    // An answer may cross a newer record on its way; then the want stays and is asked again.
    if (answer.checksum == want->second.checksum) wants_.erase(want);
}

std::string Catalogue::objection(const ServicesAnswer& answer, ServiceList& list) const {
    auto read = decode<ServiceList>(answer.list, "list of services", kListLimits);
    if (!read.ok()) return read.error().detail;
    list = std::move(*read);
    const auto held = lists_.find(answer.owner);
    const std::size_t before = held == lists_.end() ? 0 : held->second.bytes.size();
    if (bytes_ - before + answer.list.size() <= kCatalogueBytesMax) return "";
    return "with them, all lists would take more than " + std::to_string(kCatalogueBytesMax) +
           " bytes";
}

void Catalogue::tell(const PeerId& owner, Trust trust, ServiceList list, Outbox& out) const {
    ServicesOf news{.peer = owner, .trust = trust, .services = std::move(list)};
    if (const Known* known = directory_.find(owner)) {
        news.peer_name = known->card.description.name;
        news.datacenter = known->card.description.datacenter;
    }
    out.effects.services.push_back(std::move(news));
}

void Catalogue::drop(const PeerId& owner, Outbox& out) {
    wants_.erase(owner);
    refused_.erase(owner);
    const auto held = lists_.find(owner);
    if (held == lists_.end()) return;
    bytes_ -= held->second.bytes.size();
    lists_.erase(held);
    refused_.clear();  // for those there may be room now
    out.effects.services.push_back({.peer = owner, .trust = Trust::gone});
}

void Catalogue::tick(Now now, Outbox& out) {
    std::size_t asked = 0;
    for (auto& [owner, want] : wants_) {
        if (want.due > now.time) continue;
        if (++asked > kListsAskedMax)
            want.due = now.time + kNextTurn;
        else
            ask(now, owner, want, out);
    }
}

std::optional<TimePoint> Catalogue::next_wakeup() const {
    std::optional<TimePoint> soonest;
    for (const auto& [owner, want] : wants_)
        if (!soonest || want.due < *soonest) soonest = want.due;
    return soonest;
}

}  // namespace gaggle::node
