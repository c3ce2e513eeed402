#include "placement/ledger/step.h"

#include "placement/ledger/bounds.h"

namespace gaggle::ledger {

namespace {

constexpr Duration kSweepEvery = 60s;

}  // namespace

void Step::pass_time() {
    while (!indexes_.lost_due.empty() && indexes_.lost_due.begin()->first <= state_.time)
        lose(state_.allocs.at(indexes_.lost_due.begin()->second), "its peer was lost");
    while (!indexes_.eval_due.empty() && indexes_.eval_due.begin()->first <= state_.time)
        change(state_.evals.at(indexes_.eval_due.begin()->second), [](EvalRecord& eval) {
            if (eval.status == EvalStatus::blocked) eval.status = EvalStatus::pending;
            eval.wait_until.reset();
            eval.taken_by.reset();
        });
    while (!indexes_.rest_due.empty() && indexes_.rest_due.begin()->first <= state_.time) {
        const auto [number, port] = indexes_.rest_due.begin()->second;
        PeerRecord& peer = state_.peers.at(number);
        peer.resting.erase(port);
        peer.books.ports.erase(port);
        peer.books.strangers.erase(port);
        indexes_.rest_due.erase(indexes_.rest_due.begin());
        make_room();
    }
    if (state_.collecting || state_.time >= later(state_.swept, kSweepEvery)) collect(false);
}

void Step::on(const Command::What& what) {
    if (state_.region.empty() && !std::holds_alternative<Found>(what))
        return refuse("the region is not founded yet");
    std::visit([&](const auto& command) { on(command); }, what);
}

void Step::finish() {
    if (room_made_) wake_blocked();
    for (const JobKey& job : touched_) recount(job);
    for (const EvalId& id : out_.evals)
        if (indexes_.workable.contains(id)) out_.evaluations.push_back(id);
    if (!out_.jobs.empty()) state_.tables.jobs = out_.index;
    if (!out_.allocs.empty()) state_.tables.allocs = out_.index;
    if (!out_.evals.empty()) state_.tables.evals = out_.index;
    if (!out_.peers.empty()) state_.tables.peers = out_.index;
}

void Step::refuse(std::string why) {
    out_.refused = true;
    out_.why = std::move(why);
}

const JobVersion* Step::live_version(const JobKey& job) const {
    const auto record = state_.jobs.find(job);
    if (record == state_.jobs.end() || record->second.current().stopped) return nullptr;
    return &record->second.current();
}

void Step::stamp(AllocRecord& alloc) {
    alloc.modify_index = out_.index;
    alloc.modify_time = wall_;
    out_.allocs.insert(alloc.id);
    touched_.insert(alloc.slot.job);
}

void Step::stamp(EvalRecord& eval) {
    eval.modify_index = out_.index;
    eval.modify_time = wall_;
    eval.changed = state_.time;
    out_.evals.insert(eval.id);
    touched_.insert(eval.job);
}

void Step::stamp(PeerRecord& peer) {
    peer.modify_index = out_.index;
    out_.peers.insert(peer.number);
}

void Step::orders_change(PeerNumber peer) {
    state_.peers.at(peer).orders_index = out_.index;
    out_.orders_changed.insert(peer);
}

void Step::set_client(AllocRecord& alloc, ClientStatus status) {
    const bool ends = alloc.holds_resources() && terminal(status);
    change(alloc, [&](AllocRecord& a) {
        if (a.client != status) a.changed = state_.time;
        a.client = status;
        if (terminal(status)) a.lost_due.reset();
    });
    if (!ends) return;
    list(alloc, {});
    give_back(state_.peers.at(alloc.peer).books, alloc.ask, alloc.ports);
    vacate(alloc);
    make_room();
}

void Step::vacate(const AllocRecord& alloc) {
    const auto slot = state_.slots.find(alloc.slot);
    if (slot != state_.slots.end() && slot->second.holder == alloc.id) slot->second.holder.reset();
}

void Step::make_room() {
    room_made_ = true;
    state_.room_index = out_.index;
}

}  // namespace gaggle::ledger
