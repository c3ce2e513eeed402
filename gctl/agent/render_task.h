// A task's state and events in Nomad's shape.
#pragma once

#include "allocrunner/alloc_status.h"
#include "gctl/agent/json_value.h"

namespace gaggle {

/// Nomad's TaskState. The many fields of an event that Nomad itself calls deprecated are filled
/// from the details, for older clients read them.
Value render_task_state(const allocrunner::TaskState& state);

/// By task; null when nothing was reported yet.
Value render_task_states(const std::map<std::string, allocrunner::TaskState>& tasks);

}  // namespace gaggle
