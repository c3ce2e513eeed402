// What `job plan` shows: the job as it would change, line by line, and what that would do.
#pragma once

#include <string>

#include "gctl/cli/console.h"
#include "gctl/cli/model.h"

namespace gaggle::cli {

/// The tree of changes with "+", "-" and "+/-" before each line, as Nomad prints it. Unchanged
/// fields, and those of a job, group or task that is new or gone, are shown only with `verbose`.
std::string diff_text(const Console& console, const Diff& job, bool verbose);

/// Whether registering it would create, stop or replace an allocation.
bool changes_allocations(const PlanView& plan);

}  // namespace gaggle::cli
