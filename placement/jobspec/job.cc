#include "placement/jobspec/job.h"

namespace gaggle {

const char* to_string(JobType type) {
    switch (type) {
        case JobType::service: return "service";
        case JobType::batch: return "batch";
        case JobType::system: return "system";
        case JobType::sysbatch: return "sysbatch";
    }
    return "unknown";
}

std::optional<JobType> job_type(std::string_view name) {
    for (const JobType type :
         {JobType::service, JobType::batch, JobType::system, JobType::sysbatch})
        if (name == to_string(type)) return type;
    return std::nullopt;
}

const TaskGroup* find_group(const Job& job, std::string_view name) {
    for (const TaskGroup& group : job.groups)
        if (group.name == name) return &group;
    return nullptr;
}

}  // namespace gaggle
