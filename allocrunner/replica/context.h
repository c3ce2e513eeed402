// What a handler needs during one step, and the limits of all that a peer does about copies.
// References are valid for that step only.
#pragma once

#include <cstdint>
#include <utility>

#include "allocrunner/replica/io.h"
#include "base/time.h"

namespace gaggle::replica {

struct Config {
    // --- source
    Duration idle_period = 5s;  ///< least time between scans once nothing has changed for a while
    Duration idle_after = 10s;  ///< that while
    std::int64_t scan_share = 20;  ///< a scan that took t is followed by a pause of at least 20 t
    Duration patience = 10s;       ///< how long a scan waits for holders that are still pulling
    Duration pulling_for = 3s;     ///< a holder that asked this recently is pulling
    Duration announce_wait_min = 1s;  ///< until an announcement without an answer is repeated
    Duration announce_wait_max = 8s;
    std::size_t holders_max = 8;  ///< of one lineage
    // --- serving
    std::uint64_t bytes_per_second = std::uint64_t{64} << 20U;  ///< read and sent, all lineages
    Duration burst = 50ms;            ///< how far serving may run ahead of that
    std::size_t reads_max = 32;       ///< under way at a time
    std::size_t requests_max = 1024;  ///< waiting; more are dropped and asked for again
    // --- holder
    std::size_t lineages_max = 4096;  ///< held here, and as many that run here
    std::size_t pulls_max = 8;        ///< at a time; others wait for their next announcement
    std::uint64_t bytes_max = std::uint64_t{256} << 30U;  ///< of content of all copies held here
    std::size_t window = 16;        ///< blocks asked for or being staged, per pull
    Duration answer_wait_min = 2s;  ///< until a request is repeated; doubles up to the maximum
    Duration answer_wait_max = 16s;
    Duration give_up = 60s;           ///< a pull without any progress for so long ends
    Duration rest = 10s;              ///< after a pull failed here
    std::size_t bad_blocks_max = 64;  ///< of one pull, before its giver is called damaged
    // --- fetch
    std::size_t fetch_peers_max = 1024;  ///< asked for one lineage; a question is 100 bytes
    Duration ask_wait = 1s;              ///< for answers of all peers, before the best is taken
    std::int64_t ask_rounds_max = 20;
};

struct Context {
    TimePoint now;
    const Config& config;
    const Keys& keys;
    const PeerId& self;
    std::uint64_t& last_work;
    Effects& out;

    template <class What>
    void send(const PeerId& to, What what) {
        out.sends.push_back({to, encode_message(std::move(what))});
    }
    /// Asks for a piece of work and gives the number that its result will carry.
    template <class What>
    std::uint64_t begin(What what) {
        what.work = ++last_work;
        out.work.push_back(std::move(what));
        return last_work;
    }
    template <class What>
    void tell(What what) {
        out.events.push_back(std::move(what));
    }
};

/// The earlier of the two; nothing counts as never.
inline void sooner(std::optional<TimePoint>& best, std::optional<TimePoint> other) {
    if (other && (!best || *other < *best)) best = other;
}

}  // namespace gaggle::replica
