#include "tests/gctl/store/model.h"

#include <doctest/doctest.h>

#include <algorithm>

#include "base/log.h"

namespace gaggle::store {

namespace {

/// The failures here are asked for; nobody wants to read of them.
[[maybe_unused]] const bool kQuiet = (log::set_level(log::Level::off), true);

Bytes random_bytes(Rng& rng, std::size_t count) {
    Bytes out(count);
    for (auto& byte : out) byte = static_cast<std::uint8_t>(rng.next());
    return out;
}

raft::Snapshot snapshot_at(const raft::Entry& entry, Rng& rng) {
    return {.meta = {.index = entry.index, .term = entry.term, .checksum = entry.checksum},
            .state = random_bytes(rng, rng.below(5000))};
}

/// A leader's snapshot from far ahead: nothing of the own log is left.
raft::Persist installed(const Model& model, Rng& rng) {
    raft::Entry ahead{.index = {model.last().value + 10}, .term = model.raft.hard.term};
    ahead.checksum = rng.next();
    return {.snapshot = snapshot_at(ahead, rng), .truncate_from = LogIndex{1}};
}

/// The own state machine's snapshot, with a tail of two entries left.
raft::Persist taken(const Model& model, Rng& rng) {
    const raft::Entry& at = model.raft.entries[rng.below(model.raft.entries.size())];
    if (model.raft.snapshot && at.index <= model.raft.snapshot->meta.index) return {};
    raft::Persist out{.snapshot = snapshot_at(at, rng)};
    if (at.index.value > 2) out.drop_until = LogIndex{at.index.value - 2};
    return out;
}

/// A new leader's entries overwrite the end of the log.
raft::Persist overwritten(const Model& model, Rng& rng) {
    Model shorter = model;
    const std::uint64_t floor = model.raft.snapshot ? model.raft.snapshot->meta.index.value : 0;
    const std::uint64_t from = floor + 1 + rng.below(model.last().value - floor + 1);
    raft::Persist out{.hard = raft::HardState{{model.raft.hard.term.value + 1}, {}},
                      .truncate_from = LogIndex{from}};
    shorter.apply({.raft = out, .keys = {}});
    out.append = next_entries(shorter, rng, rng.below(3), 300);
    return out;
}

}  // namespace

Membership member(std::uint64_t replica) {
    return {RegionId{{7}}, Epoch{1}, raft::ReplicaId{replica}};
}

void Model::apply(const Batch& batch) {
    if (batch.raft) {
        const raft::Persist& change = *batch.raft;
        auto& entries = raft.entries;
        if (change.hard) raft.hard = *change.hard;
        if (change.snapshot) raft.snapshot = *change.snapshot;
        if (change.truncate_from)
            std::erase_if(entries, [&](const auto& e) { return e.index >= *change.truncate_from; });
        entries.insert(entries.end(), change.append.begin(), change.append.end());
        if (change.drop_until)
            std::erase_if(entries, [&](const auto& e) { return e.index <= *change.drop_until; });
    }
    for (const auto& [name, value] : batch.keys) {
        if (value)
            keys[name] = *value;
        else
            keys.erase(name);
    }
}

std::string Model::difference(const Loaded& loaded) const {
    if (loaded.amnesia) return "amnesia: " + *loaded.amnesia;
    if (loaded.membership != membership) return "membership";
    if (loaded.raft.hard != raft.hard) return "hard state";
    if (loaded.raft.snapshot != raft.snapshot) return "snapshot";
    if (loaded.raft.entries != raft.entries)
        return "entries: " + std::to_string(loaded.raft.entries.size()) + " where " +
               std::to_string(raft.entries.size()) + " were expected";
    return loaded.keys == keys ? "" : "keys";
}

LogIndex Model::last() const {
    if (!raft.entries.empty()) return raft.entries.back().index;
    return raft.snapshot ? raft.snapshot->meta.index : LogIndex{};
}

std::uint64_t Model::last_checksum() const {
    if (!raft.entries.empty()) return raft.entries.back().checksum;
    return raft.snapshot ? raft.snapshot->meta.checksum : 0;
}

std::vector<raft::Entry> next_entries(const Model& model, Rng& rng, std::size_t count,
                                      std::size_t bytes_max) {
    std::vector<raft::Entry> out;
    std::uint64_t index = model.last().value, previous = model.last_checksum();
    for (; count > 0; --count) {
        raft::Entry entry{.index = {++index},
                          .term = model.raft.hard.term,
                          .kind = raft::EntryKind::command,
                          .payload = random_bytes(rng, rng.below(bytes_max + 1))};
        previous = entry.checksum = raft::chained(previous, entry);
        out.push_back(std::move(entry));
    }
    return out;
}

Batch next_batch(const Model& model, Rng& rng) {
    Batch out;
    switch (rng.below(10)) {
        case 0: out.raft = overwritten(model, rng); break;
        case 1:
            out.raft = raft::Persist{
                .hard = raft::HardState{{model.raft.hard.term.value + 1}, raft::ReplicaId{2}}};
            break;
        case 2:
            if (!model.raft.entries.empty()) out.raft = taken(model, rng);
            break;
        case 3:
            if (rng.chance(0.3)) out.raft = installed(model, rng);
            break;
        case 4: out.raft = raft::Persist{.append = next_entries(model, rng, 2, 200'000)}; break;
        default:
            out.raft = raft::Persist{.append = next_entries(model, rng, 1 + rng.below(4), 2000)};
            break;
    }
    if (rng.chance(0.3)) out.keys["orders"] = random_bytes(rng, rng.below(400));
    if (rng.chance(0.1)) out.keys["roster"] = std::nullopt;
    if (rng.chance(0.1)) out.keys["roster"] = random_bytes(rng, 30);
    return out;
}

std::unique_ptr<Store> open_store(sim::SimDisk& disk) {
    auto store = Store::open(kPeerPath, {.disk = &disk});
    REQUIRE_MESSAGE(store.ok(), store.error().detail);
    return std::move(*store);
}

Model begin(Store& store) {
    Model model{.membership = member(1), .raft = {.hard = {.term = {1}}}};
    REQUIRE(store.begin_replica(member(1), model.raft, {}).ok());
    return model;
}

void write_both(Store& store, Model& model, const Batch& batch) {
    const auto written = store.write(batch);
    REQUIRE_MESSAGE(written.ok(), written.error().detail);
    model.apply(batch);
}

}  // namespace gaggle::store
