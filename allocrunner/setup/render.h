// A template of a plan: rendered, and written to its destination when its text is another one.
#pragma once

#include "allocrunner/setup/beneath_posix.h"
#include "allocrunner/setup/catalogue.h"
#include "allocrunner/setup/plan.h"
#include "allocrunner/setup/text_template.h"

namespace gaggle::setup {

struct TemplateResult {
    TemplateNeeds needs;
    bool changed = false;                    ///< the file had another text, or was not there
    std::map<std::string, std::string> env;  ///< of a template with env = true
};

/// Reads the template's source where it has one, files that it asks for, and the file that is
/// there. Blocks. The error names the template by its destination.
Result<TemplateResult> render_template(const Plan& plan, const Template& what,
                                       const Catalogue& catalogue, WallTime now);

/// Writes the dispatch payload into the task's `local`.
Result<void> write_payload(const Plan& plan);

}  // namespace gaggle::setup
