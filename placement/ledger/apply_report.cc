// What peers tell about their allocations, and what follows when they end.
#include <algorithm>

#include "placement/ledger/bounds.h"
#include "placement/ledger/step.h"

namespace gaggle::ledger {

namespace {

/// Of a port that a job insists on: often its former user is only slow to go.
constexpr Duration kStaticPortRest = 60s;
constexpr std::size_t kHolderBytesMax = 128;
constexpr std::size_t kStrangerBytesMax = 32;

/// Of "nginx (pid 5), which is not Gaggle's" the name alone: peers with the same stranger are then
/// told of together.
std::string program_of(const std::string& holder) {
    return holder.substr(0, std::min(holder.find(" ("), kStrangerBytesMax));
}

}  // namespace

void Step::on(const Reports& reports) {
    const auto peer = state_.peers.find(reports.peer);
    if (peer == state_.peers.end() || peer->second.status == PeerStatus::expelled)
        return refuse("reports from peer " + std::to_string(reports.peer.value) +
                      ", which is not admitted");
    for (const AllocReport& report : reports.reports) {
        const auto alloc = state_.allocs.find(report.alloc);
        if (alloc == state_.allocs.end() || alloc->second.peer != reports.peer ||
            alloc->second.settled)
            continue;
        take_report(alloc->second, report);
    }
}

void Step::take_report(AllocRecord& alloc, const AllocReport& report) {
    const bool was_lost = alloc.client == ClientStatus::lost;
    const bool ended = terminal(report.client);
    change(alloc, [&](AllocRecord& a) {
        a.healthy = report.healthy && !ended;
        if (report.status.size() <= kStatusBytesMax) a.status = report.status;
        a.for_good = report.for_good && report.client == ClientStatus::failed;
        a.settled = ended;
    });
    const bool may_list = !ended && !terminal(alloc.client);
    if (may_list && report.services.size() <= kServicesBytesMax) list(alloc, report.services);
    if (ended) orders_change(alloc.peer);
    if (was_lost)
        return;  // declared lost and perhaps replaced: it is being stopped, whatever it says
    if (report.client == ClientStatus::lost) return lose(alloc, "its peer no longer has it");
    set_client(alloc, report.client);
    if (report.client == ClientStatus::failed && alloc.desired == Desired::run)
        want_evaluation(alloc.slot.job, Trigger::alloc_failure, alloc.peer);
}

/// What runs elsewhere is looked up by its users all the time, and they wait on this index alone.
void Step::list(AllocRecord& alloc, const Bytes& instances) {
    Listing& listing = alloc.services;
    if (listing.instances == instances) return;
    if (listing.instances.empty()) listing.create_index = out_.index;
    listing.instances = instances;
    listing.modify_index = out_.index;
    state_.tables.services = out_.index;
}

void Step::lose(AllocRecord& alloc, const std::string& reason) {
    const bool wanted = alloc.desired == Desired::run;
    set_client(alloc, ClientStatus::lost);
    change(alloc, [&](AllocRecord& a) {
        a.healthy = false;
        if (wanted) a.desired_reason = reason;
        if (wanted)
            a.desired =
                Desired::stop;  // should its peer return, it must not run beside its successor
    });
    orders_change(alloc.peer);
    if (wanted) want_evaluation(alloc.slot.job, Trigger::node_update, alloc.peer);
}

/// Its peer hears of it with the order to stop, or now when it has that already.
void Step::end_shutdown_delay(AllocRecord& alloc) {
    if (alloc.no_shutdown_delay) return;
    change(alloc, [](AllocRecord& a) { a.no_shutdown_delay = true; });
    if (alloc.desired != Desired::run) orders_change(alloc.peer);
}

/// Also of one that has ended, or whose job was stopped: then the evaluation finds nothing to do.
void Step::on(const StopAlloc& stop) {
    const auto found = state_.allocs.find(stop.alloc);
    if (found == state_.allocs.end()) return refuse("alloc not found");
    AllocRecord& alloc = found->second;
    if (alloc.holds_slot()) change(alloc, [](AllocRecord& a) { a.migrate = true; });
    if (stop.no_shutdown_delay && !terminal(alloc.client)) end_shutdown_delay(alloc);
    out_.eval = add_eval(mint_eval(), alloc.slot.job, Trigger::alloc_stop).id;
}

void Step::on(const HoldersChanged& changed) {
    const auto slot = state_.slots.find(changed.slot);
    if (slot == state_.slots.end())
        return refuse("copies of " + to_string(changed.slot) + ", which no claim was accepted for");
    if (changed.generation > slot->second.generation)
        return refuse("copies of " + to_string(changed.slot) +
                      " of a generation that does not exist");
    auto& copies = slot->second.copies;
    for (const PeerNumber& holder : changed.holders) {
        if (!state_.peers.contains(holder)) continue;
        Generation& has = copies[holder];
        has = std::max(has, changed.generation);
    }
    for (const PeerNumber& holder : changed.dropped) copies.erase(holder);
    if (slot->second.last)
        if (const auto alloc = state_.allocs.find(*slot->second.last); alloc != state_.allocs.end())
            stamp(alloc->second);
}

void Step::on(const ReleasePort& release) {
    const auto found = state_.allocs.find(release.alloc);
    if (found == state_.allocs.end() || !found->second.holds_resources())
        return refuse("a port of allocation " + to_string(release.alloc) + ", which has none");
    AllocRecord& alloc = found->second;
    const auto held = std::ranges::find(alloc.ports, release.port, &AssignedPort::value);
    const std::string port = "port " + std::to_string(release.port);
    if (held == alloc.ports.end())
        return refuse(port + " is not of allocation " + to_string(release.alloc));
    const auto asked = std::ranges::find(alloc.ask.ports, held->label, &Port::label);
    PeerRecord& peer = state_.peers.at(alloc.peer);
    if (asked != alloc.ask.ports.end() && asked->fixed != 0) {
        if (release.holder.size() > kHolderBytesMax) return refuse("a holder with a long name");
        lose(alloc, "static " + port + " is held there by " + release.holder);
        return rest(peer, release.port, std::min(state_.policy.port_rest, kStaticPortRest),
                    release.holder);
    }
    Books books = peer.books;
    books.eligible = true;  // it is there already; only a number changes
    const Ask one{.ports = {{.label = held->label, .to = held->to}}};
    if (misfit(books, one))
        return refuse("no other dynamic port is free on peer " + std::to_string(alloc.peer.value));
    const AssignedPort next = take(books, one, release.port + 1U).front();
    peer.books.ports.insert(next.value);
    rest(peer, release.port, state_.policy.port_rest, release.holder);
    change(alloc, [&](AllocRecord& a) {
        std::ranges::find(a.ports, release.port, &AssignedPort::value)->value = next.value;
    });
    orders_change(peer.number);
}

/// A stranger's port counts as taken for a while; then somebody may try it again.
void Step::rest(PeerRecord& peer, std::uint16_t port, Duration span, const std::string& holder) {
    if (!peer.resting.emplace(port, later(state_.time, span)).second) return;
    peer.books.ports.insert(port);
    if (std::string name = program_of(holder); !name.empty())
        peer.books.strangers[port] = std::move(name);
    indexes_.rest_due.emplace(peer.resting.at(port), std::pair{peer.number, port});
}

}  // namespace gaggle::ledger
