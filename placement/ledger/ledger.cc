#include "placement/ledger/ledger.h"

#include <algorithm>

#include "base/assert.h"
#include "placement/ledger/step.h"

namespace gaggle::ledger {

namespace {

template <class Map, class Key>
const typename Map::mapped_type* find(const Map& map, const Key& key) {
    const auto found = map.find(key);
    return found == map.end() ? nullptr : &found->second;
}

template <class Map, class Key>
const typename Map::mapped_type& find_or_none(const Map& map, const Key& key) {
    static const typename Map::mapped_type none;
    const auto* found = find(map, key);
    return found == nullptr ? none : *found;
}

}  // namespace

Ledger::Ledger() : tables_(std::make_unique<Tables>()) {}
Ledger::Ledger(std::unique_ptr<Tables> tables) : tables_(std::move(tables)) {}
Ledger::~Ledger() = default;
Ledger::Ledger(Ledger&&) noexcept = default;
Ledger& Ledger::operator=(Ledger&&) noexcept = default;

Applied Ledger::apply(LogIndex index, BytesView bytes) {
    State& state = tables_->state;
    INVARIANT(index > state.applied);  // an entry applied twice would be two entries
    Applied out;
    out.index = index;
    const auto command = decode_command(bytes);
    if (!command.ok()) {
        out.upgrade_needed = true;
        out.why = command.error().detail;
        return out;
    }
    if (const auto* raise = std::get_if<RaiseFeatureLevel>(&command->what);
        raise && raise->level > kFeatureLevel) {
        out.upgrade_needed = true;
        out.why = "the region now needs feature level " + std::to_string(raise->level) +
                  ", this version knows " + std::to_string(kFeatureLevel);
        return out;
    }
    state.applied = index;
    state.time = std::max(state.time, command->now);
    Step step(*tables_, command->wall, out);
    step.pass_time();
    step.on(command->what);
    step.finish();
    return out;
}

PeerOrders Ledger::orders_for(PeerNumber number) const {
    PeerOrders orders;
    orders.epoch = tables_->state.epoch;
    orders.index = tables_->state.applied;
    const PeerRecord* record = peer(number);
    if (record == nullptr) return orders;
    orders.change_index = record->orders_index;
    orders.collected = tables_->state.collected;
    std::set<std::pair<JobKey, std::uint64_t>> jobs;
    for (const AllocId& id : allocs_on(number)) {
        const AllocRecord& known = tables_->state.allocs.at(id);
        if (known.settled) continue;
        AllocRecord order = known;
        order.status.clear();
        order.explanation.clear();
        order.services = {};
        jobs.emplace(order.slot.job, order.job_version);
        orders.allocs.push_back(std::move(order));
    }
    for (const auto& [key, version] : jobs)
        if (const JobVersion* kept = job_version(key, version))
            orders.jobs.emplace_back(key, *kept);
    return orders;
}

std::optional<LogTime> Ledger::next_deadline() const {
    std::optional<LogTime> next;
    const auto sooner = [&](LogTime when) { next = next ? std::min(*next, when) : when; };
    const Indexes& indexes = tables_->indexes;
    if (!indexes.lost_due.empty()) sooner(indexes.lost_due.begin()->first);
    if (!indexes.eval_due.empty()) sooner(indexes.eval_due.begin()->first);
    if (!indexes.rest_due.empty()) sooner(indexes.rest_due.begin()->first);
    if (tables_->state.collecting) sooner(tables_->state.time);
    return next;
}

LogIndex Ledger::table_index(Table table) const {
    const TableIndexes& indexes = tables_->state.tables;
    switch (table) {
        case Table::jobs: return indexes.jobs;
        case Table::allocs: return indexes.allocs;
        case Table::evals: return indexes.evals;
        case Table::peers: return indexes.peers;
        case Table::services: return indexes.services;
    }
    return {};
}

const JobVersion* Ledger::job_version(const JobKey& key, std::uint64_t version) const {
    const JobRecord* record = job(key);
    return record == nullptr ? nullptr : find(record->versions, version);
}

const PeerRecord* Ledger::peer(const PeerId& id) const {
    const PeerNumber* number = find(tables_->indexes.numbers, id);
    return number == nullptr ? nullptr : peer(*number);
}

bool Ledger::founded() const { return !tables_->state.region.empty(); }
RegionId Ledger::region() const { return tables_->state.region; }
const std::string& Ledger::region_name() const { return tables_->state.region_name; }
Epoch Ledger::epoch() const { return tables_->state.epoch; }
const Policy& Ledger::policy() const { return tables_->state.policy; }
LogIndex Ledger::applied() const { return tables_->state.applied; }
LogTime Ledger::time() const { return tables_->state.time; }

const std::map<JobKey, JobRecord>& Ledger::jobs() const { return tables_->state.jobs; }
const std::map<AllocId, AllocRecord>& Ledger::allocs() const { return tables_->state.allocs; }
const std::map<EvalId, EvalRecord>& Ledger::evals() const { return tables_->state.evals; }
const std::map<PeerNumber, PeerRecord>& Ledger::peers() const { return tables_->state.peers; }
const std::map<Slot, SlotRecord>& Ledger::slots() const { return tables_->state.slots; }

const JobRecord* Ledger::job(const JobKey& key) const { return find(tables_->state.jobs, key); }
const AllocRecord* Ledger::alloc(const AllocId& id) const {
    return find(tables_->state.allocs, id);
}
const EvalRecord* Ledger::eval(const EvalId& id) const { return find(tables_->state.evals, id); }
const PeerRecord* Ledger::peer(PeerNumber number) const {
    return find(tables_->state.peers, number);
}
const SlotRecord* Ledger::slot(const Slot& slot) const { return find(tables_->state.slots, slot); }

const std::set<AllocId>& Ledger::allocs_of(const JobKey& key) const {
    return find_or_none(tables_->indexes.allocs_of, key);
}
const std::set<AllocId>& Ledger::allocs_on(PeerNumber peer) const {
    return find_or_none(tables_->indexes.allocs_on, peer);
}
const std::set<EvalId>& Ledger::evals_of(const JobKey& key) const {
    return find_or_none(tables_->indexes.evals_of, key);
}
const std::set<EvalId>& Ledger::workable() const { return tables_->indexes.workable; }
bool Ledger::revoked(const Serial& serial) const { return tables_->state.revoked.contains(serial); }
const std::map<PeerId, Bytes>& Ledger::expulsions() const { return tables_->state.expulsions; }

std::optional<std::string> Ledger::contradiction() const { return ledger::contradiction(*tables_); }

}  // namespace gaggle::ledger
