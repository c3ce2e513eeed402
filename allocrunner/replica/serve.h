// Answers to those who pull from here, paced.
//
// A request waits until there is bandwidth for its answer, is read from disk, and is answered; or
// is answered with Gone when the bytes are no longer those of the version. Nobody is remembered:
// whoever does not hear in time asks again. The queue is bounded, what is beyond it is dropped.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <variant>
#include <vector>

#include "allocrunner/replica/context.h"

namespace gaggle::replica {

/// A version that can be pulled from this peer, and from where.
struct Served {
    Side side = Side::source;
    Hash root;
    std::uint64_t tree_bytes = 0;
};

class Server {
  public:
    void take(Context& context, const PeerId& from, const WantTree& want, const Served& served);
    void take(Context& context, const PeerId& from, const WantBlocks& want, const Served& served);
    void on(Context& context, const TreeRead& read);
    /// The version whose blocks turned out to have changed, if any: its lineage.
    std::optional<Lineage> on(Context& context, const BlocksRead& read);
    /// Serves what waits, as far as the bandwidth goes.
    void tick(Context& context);
    std::optional<TimePoint> next_wakeup(const Config& config) const;

  private:
    struct Request {
        PeerId from;
        Lineage lineage;
        Version version;
        Served served;
        std::variant<std::uint64_t, std::vector<BlockRef>> what;  ///< offset in the tree, or blocks
    };
    void enqueue(Context& context, Request request);
    std::optional<Request> take_under_way(std::uint64_t work);

    std::deque<Request> waiting_;
    std::map<std::uint64_t, Request> under_way_;  ///< by number of the work
    TimePoint paced_until_{};
};

}  // namespace gaggle::replica
