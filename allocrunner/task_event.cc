#include "allocrunner/task_event.h"

#include <fmt/core.h>

#include "allocrunner/setup/task_set_up.h"

namespace gaggle::allocrunner {

namespace {

/// What a signal ends has no exit code; shells and Nomad show this and the signal's number.
constexpr std::int64_t kSignalCodes = 128;

/// Rounded up: what is a little above a limit must not look like the limit.
std::uint64_t megabytes(std::uint64_t bytes) { return (bytes + (1U << 20U) - 1) >> 20U; }

}  // namespace

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
        case EventType::main_dead: return "Main Tasks Dead";
        case EventType::restart_signaled: return "Restart Signaled";
        case EventType::downloading_artifacts: return "Downloading Artifacts";
        case EventType::artifact_failed: return "Failed Artifact Download";
        case EventType::templates: return "Template";
        case EventType::driver_message: return "Driver";
        case EventType::unhealthy: return "Alloc Unhealthy";
        case EventType::disk_exceeded: return "Disk Resources Exceeded";
        case EventType::disk_high: return "Disk Resources High";
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

TaskEvent event_kept_out(WallTime at, const std::string& why) {
    const std::string text = why + "; the task was never started";
    return {EventType::setup_failure, at, text, {{"setup_error", text}}};
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
    const std::int64_t code = exit.signal != 0 ? kSignalCodes + exit.signal : exit.code;
    std::string message = fmt::format("Exit Code: {}", code);
    if (exit.signal != 0) message += fmt::format(", Signal: {}", exit.signal);
    if (exit.out_of_memory) message += ", killed for want of memory";
    if (!exit.message.empty()) message += fmt::format(", Exit Message: \"{}\"", exit.message);
    return {EventType::terminated,
            at,
            message,
            {{"exit_code", std::to_string(code)},
             {"signal", std::to_string(exit.signal)},
             {"oom_killed", exit.out_of_memory ? "true" : "false"},
             {"exit_message", exit.message}}};
}

TaskEvent event_restarting(WallTime at, std::string reason, Duration delay) {
    return {
        EventType::restarting,
        at,
        fmt::format("{}Task restarting in {}", reason.empty() ? reason : reason + " - ",
                    for_people(delay)),
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

TaskEvent event_main_dead(WallTime at) {
    return {EventType::main_dead, at, "Main tasks in the group died", {}};
}

TaskEvent event_restart_signaled(WallTime at, std::string reason) {
    return {EventType::restart_signaled, at, reason, {{"restart_reason", reason}}};
}

TaskEvent event_signaling(WallTime at, const std::string& signal, const std::string& reason) {
    const std::string before = "Task being sent signal " + signal;
    return {EventType::signaling,
            at,
            reason.empty() ? before : before + ": " + reason,
            {{"task_signal", signal}, {"task_signal_reason", reason}}};
}

TaskEvent event_reconnected(WallTime at) {
    return {EventType::reconnected, at, "Client reconnected", {}};
}

TaskEvent event_set_up(WallTime at, const SetUpEvent& what) {
    switch (what.kind) {
        case SetUpEvent::Kind::message: return event_task_setup(at, what.text);
        case SetUpEvent::Kind::downloading:
            return {EventType::downloading_artifacts, at, what.text, {}};
        case SetUpEvent::Kind::download_failed:
            return {EventType::artifact_failed, at, what.text, {{"download_error", what.text}}};
        case SetUpEvent::Kind::templates: return {EventType::templates, at, what.text, {}};
        case SetUpEvent::Kind::failed: break;
    }
    return {EventType::setup_failure, at, what.text, {{"setup_error", what.text}}};
}

TaskEvent event_driver_message(WallTime at, std::string message) {
    return {EventType::driver_message, at, message, {{"driver_message", message}}};
}

TaskEvent event_unhealthy(WallTime at, std::string reason) {
    return {EventType::unhealthy, at, std::move(reason), {}};
}

TaskEvent event_disk_exceeded(WallTime at, std::uint64_t used, std::uint64_t limit) {
    return {EventType::disk_exceeded,
            at,
            fmt::format("The allocation's directory takes {} MB, and ephemeral_disk allows {} MB; "
                        "give the group a larger ephemeral_disk or have the tasks write less",
                        megabytes(used), megabytes(limit)),
            {{"disk_size", std::to_string(used)},
             {"disk_limit", std::to_string(limit)},
             {"fails_task", "true"}}};
}

TaskEvent event_disk_high(WallTime at, std::uint64_t used, std::uint64_t limit) {
    return {EventType::disk_high,
            at,
            fmt::format("The allocation's directory takes {} MB of the {} MB that ephemeral_disk "
                        "allows; above that its tasks are killed",
                        megabytes(used), megabytes(limit)),
            {{"disk_size", std::to_string(used)}, {"disk_limit", std::to_string(limit)}}};
}

}  // namespace gaggle::allocrunner
