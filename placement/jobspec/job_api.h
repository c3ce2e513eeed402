// A job in the words of Nomad's HTTP API: CamelCase names, nanoseconds, null for what is not there.
//
// The names are those of `GET /v1/job/:id` of Nomad 1.1.2, plus newer ones for what we run
// (NodePool, Disconnect, service providers). EphemeralDisk.Replicas is ours.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.h"
#include "base/time.h"
#include "placement/jobspec/job.h"
#include "placement/jobspec/value.h"

namespace gaggle {

/// What the ledger knows of a registered job beside its content.
struct JobMeta {
    std::string status = "pending";  ///< pending, running or dead
    std::uint64_t version = 0;
    bool stable = false;
    bool stop = false;
    std::uint64_t create_index = 0;
    std::uint64_t modify_index = 0;
    std::uint64_t job_modify_index = 0;
    WallTime submit_time;
};

/// Reads `{"Job": {...}}` or the bare job. Fields that the API does not know are ignored; what is
/// Nomad's and not run here yet is refused by name. The job is canonical but not validated.
/// Errc::invalid with every problem and its path ("TaskGroups[0].Tasks[1].KillTimeout: ...").
Result<Job> job_from_api_json(std::string_view text);
/// The same from a value that was read already.
Result<Job> job_from_api_value(const Value& value);

/// The bare job object. Without `meta` it is what one submits: no status, no indexes. A dispatched
/// job shows its parent and payload, which nobody can submit.
std::string job_to_api_json(const Job& job, const JobMeta* meta = nullptr);
/// The same as a value, to be part of a larger answer.
Value job_to_api_value(const Job& job, const JobMeta* meta = nullptr);

}  // namespace gaggle
