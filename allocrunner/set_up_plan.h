// What the core asks for, as the folder setup carries it out: every `${...}` replaced.
#pragma once

#include "allocrunner/effects.h"
#include "allocrunner/setup/plan.h"

namespace gaggle::allocrunner {

/// Interpolated as in Nomad: of an artifact its source, destination, options and headers; of a
/// template its source and destination (its text has the function env); the payload's file.
setup::Plan set_up_plan(const SetUpTask& work);

}  // namespace gaggle::allocrunner
