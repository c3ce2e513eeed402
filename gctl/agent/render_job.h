// Registered jobs as the API shows them: whole, as a line of a list, as counts.
#pragma once

#include "gctl/agent/json_value.h"
#include "gctl/node/query.h"
#include "placement/jobspec/job_api.h"
#include "placement/ledger/records.h"

namespace gaggle {

/// What the ledger knows of this version of the job beside its content.
JobMeta job_meta(const ledger::JobRecord& record, const ledger::JobVersion& version);
Value render_job(const ledger::JobRecord& record, const ledger::JobVersion& version);

/// Nomad's JobListStub of a job of the answer.
Value render_job_stub(const ledger::JobRecord& record, const node::Answer& answer);
/// Nomad's JobSummary; each group of the newest version is there, with zeros at least. Unlike
/// Nomad's, `Children` does not count dead ones that were collected.
Value render_job_summary(const ledger::JobRecord& record, const node::Answer& answer);

}  // namespace gaggle
