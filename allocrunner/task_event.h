// What happened to a task, in the words that Nomad's clients compare with and print.
//
// The last ten are kept with the task's state, travel to the ledger and are shown by `gctl alloc
// status`. The message is Nomad's DisplayMessage; the details are Nomad's `Details` map (exit_code,
// signal, kill_timeout ...).
#pragma once

#include <map>
#include <string>
#include <tuple>
#include <vector>

#include "base/time.h"

namespace gaggle::allocrunner {

struct SetUpEvent;

enum class EventType {
    received,
    task_setup,
    setup_failure,
    started,
    driver_failure,
    failed_validation,
    terminated,
    restarting,
    not_restarting,
    waiting_for_shutdown_delay,
    signaling,
    killing,
    killed,
    sibling_failed,
    leader_dead,
    reconnected,
    main_dead,
    restart_signaled,
    downloading_artifacts,
    artifact_failed,
    templates,
    driver_message,
    unhealthy,
    disk_exceeded,
    disk_high,  ///< ours: a warning before disk_exceeded
};
constexpr EventType wire_last(EventType) { return EventType::disk_high; }

/// Nomad's name: "Received", "Task Setup", "Driver Failure", "Sibling Task Failed" ...
const char* to_string(EventType type);

struct TaskEvent {
    EventType type = EventType::received;
    WallTime at;
    std::string message;
    std::map<std::string, std::string> details;
    template <class Self>
    static auto wire_fields(Self& s) {
        return std::tie(s.type, s.at, s.message, s.details);
    }
    bool operator==(const TaskEvent&) const = default;
};

inline constexpr std::size_t kEventsKept = 10;

/// How a run of a task ended.
struct TaskExit {
    std::int64_t code = 0;    ///< as it said; means nothing when a signal ended it
    std::int64_t signal = 0;  ///< 0: it exited by itself
    bool out_of_memory = false;
    WallTime at;
    std::string
        message;  ///< why the exit is unusual: supervisor lost, log bytes lost; mostly empty
    bool success() const { return code == 0 && signal == 0; }
    template <class Self>
    static auto wire_fields(Self& s) {
        return std::tie(s.code, s.signal, s.out_of_memory, s.at, s.message);
    }
    bool operator==(const TaskExit&) const = default;
};

// One function per event, so that text and details are the same wherever it happens.
TaskEvent event_received(WallTime at);
TaskEvent event_task_setup(WallTime at, std::string message);
TaskEvent event_setup_failure(WallTime at, std::string error);
/// Something kept the whole allocation from ever beginning; no failure of the task.
TaskEvent event_kept_out(WallTime at, const std::string& why);
TaskEvent event_started(WallTime at);
TaskEvent event_driver_failure(WallTime at, std::string error);
TaskEvent event_failed_validation(WallTime at, std::string error);
/// What a signal ended shows 128 and its number as exit code, beside the signal.
TaskEvent event_terminated(WallTime at, const TaskExit& exit);
TaskEvent event_restarting(WallTime at, std::string reason, Duration delay);
TaskEvent event_not_restarting(WallTime at, std::string reason);
TaskEvent event_waiting_for_shutdown_delay(WallTime at, Duration delay);
TaskEvent event_killing(WallTime at, Duration timeout);
TaskEvent event_killed(WallTime at);
TaskEvent event_sibling_failed(WallTime at, const std::string& sibling);
TaskEvent event_leader_dead(WallTime at);
TaskEvent event_main_dead(WallTime at);
TaskEvent event_restart_signaled(WallTime at, std::string reason);
/// `signal` by its name, "SIGHUP"; an empty `reason` is left out.
TaskEvent event_signaling(WallTime at, const std::string& signal, const std::string& reason);
/// Its allocation was given up as lost while it ran on here, and counts again.
TaskEvent event_reconnected(WallTime at);
TaskEvent event_set_up(WallTime at, const SetUpEvent& what);
/// For people while a driver gets its image.
TaskEvent event_driver_message(WallTime at, std::string message);
TaskEvent event_unhealthy(WallTime at, std::string reason);
/// Bytes.
TaskEvent event_disk_exceeded(WallTime at, std::uint64_t used, std::uint64_t limit);
TaskEvent event_disk_high(WallTime at, std::uint64_t used, std::uint64_t limit);

}  // namespace gaggle::allocrunner
