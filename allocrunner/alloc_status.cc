#include "allocrunner/alloc_status.h"

#include <algorithm>

namespace gaggle::allocrunner {

const char* to_string(ClientStatus status) {
    switch (status) {
        case ClientStatus::pending: return "pending";
        case ClientStatus::running: return "running";
        case ClientStatus::complete: return "complete";
        case ClientStatus::failed: return "failed";
        case ClientStatus::lost: return "lost";
    }
    return "unknown";
}

const char* to_string(TaskPhase phase) {
    switch (phase) {
        case TaskPhase::pending: return "pending";
        case TaskPhase::running: return "running";
        case TaskPhase::dead: return "dead";
    }
    return "unknown";
}

const char* to_string(CheckStatus status) {
    switch (status) {
        case CheckStatus::pending: return "pending";
        case CheckStatus::success: return "success";
        case CheckStatus::failure: return "failure";
    }
    return "unknown";
}

void add_event(TaskState& state, TaskEvent event) {
    if (state.events.size() >= kEventsKept) state.events.erase(state.events.begin());
    state.events.push_back(std::move(event));
}

std::pair<ClientStatus, std::string> client_status(const std::map<std::string, TaskState>& tasks) {
    const auto any = [&](TaskPhase phase) {
        return std::any_of(tasks.begin(), tasks.end(),
                           [&](const auto& task) { return task.second.phase == phase; });
    };
    if (any(TaskPhase::running)) return {ClientStatus::running, "Tasks are running"};
    if (any(TaskPhase::pending)) return {ClientStatus::pending, "No tasks have started"};
    for (const auto& [name, state] : tasks)
        if (state.failed) return {ClientStatus::failed, "Failed tasks"};
    return {ClientStatus::complete, "All tasks have completed"};
}

}  // namespace gaggle::allocrunner
