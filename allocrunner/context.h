// What a handler needs during one step. References are valid for that step only.
#pragma once

#include "allocrunner/effects.h"
#include "allocrunner/order.h"
#include "base/rng.h"
#include "base/time.h"

namespace gaggle::allocrunner {

struct Context {
    TimePoint now;
    WallTime wall;
    const Host& host;
    Rng& rng;
    Effects& out;
};

}  // namespace gaggle::allocrunner
