// What an earlier agent left: allocations on disk, tasks that live, and how the others ended.
//
// All supervisors are asked at once, so that together they cost the agent's start one patience. Who
// answers, or is there and does not, is watched from then on; after a task whose supervisor is gone
// is cleared up, as work of its allocation, for what is to be asked for that may hang.
#pragma once

#include <functional>
#include <string>

#include "allocrunner/input.h"
#include "allocrunner/task_links.h"

namespace gaggle::allocrunner {

/// What the one who takes over does with what it finds.
struct TakeOver {
    std::string alloc_root;
    TaskLinks& links;
    std::function<void(const Order&)> order_found;        ///< before its tasks
    std::function<void(const AllocId&)> task_lives;       ///< some task of it
    std::function<void(const TaskPlace&)> task_vanished;  ///< without a word how it ended
};

/// Blocks, but not on anything that may hang: 1 s at most for supervisors that do not answer.
Recovered take_over(const TakeOver& hands);

}  // namespace gaggle::allocrunner
