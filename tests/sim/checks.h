// What must hold after every step, whatever the adversary does (DESIGN section 1, promise 2).
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>

#include "tests/sim/peer.h"

namespace gaggle::sim {

class Checks {
  public:
    /// The first broken promise, or nothing. Looks at what the peer's step may have changed.
    std::optional<std::string> after_step(const World& world, std::size_t place);

    /// A replica begins with this log.
    std::optional<std::string> began(std::size_t place, const raft::Restored& found);
    /// A replica gives this to its disk.
    std::optional<std::string> wrote(const World& world, std::size_t place,
                                     const raft::Persist& write);

    /// A client was told that this job is registered at this index.
    void acknowledged(const ledger::JobKey& job, LogIndex index, bool stopped);
    /// At the end, with everything healed: nothing acknowledged is missing, everybody agrees, and
    /// what should run runs once. Empty when all is well; else what is still wrong.
    std::optional<std::string> at_rest(const World& world) const;

    LogIndex newest() const { return newest_; }
    std::uint64_t checked() const { return checked_; }

  private:
    std::optional<std::string> copies_at_rest(const World& world,
                                              const ledger::Ledger& ledger) const;
    std::optional<std::string> room(const World& world, std::size_t place);
    std::optional<std::string> one_leader(const World& world, std::size_t place);
    std::optional<std::string> same_log(const World& world, std::size_t place);
    std::optional<std::string> sound_books(const World& world, std::size_t place, bool first);
    std::optional<std::string> matches(std::size_t place, const raft::Entry& entry);
    std::optional<std::string> voters_at_rest(const World& world, const node::Node& leader) const;
    std::optional<std::string> jobs_at_rest(const ledger::Ledger& ledger) const;
    std::optional<std::string> tasks_at_rest(const World& world, const Peer& peer,
                                             const ledger::Ledger& ledger) const;

    std::map<Term, std::size_t> leaders_;
    std::map<LogIndex, std::uint64_t> log_;     ///< chained checksum at each applied index
    std::map<LogIndex, std::uint64_t> states_;  ///< of the whole ledger, at some indexes
    std::map<std::size_t, LogIndex> seen_;
    std::map<std::size_t, std::uint64_t> started_;                ///< tasks, by peer
    std::map<std::pair<LogIndex, Term>, std::uint64_t> entries_;  ///< of all logs, also uncommitted
    std::map<std::size_t, std::map<LogIndex, std::uint64_t>> logs_;  ///< checksums, as on disk
    LogIndex newest_;
    std::uint64_t checked_ = 0;
    struct Promise {
        LogIndex index;
        bool stopped = false;
    };
    std::map<ledger::JobKey, Promise> promises_;
};

}  // namespace gaggle::sim
