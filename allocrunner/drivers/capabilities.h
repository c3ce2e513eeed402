// Which Linux capabilities a task keeps.
//
// A task begins with a short default list (Docker's without net_raw, as Nomad has it); cap_drop
// takes away, cap_add gives, and it may only give what the default list or the operator allows.
// Names are as in capabilities(7), in any case, with or without CAP_; "all" means all of them.
#pragma once

#include <set>
#include <string>
#include <vector>

#include "base/result.h"

namespace gaggle::allocrunner {

/// "CAP_CHOWN" ...
using Capabilities = std::set<std::string>;

const Capabilities& default_capabilities();

/// Errc::invalid for a name that is none; Errc::denied for one that is not allowed.
Result<Capabilities> capabilities_of(const std::vector<std::string>& add,
                                     const std::vector<std::string>& drop,
                                     const std::vector<std::string>& allowed);

/// Errc::invalid for a name that is none.
Result<Capabilities> named_capabilities(const std::vector<std::string>& names);

}  // namespace gaggle::allocrunner
