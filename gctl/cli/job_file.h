// A job file from the command line: read, parsed, and its errors shown where they are.
#pragma once

#include "gctl/cli/context.h"
#include "placement/jobspec/jobspec.h"

namespace gaggle::cli {

/// What was read, by the names that diagnostics call it.
using Texts = std::map<std::string, std::string>;

/// Reads the file and its variables and parses them. `not_found` and the like when a file cannot be
/// read; what is wrong inside is in the value's diagnostics.
struct ReadJob {
    Texts texts;
    Parsed parsed;
};
Result<ReadJob> read_job(const JobFile& file, const Context& context);

/// The job, with warnings shown on standard error; or all its errors shown there, and an Error that
/// counts them.
Result<Job> valid_job(const JobFile& file, const Context& context);

/// Each finding with its place, its line of the text, a mark under the column, and the hint.
std::string diagnostics_text(const Console& console, const std::vector<Diagnostic>& diagnostics,
                             const Texts& texts);

}  // namespace gaggle::cli
