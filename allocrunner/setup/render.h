// A template of a plan: rendered, and written to its destination when its text is another one.
//
// A heavy one takes seconds. So who looks after all tasks only orders, and a worker carries out:
// the renders of one allocation one after the other, those of different ones side by side. Each is
// bounded by kTemplateWorkMax.
#pragma once

#include <memory>
#include <utility>
#include <vector>

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

/// Templates of one task that are due together.
struct RenderOrder {
    std::shared_ptr<const Plan> plan;  // shared with who watches the task
    std::uint64_t token = 0;           ///< comes back with what was made of it
    std::vector<std::size_t> which;    ///< of the plan's templates
    bool payload = false;              ///< the dispatch payload is written first
    bool each = false;                 ///< one that fails keeps no other from being rendered
    std::shared_ptr<const Catalogue> services;  // shared with who made it
};

struct RenderDone {
    TaskKey key;
    std::uint64_t token = 0;
    Result<void> payload;
    /// In the order's sequence; without `each` it ends with the first failure.
    std::vector<std::pair<std::size_t, Result<TemplateResult>>> templates;
    std::shared_ptr<const Catalogue> services;  ///< that it was made of
};

/// Blocks, for any thread.
RenderDone carry_out(const RenderOrder& order);

/// Writes the dispatch payload into the task's `local`.
Result<void> write_payload(const Plan& plan);

}  // namespace gaggle::setup
