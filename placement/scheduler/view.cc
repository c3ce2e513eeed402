#include "placement/scheduler/view.h"

#include <algorithm>

namespace gaggle {

namespace {

template <class Unit>
Unit taken(Unit total, Unit free) {
    return Unit{std::max<std::int64_t>(0, total.value - free.value)};
}

Amounts used_of(const Amounts& total, const Amounts& free) {
    return {taken(total.cpu, free.cpu), taken(total.memory, free.memory),
            taken(total.disk, free.disk), std::max<std::int64_t>(0, total.cores - free.cores)};
}

auto place_of(auto& peers, PeerNumber number) {
    return std::lower_bound(
        peers.begin(), peers.end(), number,
        [](const PeerView& peer, PeerNumber wanted) { return peer.number < wanted; });
}

}  // namespace

Books books_from(const Offer& offer, const CapacityRecord& record, std::set<std::uint16_t> ports) {
    return {.offer = offer,
            .used = used_of(offer.total, record.free),
            .ports = std::move(ports),
            .eligible = record.eligible};
}

void View::put(PeerView peer) {
    const auto at = place_of(peers_, peer.number);
    if (at != peers_.end() && at->number == peer.number)
        *at = std::move(peer);
    else
        peers_.insert(at, std::move(peer));
}

void View::erase(PeerNumber number) {
    const auto at = place_of(peers_, number);
    if (at != peers_.end() && at->number == number) peers_.erase(at);
}

const PeerView* View::find(PeerNumber number) const {
    const auto at = place_of(peers_, number);
    return at != peers_.end() && at->number == number ? &*at : nullptr;
}

void View::claim(const AllocId& alloc, PeerNumber first_candidate, const Ask& ask) {
    settle(alloc);
    claimed_on_[alloc] = first_candidate;
    claims_[{first_candidate, alloc}] = ask;
}

void View::settle(const AllocId& alloc) {
    const auto on = claimed_on_.find(alloc);
    if (on == claimed_on_.end()) return;
    claims_.erase({on->second, alloc});
    claimed_on_.erase(on);
}

void View::learn_free(PeerNumber number, const Amounts& free) {
    const auto at = place_of(peers_, number);
    if (at == peers_.end() || at->number != number) return;
    at->books.used = used_of(at->books.offer.total, free);
    at->age = Duration{0};
}

Books View::books_of(const PeerView& peer) const {
    Books books = peer.books;
    for (auto at = claims_.lower_bound({peer.number, AllocId{}});
         at != claims_.end() && at->first.first == peer.number; ++at) {
        const Ask& ask = at->second;
        books.used += ask.amounts;
        for (const Port& port : ask.ports) {
            if (port.fixed > 0) books.ports.insert(static_cast<std::uint16_t>(port.fixed));
        }
    }
    return books;
}

}  // namespace gaggle
