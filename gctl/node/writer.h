// One durable write at a time: what Raft and the node's parts want on disk, put together.
//
// While a write is on its way, wishes gather, and the next write takes them all: that is the whole
// group commit, without a timer. Raft itself asks for at most one write at a time. Named keys are
// the node's own durable things; a newer value replaces one that waits.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "gctl/node/outbox.h"

namespace gaggle::node {

class Writer {
  public:
    using Then = std::function<void(Now, Outbox&)>;

    void raft(raft::Persist persist);
    /// Forgets an old replica and starts an empty one, in a write of its own; then `then`.
    void begin_replica(raft::ReplicaId replica, Then then);
    /// `then` is called once the value, or a newer one of the same key, is durable.
    void put(std::string key, std::optional<Bytes> value, Then then = nullptr);

    /// Starts the next write unless one is on its way. To be called at the end of each step.
    void pump(Outbox& out);

    struct Finished {
        std::optional<std::uint64_t> raft_token;
        std::vector<Then> then;
    };
    /// Requires the token of the write on its way.
    Finished stored(std::uint64_t token);
    /// The store has failed: nothing is written any more.
    void fail() { failed_ = true; }
    bool failed() const { return failed_; }

  private:
    std::optional<raft::ReplicaId> begin_;
    std::optional<raft::Persist> raft_;
    std::map<std::string, std::optional<Bytes>> keys_;
    std::vector<Then> begin_then_, then_;
    std::uint64_t next_ = 1;
    std::optional<std::uint64_t> under_way_;
    Finished waiting_;  ///< what the write on its way will finish
    bool failed_ = false;
};

}  // namespace gaggle::node
