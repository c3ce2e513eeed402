// A job file, as people write it, to a Job.
//
// The language is HCL2 as Nomad uses it: blocks, attributes, expressions over `var`, and every
// other reference (`attr.*`, `node.*`, `NOMAD_*`, ...) kept as its source text in `${}` for the
// peer that runs the task. A text that begins with `{` is the API's JSON instead. Nothing here
// reads a file or the environment: texts come in, a job or all its errors go out. Functions,
// `locals`, `dynamic`, for-expressions and `%{}` directives are refused by name in this version.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "placement/jobspec/diagnostic.h"
#include "placement/jobspec/job.h"
#include "placement/jobspec/job_api.h"
#include "placement/jobspec/validate.h"

namespace gaggle {

constexpr std::size_t kJobSourceBytesMax = 1U << 20U;
/// Nesting of blocks and expressions together.
constexpr std::size_t kJobNestingMax = 64;

/// The text of one `-var-file`: `name = value` lines, or one JSON object.
struct VariableFile {
    std::string name;
    std::string text;
};

/// Where the values of `variable` blocks come from; a later line here wins over an earlier one, and
/// all win over `default`.
struct VariableInputs {
    std::map<std::string, std::string>
        environment;                  ///< by full name, NOMAD_VAR_<name>; others ignored
    std::vector<VariableFile> files;  ///< in the order given
    std::map<std::string, std::string> arguments;  ///< -var name=value
};

struct Parsed {
    std::optional<Job> job;               ///< canonical and valid; nothing when there is any error
    std::vector<Diagnostic> diagnostics;  ///< by position; warnings too
};

/// What else is wrong with a canonical job, beyond validate(): findings with `path` alone.
using JobJudge = std::function<std::vector<Diagnostic>(const Job& job)>;

/// Reads, evaluates, fills in the defaults and validates, and has it judged by `also`. `file` is
/// only a name for the diagnostics.
Parsed parse_job(std::string_view source, const std::string& file,
                 const VariableInputs& inputs = {}, const JobJudge& also = {});

}  // namespace gaggle
