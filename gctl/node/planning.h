// From the ledger's words to the scheduler's: the two folders do not know each other.
#pragma once

#include <map>
#include <vector>

#include "gctl/node/query.h"
#include "placement/ledger/claim.h"
#include "placement/scheduler/plan.h"

namespace gaggle::node {

/// What plan() is told about one job. Refers to its arguments, which must outlive it.
class PlanningInput {
  public:
    /// `wanted` is registered with the plan; nullptr plans the job as it is. At least one is given.
    PlanningInput(const Job* wanted, const ledger::JobRecord* present, const Answer& state);

    const Job& job() const { return *job_; }
    std::uint64_t version() const { return version_; }
    bool stopped() const { return stopped_; }
    const std::vector<ExistingAlloc>& existing() const { return existing_; }
    const std::map<std::uint64_t, const Job*>& versions() const { return versions_; }
    const std::map<GroupSlot, std::map<PeerNumber, double>>& holders() const { return holders_; }
    const std::map<GroupSlot, PeerNumber>& previous() const { return previous_; }

  private:
    const Job* job_ = nullptr;
    std::uint64_t version_ = 0;
    bool stopped_ = false;
    std::vector<ExistingAlloc> existing_;
    std::map<std::uint64_t, const Job*> versions_;
    std::map<GroupSlot, std::map<PeerNumber, double>> holders_;
    std::map<GroupSlot, PeerNumber> previous_;
};

ExistingAlloc existing_from(const ledger::AllocRecord& alloc);

/// How an evaluation ends when all claims of this plan are accepted.
ledger::EvalEnd eval_end(const Plan& plan, const Answer& state);

}  // namespace gaggle::node
