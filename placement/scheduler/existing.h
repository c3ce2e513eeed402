// An allocation of the job as the planner needs to know it; the node makes these from the ledger's
// records.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/ids.h"
#include "base/time.h"

namespace gaggle {

/// One earlier replacement of a failed allocation, as Nomad's RescheduleTracker keeps it.
struct RescheduleAttempt {
    LogTime at;
    PeerNumber peer;    ///< where the allocation failed that was replaced then
    Duration delay{0};  ///< how long that replacement waited
    bool operator==(const RescheduleAttempt&) const = default;
    template <class Self>
    static auto wire_fields(Self& s) {
        return std::tie(s.at, s.peer, s.delay);
    }
};

struct ExistingAlloc {
    enum class Desired { run, stop };  ///< Nomad's evict is a stop here
    enum class Client { pending, running, complete, failed, lost, unknown };

    AllocId id;
    std::string group;
    std::uint32_t index = 0;  ///< of its slot
    PeerNumber peer;
    std::uint64_t job_version = 0;
    Desired desired = Desired::run;
    Client client = Client::pending;
    bool lost = false;      ///< its peer was declared lost, so the tasks cannot be reached
    bool migrate = false;   ///< a drain or a user asks that it moves
    bool replaced = false;  ///< has a successor already
    bool for_good = false;  ///< failed so that no policy replaces it
    std::optional<LogTime> failed_at;  ///< when the last task failed; only with Client::failed
    std::vector<RescheduleAttempt> reschedules;  ///< along the chain of predecessors, oldest first

    bool terminal() const {
        return client == Client::complete || client == Client::failed || client == Client::lost;
    }
};

}  // namespace gaggle
