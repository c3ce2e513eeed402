// The environment of a task: NOMAD_* variables, metadata, the agent's own environment, the task's
// `env`.
//
// Names and their order of precedence are Nomad's (reference: task environment): built-ins, then
// meta, then the host's environment where the name is still free, then the task's `env`,
// interpolated. Nomad's variable names are kept so that jobs written for it run unchanged; a few of
// ours start with GAGGLE_.
#pragma once

#include <map>
#include <optional>
#include <string>

#include "allocrunner/network/alloc_network.h"
#include "allocrunner/order.h"
#include "allocrunner/setup/task_set_up.h"

namespace gaggle::allocrunner {

/// For a driver without a root of its own: paths of the host.
TaskDirs task_dirs(const Host& host, const AllocId& alloc, const std::string& task);

/// For a driver whose tasks have a root of their own.
TaskDirs inside_dirs();

using Environment = std::map<std::string, std::string>;

/// Complete, for `task` of `order`. `network`: what its allocation has of its own, if anything.
Environment task_environment(const Host& host, const Order& order, const Task& task,
                             const TaskDirs& dirs, const std::optional<AllocNetwork>& network);

/// The values behind ${...} in the other strings of a task: its environment (plain and as
/// env.NAME), node.*, attr.*, meta.*.
std::map<std::string, std::string> interpolation_names(const Host& host,
                                                       const Environment& environment);

}  // namespace gaggle::allocrunner
