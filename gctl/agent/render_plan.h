// The answer to `job plan`: Nomad's, and our Placements, which say where and why.
#pragma once

#include "gctl/agent/json_value.h"
#include "gctl/node/request.h"

namespace gaggle {

/// `diff`: with the difference to the job as it is registered.
Value render_plan(const Job& wanted, const node::Planned& planned, bool diff);

/// Nomad's way to put several texts into one: "2 warning(s):\n\n* ...". Empty without any.
std::string joined_warnings(const std::vector<std::string>& warnings);

}  // namespace gaggle
