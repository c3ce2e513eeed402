// A task of an order as its driver and its set-up get it: interpolated, with its environment.
#pragma once

#include <map>
#include <optional>
#include <string>

#include "allocrunner/drivers/task_spec.h"
#include "allocrunner/network/alloc_network.h"
#include "allocrunner/order.h"
#include "allocrunner/setup/task_set_up.h"
#include "base/result.h"

namespace gaggle::allocrunner {

/// Why this task can never be started, whatever the machine.
std::optional<std::string> objection(const Task& task);

/// All that a task is described by, on this peer. References are valid for one step only.
struct TaskPlan {
    const Host& host;
    const Order& order;
    const Task& task;
    const std::optional<AllocNetwork>& network;
    const std::map<std::string, std::string>& added_env;  ///< by its set-up; wins
};

/// Errc::invalid when the driver refuses the task's config.
Result<TaskSpec> spec_of(const TaskPlan& plan);

TaskSetUp set_up_of(const TaskPlan& plan);

}  // namespace gaggle::allocrunner
