// `variable` blocks and the values that were given for them.
//
// Each value comes from one of four places, the last wins: `default`, environment, -var-file in the
// order given, -var. A text is read as HCL where the type is no string and no number, as Nomad does
// it.
#pragma once

#include "placement/jobspec/hcl_ast.h"
#include "placement/jobspec/hcl_eval.h"
#include "placement/jobspec/jobspec.h"

namespace gaggle {

/// What `var` names in this file. Errors in the file go to `diagnostics`; those in the inputs to
/// `elsewhere`, with the name of the file or option they came from.
hcl::Scope resolve_variables(const hcl::Body& file, const VariableInputs& inputs,
                             Diagnostics& diagnostics, std::vector<Diagnostic>& elsewhere);

}  // namespace gaggle
