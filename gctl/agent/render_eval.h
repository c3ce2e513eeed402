// Evaluations as the API shows them.
#pragma once

#include "gctl/agent/json_value.h"
#include "placement/ledger/records.h"

namespace gaggle {

Value render_eval(const ledger::EvalRecord& eval);

/// As Nomad's clients list them: by creation.
void newest_first(std::vector<ledger::EvalRecord>& evals);

}  // namespace gaggle
