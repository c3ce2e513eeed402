// What a store should hold, kept in plain containers, and a seeded workload for it.
//
// The model and the store take the same batches; whatever the disk does in between, the store must
// come back as the model was after the last acknowledged batch, or after the one that was on its
// way.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/rng.h"
#include "gctl/store/store.h"
#include "tests/sim/disk.h"

namespace gaggle::store {

struct Model {
    std::optional<Membership> membership;
    raft::Restored raft;
    Keys keys;

    void apply(const Batch& batch);
    /// Empty when `loaded` is the same; else what differs.
    std::string difference(const Loaded& loaded) const;

    LogIndex last() const;
    std::uint64_t last_checksum() const;
};

Membership member(std::uint64_t replica);

/// `count` commands that may follow what `model` has, with payloads of up to `bytes_max` bytes.
std::vector<raft::Entry> next_entries(const Model& model, Rng& rng, std::size_t count,
                                      std::size_t bytes_max);

/// A batch that a raft replica and its node might ask for next.
Batch next_batch(const Model& model, Rng& rng);

const std::string kPeerPath = "/peer";

/// The store at kPeerPath of `disk`, which must open.
std::unique_ptr<Store> open_store(sim::SimDisk& disk);

/// Begins replica 1 in `store` and in the returned model.
Model begin(Store& store);

/// Writes to both; the store must accept it.
void write_both(Store& store, Model& model, const Batch& batch);

}  // namespace gaggle::store
