// What a job's tasks ask for that no peer could do: judged before anybody runs them.
//
// A driver's `config` is judged by the driver's own rules, and templates are parsed, so that a
// mistake is told when the job is submitted and not by tasks that fail. What a peer fills in
// (`${...}`) is judged there: an option with such a value is only asked for by name here.
#pragma once

#include <vector>

#include "placement/jobspec/diagnostic.h"
#include "placement/jobspec/job.h"

namespace gaggle::allocrunner {

/// With `path`, but without file, line and column. A driver that this version does not know is a
/// warning: a peer of a newer one may have it.
std::vector<Diagnostic> objections_to(const Job& job);

}  // namespace gaggle::allocrunner
