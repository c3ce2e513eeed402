// A parameterized job runs nothing itself: each dispatch makes a job of its own from it.
//
// The child is a copy with the payload, the meta and the parent's id in it; from then on it is a
// job like any other. Rules, ids and words are Nomad's (reference/nomad.md section 1.1).
#pragma once

#include <cstdint>
#include <string>

#include "base/result.h"
#include "base/time.h"
#include "placement/jobspec/job.h"

namespace gaggle {

constexpr std::size_t kPayloadBytesMax = 16U << 10U;

/// Runs only by way of its children.
inline bool waits_for_dispatch(const Job& job) { return job.parameterized && job.parent.empty(); }

struct Dispatch {
    std::string payload;    ///< any bytes
    Meta meta;              ///< only keys that the job allows
    std::string id_prefix;  ///< goes between the parent's id and the rest; may be empty
};

/// "parent/dispatch-1700000000-1f0c3a52", with `unique` as the last part.
std::string dispatched_id(const Job& parent, const Dispatch& dispatch, WallTime now,
                          std::uint32_t unique);

/// The child, of that id. Errc::invalid when the job is not parameterized, or asks for another
/// payload or other meta.
Result<Job> dispatched(const Job& parent, const Dispatch& dispatch, std::string id);

}  // namespace gaggle
