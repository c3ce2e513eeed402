// How an allocation is, as its peer reports it: what goes to the ledger and to the API.
//
// Enumerations are Nomad's (client status, task state). A status is terminal only when no process
// of the allocation is left, because the ledger then gives its resources to others.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <tuple>
#include <vector>

#include "allocrunner/network/alloc_network.h"
#include "allocrunner/task_event.h"
#include "base/time.h"

namespace gaggle::allocrunner {

enum class ClientStatus { pending, running, complete, failed, lost };
constexpr ClientStatus wire_last(ClientStatus) { return ClientStatus::lost; }
const char* to_string(ClientStatus status);
constexpr bool is_terminal(ClientStatus status) { return status >= ClientStatus::complete; }

enum class TaskPhase { pending, running, dead };
constexpr TaskPhase wire_last(TaskPhase) { return TaskPhase::dead; }
const char* to_string(TaskPhase phase);

struct TaskState {
    TaskPhase phase = TaskPhase::pending;
    bool failed = false;  ///< means something only when dead
    std::uint64_t restarts = 0;
    WallTime last_restart;          ///< 0: never
    WallTime started;               ///< of the newest run; 0: never started
    WallTime finished;              ///< 0: not dead
    std::int64_t pid = 0;           ///< of the newest run's first process, for people; 0: not known
    std::vector<std::int32_t> cores;  ///< processors that are its alone while it runs
    std::vector<TaskEvent> events;  ///< oldest first, at most kEventsKept
    template <class Self>
    static auto wire_fields(Self& s) {
        return std::tie(s.phase, s.failed, s.restarts, s.last_restart, s.started, s.finished, s.pid,
                        s.cores, s.events);
    }
    bool operator==(const TaskState&) const = default;
};

/// Adds `event` and drops the oldest beyond kEventsKept.
void add_event(TaskState& state, TaskEvent event);

enum class CheckStatus { pending, success, failure };
constexpr CheckStatus wire_last(CheckStatus) { return CheckStatus::failure; }
const char* to_string(CheckStatus status);

struct CheckHealth {
    std::string service;
    std::string check;
    std::string task;  ///< empty: the group's service
    CheckStatus status = CheckStatus::pending;
    std::string output;  ///< of the newest result that its status follows
    WallTime since;      ///< when it took this status; 0 while pending
    std::uint16_t code = 0;  ///< of that result's HTTP answer; 0: there is none
    WallTime heard;          ///< when that result came; 0: none has
    template <class Self>
    static auto wire_fields(Self& s) {
        return std::tie(s.service, s.check, s.task, s.status, s.output, s.since, s.code, s.heard);
    }
    bool operator==(const CheckHealth&) const = default;
};

struct AllocStatus {
    ClientStatus client = ClientStatus::pending;
    std::string description;  ///< for people: "Tasks are running"
    std::map<std::string, TaskState> tasks;
    std::vector<CheckHealth> checks;
    std::optional<bool> healthy;  ///< Nomad's DeploymentStatus.Healthy; nothing: not known yet
    std::optional<NetworkStatus> network;  ///< nothing: its tasks share the machine's, or not yet
    WallTime modified;
    bool for_good = false;  ///< failed so that no other peer would mend it: it is not rescheduled
    template <class Self>
    static auto wire_fields(Self& s) {
        return std::tie(s.client, s.description, s.tasks, s.checks, s.healthy, s.network,
                        s.modified, s.for_good);
    }
    bool operator==(const AllocStatus&) const = default;
};

/// Client status and its description from the states of all tasks. Failed and complete only when
/// all are dead.
std::pair<ClientStatus, std::string> client_status(const std::map<std::string, TaskState>& tasks);

}  // namespace gaggle::allocrunner
