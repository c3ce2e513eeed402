// Is this job one that can run? Nomad's rules for a registration, as far as users meet them, and
// ours.
//
// The parsers already refuse what they do not know; here stand the rules between values: names that
// must be unique, limits, what does not go with what. A job from HCL and one from JSON are judged
// alike.
#pragma once

#include <vector>

#include "placement/jobspec/diagnostic.h"
#include "placement/jobspec/job.h"

namespace gaggle {

/// All that is wrong with `job`, in its order, with `path` but without file, line and column. A job
/// without errors may be registered. Whether a driver or a node exists is not judged here.
std::vector<Diagnostic> validate(const Job& job);

}  // namespace gaggle
