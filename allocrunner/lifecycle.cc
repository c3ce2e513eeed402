#include "allocrunner/lifecycle.h"

namespace gaggle::allocrunner {

Role role_of(const Task& task) {
    if (!task.lifecycle) return Role::main;
    const bool sidecar = task.lifecycle->sidecar;
    switch (task.lifecycle->hook) {
        case Lifecycle::Hook::none: return Role::main;
        case Lifecycle::Hook::prestart: return sidecar ? Role::prestart_sidecar : Role::prestart;
        case Lifecycle::Hook::poststart: return sidecar ? Role::poststart_sidecar : Role::poststart;
        case Lifecycle::Hook::poststop: return Role::poststop;
    }
    return Role::main;
}

Aim aim_of(JobType type, Role role) {
    if (is_sidecar(role)) return Aim::to_run;
    if (role != Role::main) return Aim::to_end;
    return type == JobType::batch || type == JobType::sysbatch ? Aim::to_end : Aim::to_run;
}

}  // namespace gaggle::allocrunner
