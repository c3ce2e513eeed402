#include "allocrunner/task_event.h"

#include <fmt/core.h>

namespace gaggle::allocrunner {

const char* to_string(EventType type) {
    switch (type) {
        case EventType::received: return "Received";
        case EventType::task_setup: return "Task Setup";
        case EventType::setup_failure: return "Setup Failure";
        case EventType::started: return "Started";
        case EventType::driver_failure: return "Driver Failure";
        case EventType::failed_validation: return "Failed Validation";
        case EventType::terminated: return "Terminated";
        case EventType::restarting: return "Restarting";
        case EventType::not_restarting: return "Not Restarting";
        case EventType::waiting_for_shutdown_delay: return "Waiting for shutdown delay";
        case EventType::signaling: return "Signaling";
        case EventType::killing: return "Killing";
        case EventType::killed: return "Killed";
        case EventType::sibling_failed: return "Sibling Task Failed";
        case EventType::leader_dead: return "Leader Task Dead";
        case EventType::reconnected: return "Reconnected";
    }
    return "Unknown";
}

TaskEvent event_received(WallTime at) {
    return {EventType::received, at, "Task received by client", {}};
}

TaskEvent event_task_setup(WallTime at, std::string message) {
    return {EventType::task_setup, at, message, {{"message", message}}};
}

TaskEvent event_setup_failure(WallTime at, std::string error) {
    return {EventType::setup_failure, at, error, {{"setup_error", error}, {"fails_task", "true"}}};
}

TaskEvent event_started(WallTime at) {
    return {EventType::started, at, "Task started by client", {}};
}

TaskEvent event_driver_failure(WallTime at, std::string error) {
    return {EventType::driver_failure, at, error, {{"driver_error", error}}};
}

TaskEvent event_failed_validation(WallTime at, std::string error) {
    return {EventType::failed_validation,
            at,
            error,
            {{"validation_error", error}, {"fails_task", "true"}}};
}

TaskEvent event_terminated(WallTime at, const TaskExit& exit) {
    std::string message = fmt::format("Exit Code: {}", exit.code);
    if (exit.signal != 0) message += fmt::format(", Signal: {}", exit.signal);
    if (exit.out_of_memory) message += ", killed for want of memory";
    if (!exit.message.empty()) message += fmt::format(", Exit Message: \"{}\"", exit.message);
    return {EventType::terminated,
            at,
            message,
            {{"exit_code", std::to_string(exit.code)},
             {"signal", std::to_string(exit.signal)},
             {"oom_killed", exit.out_of_memory ? "true" : "false"},
             {"exit_message", exit.message}}};
}

TaskEvent event_restarting(WallTime at, std::string reason, Duration delay) {
    return {
        EventType::restarting,
        at,
        fmt::format("{} - Task restarting in {}", reason, for_people(delay)),
        {{"restart_reason", reason},
         {"start_delay",
          std::to_string(std::chrono::duration_cast<std::chrono::nanoseconds>(delay).count())}}};
}

TaskEvent event_not_restarting(WallTime at, std::string reason) {
    return {EventType::not_restarting,
            at,
            reason,
            {{"restart_reason", reason}, {"fails_task", "true"}}};
}

TaskEvent event_waiting_for_shutdown_delay(WallTime at, Duration delay) {
    return {
        EventType::waiting_for_shutdown_delay,
        at,
        fmt::format("Waiting for shutdown_delay of {} before killing the task.", for_people(delay)),
        {{"delay", for_people(delay)}}};
}

TaskEvent event_killing(WallTime at, Duration timeout) {
    return {EventType::killing,
            at,
            fmt::format("Sent interrupt. Waiting {} before force killing", for_people(timeout)),
            {{"kill_timeout", for_people(timeout)}}};
}

TaskEvent event_killed(WallTime at) {
    return {EventType::killed, at, "Task successfully killed", {}};
}

TaskEvent event_sibling_failed(WallTime at, const std::string& sibling) {
    return {EventType::sibling_failed,
            at,
            fmt::format("Task's sibling \"{}\" failed", sibling),
            {{"failed_sibling", sibling}}};
}

TaskEvent event_leader_dead(WallTime at) {
    return {EventType::leader_dead, at, "Leader Task in Group dead", {}};
}

}  // namespace gaggle::allocrunner
