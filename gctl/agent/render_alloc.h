// Allocations as the API shows them, with what they need of jobs and peers around them.
//
// The ledger's record knows numbers; people and clients want the job as it was when it was placed,
// the node's id and name, and the tasks' last events. All of that is in the answer that the record
// came with.
#pragma once

#include <map>
#include <string>
#include <utility>
#include <vector>

#include "gctl/agent/json_value.h"
#include "gctl/node/query.h"

namespace gaggle {

/// Ours: what each holder says of its copy. `now` gives the ages; a holder that did not answer has
/// none.
Value render_copies(const std::vector<node::CopyState>& copies, WallTime now);

class AllocRenderer {
  public:
    /// `answer` must outlive the renderer.
    explicit AllocRenderer(const node::Answer& answer);

    struct StubParts {
        bool resources = false;
        bool task_states = true;
    };
    /// Nomad's AllocListStub.
    Value stub(const ledger::AllocRecord& alloc, StubParts parts) const;
    /// Nomad's Allocation, its job embedded.
    Value full(const ledger::AllocRecord& alloc);
    /// The job as it was when it was placed, or the newest; nullptr when it is not in the answer.
    const Job* job_of(const ledger::AllocRecord& alloc) const;

  private:
    const ledger::JobRecord* record_of(const ledger::AllocRecord& alloc) const;
    const ledger::PeerRecord* peer_of(PeerNumber number) const;
    Value job_value(const ledger::AllocRecord& alloc);
    Object common(const ledger::AllocRecord& alloc) const;
    Value reschedules(const ledger::AllocRecord& alloc) const;

    std::map<ledger::JobKey, const ledger::JobRecord*> jobs_;
    std::map<PeerNumber, const ledger::PeerRecord*> peers_;
    std::map<std::pair<ledger::JobKey, std::uint64_t>, Value> rendered_jobs_;
};

/// Newest first, as Nomad's clients list them: by creation.
void newest_first(std::vector<ledger::AllocRecord>& allocs);

}  // namespace gaggle
