// Where a task stands in its group's life: Nomad's hooks, as one role per task.
//
// Prestart tasks come first: those that are to end must end well, those that are sidecars must run,
// before the main tasks start. Poststart tasks follow once every main task has started, poststop
// tasks once nothing else is left. Sidecars live as long as the main tasks.
#pragma once

#include "placement/jobspec/job.h"

namespace gaggle::allocrunner {

enum class Role { prestart, prestart_sidecar, main, poststart, poststart_sidecar, poststop };

Role role_of(const Task& task);

constexpr bool is_sidecar(Role role) {
    return role == Role::prestart_sidecar || role == Role::poststart_sidecar;
}
constexpr bool is_prestart(Role role) {
    return role == Role::prestart || role == Role::prestart_sidecar;
}
constexpr bool is_poststart(Role role) {
    return role == Role::poststart || role == Role::poststart_sidecar;
}

/// What a task is there for: to run until it is stopped, or to do something and end with 0.
enum class Aim { to_run, to_end };
Aim aim_of(JobType type, Role role);

}  // namespace gaggle::allocrunner
