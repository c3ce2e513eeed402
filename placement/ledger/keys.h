// What the books are indexed by, and the words that an allocation's and an evaluation's state is
// told in.
//
// A slot is one numbered place of a task group; its lineage is what lives there over time,
// whichever peer holds it. The words are Nomad's (reference/nomad.md section 2.4), so that the API
// need not translate.
#pragma once

#include <cstdint>
#include <string>
#include <tuple>

#include "base/ids.h"

namespace gaggle::ledger {

struct JobKey {
    std::string name_space = "default";
    std::string id;
    auto operator<=>(const JobKey&) const = default;
    template <class Self>
    static auto wire_fields(Self& s) {
        return std::tie(s.name_space, s.id);
    }
};

struct Slot {
    JobKey job;
    std::string group;
    std::uint32_t index = 0;
    auto operator<=>(const Slot&) const = default;
    template <class Self>
    static auto wire_fields(Self& s) {
        return std::tie(s.job, s.group, s.index);
    }
};

/// "default/redis.cache[0]", for logs and errors.
std::string to_string(const Slot& slot);

using Serial = Id<struct SerialTag>;  ///< of an invitation or of an issuer's certificate

enum class ClientStatus { pending, running, complete, failed, lost, unknown };
constexpr ClientStatus wire_last(ClientStatus) { return ClientStatus::unknown; }

enum class Desired { run, stop, evict };
constexpr Desired wire_last(Desired) { return Desired::evict; }

enum class EvalStatus { pending, blocked, complete, failed, canceled };
constexpr EvalStatus wire_last(EvalStatus) { return EvalStatus::canceled; }

enum class Trigger {
    job_register,
    job_deregister,
    node_update,
    node_drain,
    alloc_stop,
    alloc_failure,
    queued_allocs,
    preemption,
};
constexpr Trigger wire_last(Trigger) { return Trigger::preemption; }

enum class JobStatus { pending, running, dead };
constexpr JobStatus wire_last(JobStatus) { return JobStatus::dead; }

enum class PeerStatus {
    initializing,
    ready,
    down,
    expelled
};  ///< `down` is a peer that was declared lost
constexpr PeerStatus wire_last(PeerStatus) { return PeerStatus::expelled; }

/// As Nomad's API spells them: "job-register", "complete", ...
const char* to_string(ClientStatus status);
const char* to_string(Desired desired);
const char* to_string(EvalStatus status);
const char* to_string(Trigger trigger);
const char* to_string(JobStatus status);
const char* to_string(PeerStatus status);

/// No task of it runs any more, or the ledger holds it to be so (lost).
constexpr bool terminal(ClientStatus status) {
    return status == ClientStatus::complete || status == ClientStatus::failed ||
           status == ClientStatus::lost;
}
constexpr bool terminal(EvalStatus status) {
    return status != EvalStatus::pending && status != EvalStatus::blocked;
}

}  // namespace gaggle::ledger
