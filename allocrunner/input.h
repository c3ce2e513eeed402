// All that can happen to a peer's allocations.
//
// Answers name the work they answer: an allocation, a task and its run (a number that grows with
// each start of that task, also over restarts of the agent), or a check's id. An answer to work
// that is no longer waited for changes nothing.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "allocrunner/alloc_status.h"
#include "allocrunner/effects.h"
#include "allocrunner/network/alloc_network.h"
#include "allocrunner/order.h"
#include "allocrunner/setup/task_set_up.h"
#include "base/time.h"

namespace gaggle::allocrunner {

/// Deadlines may have passed.
struct Tick {};

/// The full set; an allocation that is missing here is to be stopped. It also confirms every
/// recovered one in it.
struct Orders {
    std::vector<Order> orders;
};

/// Nobody has answered since the agent started, for long enough: run what is on disk (not the
/// fenced).
struct StartUnconfirmed {};

/// What was found of one task when the agent started: a live supervisor, the record of an exit, or
/// neither.
struct FoundTask {
    std::string task;
    std::uint64_t run = 0;
    std::int64_t pid = 0;
    WallTime started;
    std::optional<TaskExit> exit;  ///< nothing: it is running
    /// False: its supervisor lives but has not answered yet. The rest is the last that was known,
    /// run 0 when nothing was. TaskStarted follows once it answers, TaskExited in any case.
    bool heard = true;
};

struct FoundAlloc {
    AllocId alloc;
    std::optional<Order> order;  ///< nothing when the file is damaged; the next Orders decide
    Bytes state;                 ///< last SaveState, empty when there is none
    std::vector<FoundTask> tasks;
    /// What was set up for it, as the record of that says; nothing when none is complete.
    std::optional<AllocNetwork> network = std::nullopt;
};

/// Once, before the first Orders: what the disk and the live supervisors say after a start of the
/// agent.
struct Recovered {
    std::vector<FoundAlloc> allocs;
};

/// Answers ProbePorts.
struct PortsProbed {
    struct Taken {
        std::uint16_t port = 0;
        std::string holder;  ///< for people: "python3 (pid 77)"
    };
    AllocId alloc;
    std::vector<ProbePorts::Port> ports;  ///< that were tried
    std::vector<Taken> taken;
};

struct DirReady {
    AllocId alloc;
    std::string note;  ///< what was restored from where; empty when nothing was
    std::optional<std::string> error;
    std::optional<AllocNetwork> network;  ///< nothing: it shares the host's
};

/// Something that people should know while a task is set up or started ("Downloading Artifacts").
struct TaskNote {
    AllocId alloc;
    std::string task;
    TaskEvent event;
};

struct TaskSetUpDone {
    AllocId alloc;
    std::string task;
    std::uint64_t run = 0;  ///< of the SetUpTask
    /// To be added to the task's environment (templates with env = true); wins over the task's.
    std::map<std::string, std::string> env;
    std::optional<SetUpFailure> failure;
};

/// Templates of a running task were rendered anew, with another result; their splay is over.
struct TemplatesChanged {
    AllocId alloc;
    std::string task;
    bool restart = false;               ///< wins over the signals
    std::vector<std::int64_t> signals;  ///< each once
    /// A change_script failed and the task is not to go on without it: it is killed and fails.
    std::optional<std::string> fatal;
};

/// What somebody asks of a running allocation (Runner::objection says beforehand why not).
struct TaskCommand {
    enum class Kind {
        restart,      ///< the task, or all that run when none is named
        restart_all,  ///< also those that have ended, in the order of their hooks
        signal,       ///< to the task, or to all that run when none is named
    };
    AllocId alloc;
    std::string task;  ///< empty: all
    Kind kind = Kind::restart;
    std::int64_t signal = 0;
};

/// What an allocation's directory takes, when it has changed enough to be said.
struct DiskFound {
    AllocId alloc;
    std::uint64_t used = 0;   ///< bytes
    std::uint64_t limit = 0;  ///< bytes; above it the allocation is killed and fails for good
};

/// How full the file system under all allocations is, when that has changed.
struct HostDisk {
    int used_percent = 0;    ///< of what tasks could have, 0 to 100, rounded up
    int inodes_percent = 0;  ///< 0 where the file system does not count them
    bool operator==(const HostDisk&) const = default;
};

/// Directories of finished allocations are to go now, whatever their age. What somebody still
/// needs stays.
struct CollectFinished {
    std::optional<AllocId> alloc;  ///< nothing: all of them
};

/// Answers TearDown.
struct TornDown {
    AllocId alloc;
    std::optional<std::string> error;  ///< what is left behind, in words: it is tried again
    /// What is left to a driver's collection or until somebody mends the machine, for people.
    std::string note = {};
};

/// Answers RemoveDir.
struct DirRemoved {
    AllocId alloc;
    std::optional<std::string> error;  ///< it is still there, and why: it is tried again
};

/// Answers StartTask, and tells what a supervisor says that was silent when the agent started.
struct TaskStarted {
    AllocId alloc;
    std::string task;
    std::uint64_t run = 0;
    std::int64_t pid = 0;
    std::vector<std::int32_t> cores;  ///< processors that are its alone
};

struct TaskNotStarted {
    AllocId alloc;
    std::string task;
    std::uint64_t run = 0;
    std::string error;
    bool may_pass =
        false;  ///< another try may work (no memory, full disk); not when the executable is missing
    bool aborted = false;  ///< by AbortStart
};

struct TaskExited {
    AllocId alloc;
    std::string task;
    std::uint64_t run = 0;
    TaskExit exit;
};

struct CheckDone {
    AllocId alloc;
    std::uint64_t check = 0;  ///< id of the RunCheck
    bool ok = false;
    std::string output;
    bool warning = false;  ///< it passes, but something is wrong (http 429, a script's exit code 1)
    std::uint16_t code = 0;  ///< of the HTTP answer; 0: there is none
};

/// A SaveOrder or SaveState could not be made durable; it is tried again.
struct SaveFailed {
    AllocId alloc;
    std::string error;
};

struct Input {
    WallTime wall;  ///< for displays only
    std::variant<Tick, Orders, StartUnconfirmed, Recovered, PortsProbed, DirReady, TaskNote,
                 TaskSetUpDone, TaskStarted, TaskNotStarted, TaskExited, TemplatesChanged,
                 CheckDone, TaskCommand, DiskFound, HostDisk, CollectFinished, SaveFailed, TornDown,
                 DirRemoved>
        what;
};

}  // namespace gaggle::allocrunner
