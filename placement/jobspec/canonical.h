// A draft to a job: every default of Nomad's registration filled in.
//
// Source: Nomad's job specification, and reference values of its registration (service jobs restart
// 2 times in 30 minutes and reschedule without limit, batch jobs 3 times in 24 hours and once).
#pragma once

#include "placement/jobspec/draft.h"

namespace gaggle {

/// Total: whatever the draft says, the result has no field left open. Not validated.
Job canonical(JobDraft draft);

}  // namespace gaggle
