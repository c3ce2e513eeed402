// Linearizable reads without a lease (Ongaro's thesis, section 6.4: ReadIndex).
//
// A round notes the commit index, then asks every voter "am I still your leader?" with a number
// never used before in this process; a majority that answers with this number or a later one
// frees the reads that waited when the round began. Reads that come later wait for the next
// round: joining a running one gave stale reads elsewhere (etcd#20418).
#pragma once

#include <cstdint>
#include <optional>
#include <set>
#include <vector>

#include "base/ids.h"
#include "placement/raft/configuration.h"
#include "placement/raft/effects.h"

namespace gaggle::raft {

class Reads {
  public:
    void ask(std::uint64_t id) { waiting_.push_back(id); }
    std::size_t pending() const { return waiting_.size() + (round_ ? round_->ids.size() : 0); }
    bool may_start() const { return !round_ && !waiting_.empty(); }
    /// Begins a round for all that wait. Requires may_start().
    void start(std::uint64_t number, LogIndex commit, ReplicaId self);
    void answered(ReplicaId from, std::uint64_t number);
    /// The freed reads, once, when `configuration` has a majority for the round.
    std::vector<ReadReady> take_ready(const Configuration& configuration);
    /// Every read that is still waiting, oldest first.
    std::vector<std::uint64_t> take_all();

  private:
    struct Round {
        std::uint64_t number = 0;
        LogIndex index;
        std::vector<std::uint64_t> ids;
        std::set<ReplicaId> answers;
    };
    std::vector<std::uint64_t> waiting_;
    std::optional<Round> round_;
};

}  // namespace gaggle::raft
