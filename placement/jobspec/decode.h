// A `job` block to a draft of a job.
#pragma once

#include <map>
#include <string>

#include "placement/jobspec/draft.h"
#include "placement/jobspec/hcl_ast.h"
#include "placement/jobspec/hcl_eval.h"

namespace gaggle {

/// Reports all that does not belong; the draft then is what could be read.
/// `positions` receives where each block and attribute stands, by its path
/// ("job.group.cache.count").
JobDraft decode_job(const hcl::Block& block, const hcl::Scope& scope, Diagnostics& diagnostics,
                    std::map<std::string, Position>& positions);

}  // namespace gaggle
