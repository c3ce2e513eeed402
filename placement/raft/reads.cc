#include "placement/raft/reads.h"

#include <utility>

#include "base/assert.h"
#include "placement/raft/quorum.h"

namespace gaggle::raft {

void Reads::start(std::uint64_t number, LogIndex commit, ReplicaId self) {
    INVARIANT(may_start());
    round_ = Round{
        .number = number, .index = commit, .ids = std::exchange(waiting_, {}), .answers = {self}};
}

void Reads::answered(ReplicaId from, std::uint64_t number) {
    if (round_ && number >= round_->number) round_->answers.insert(from);
}

std::vector<ReadReady> Reads::take_ready(const Configuration& configuration) {
    if (!round_ || !majority(configuration, round_->answers)) return {};
    std::vector<ReadReady> out;
    for (const std::uint64_t id : round_->ids) out.push_back({id, round_->index});
    round_.reset();
    return out;
}

std::vector<std::uint64_t> Reads::take_all() {
    std::vector<std::uint64_t> out = round_ ? std::move(round_->ids) : std::vector<std::uint64_t>{};
    out.insert(out.end(), waiting_.begin(), waiting_.end());
    round_.reset();
    waiting_.clear();
    return out;
}

}  // namespace gaggle::raft
