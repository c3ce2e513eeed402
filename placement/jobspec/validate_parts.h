// The rules by part of a job; validate.cc walks the job and calls them.
//
// Each takes the path of the part that it judges and adds what is wrong to `out`. Numbers are
// bounded here once, so that sums over tasks and counts cannot overflow anywhere behind. Source:
// validation of Nomad's registration, as its reference and error messages describe it.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "placement/jobspec/diagnostic.h"
#include "placement/jobspec/job.h"

namespace gaggle {

class Findings {
  public:
    void error(const std::string& path, std::string message, std::string hint = "");
    /// The same when `good` is false.
    void check(bool good, const std::string& path, const std::string& message,
               const std::string& hint = "");
    bool any() const { return !list_.empty(); }
    std::vector<Diagnostic> take() { return std::move(list_); }

  private:
    std::vector<Diagnostic> list_;
};

bool is_one_of(const std::vector<std::string>& names, const std::string& name);

// Of one amount: MHz, MB, a count of copies of anything.
constexpr std::int64_t kAmountMax = 1'000'000'000;
constexpr std::int64_t kCountMax = 50'000;  ///< allocations of one group
constexpr std::int64_t kReplicasMax = 8;
constexpr std::size_t kListingBytesMax = 24U << 10U;  ///< names and tags of a group's services
constexpr std::size_t kNameBytesMax = 128;            ///< a task's name is part of file names

enum class Level { job, group, task };

void validate_constraints(const std::vector<Constraint>& list, Level level, const std::string& path,
                          Findings& out);
void validate_affinities(const std::vector<Affinity>& list, const std::string& path, Findings& out);
void validate_spreads(const std::vector<Spread>& list, const std::string& path, Findings& out);

void validate_restart(const RestartPolicy& policy, const std::string& path, Findings& out);
void validate_reschedule(const ReschedulePolicy& policy, JobType type, const std::string& path,
                         Findings& out);
void validate_update(const UpdateStrategy& update, const std::string& path, Findings& out);
void validate_migrate(const MigrateStrategy& migrate, const std::string& path, Findings& out);
void validate_disconnect(const DisconnectStrategy& disconnect, const std::string& path,
                         Findings& out);

void validate_networks(const std::vector<Network>& networks, const std::string& path,
                       Findings& out);
/// `task` is the one that the services stand in; empty for the group's own.
void validate_services(const std::vector<Service>& services, const TaskGroup& group,
                       const std::string& task, const std::string& path, Findings& out);
/// Of all services of a group together: what an allocation lists must fit in its record.
void validate_listing(const TaskGroup& group, const std::string& path, Findings& out);
/// Lifecycle, artifacts, templates and the payload's file.
void validate_setup(const Task& task, const std::string& path, Findings& out);
void validate_parameterized(const Job& job, Findings& out);

void validate_task(const Task& task, const TaskGroup& group, const std::string& path,
                   Findings& out);

}  // namespace gaggle
