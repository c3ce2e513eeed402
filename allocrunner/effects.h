// All that the runner may ask of the world.
//
// Work on one allocation must be carried out in the order given, but for SignalTask, KillTask,
// RunCheck and SaveState: they may go before what was asked for earlier and is not answered yet.
// Work on different allocations may overlap.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "allocrunner/alloc_status.h"
#include "allocrunner/drivers/driver.h"
#include "allocrunner/network/request.h"
#include "allocrunner/order.h"
#include "allocrunner/service_instance.h"
#include "allocrunner/setup/task_set_up.h"
#include "base/bytes.h"
#include "base/ids.h"

namespace gaggle::allocrunner {

/// Is somebody on these ports? Before anything of the allocation is made. Answer: PortsProbed.
struct ProbePorts {
    struct Port {
        std::string label;
        std::uint16_t value = 0;
        bool fixed = false;  ///< the job names the number
        bool operator==(const Port&) const = default;
    };
    AllocId alloc;
    std::vector<Port> ports;
};

/// Make the allocation's directory and network (twice does no harm), save the order, restore
/// state. Answer: DirReady.
struct PrepareDir {
    Order order;
    /// Its tasks ran before the machine was booted: the directory is there and what it restores
    /// from is settled; what a boot takes with it (mounts, network) is made anew.
    bool again = false;
    NetworkRequest network;
};

/// What a task needs before its process can start; only for tasks that need something. Answer:
/// any number of TaskNote, then TaskSetUpDone; later, while it is watched, TemplatesChanged.
struct SetUpTask {
    AllocId alloc;
    std::string task;
    std::uint64_t run = 0;  ///< the run that waits for it; of an adopted task, the present one
    SetUpKind kind = SetUpKind::first;
    TaskSetUp what;
};

/// The task is dead for good: nothing of it is fetched, rendered or watched any more. No answer.
struct EndSetUp {
    AllocId alloc;
    std::string task;
};

/// Answer: TaskStarted or TaskNotStarted, later TaskExited.
struct StartTask {
    AllocId alloc;
    std::string task;
    std::uint64_t run = 0;
    TaskSpec spec;
};

/// The task of a StartTask is to be stopped. No answer of its own: what still waits for something
/// to be fetched is given up (TaskNotStarted, aborted), anything else goes on to its end.
struct AbortStart {
    AllocId alloc;
    std::string task;
    std::uint64_t run = 0;
};

/// To the task's first process. No answer.
struct SignalTask {
    AllocId alloc;
    std::string task;
    std::int64_t signal = 0;  ///< 0: the one that a container's image says
};

/// SIGKILL to all its processes. No answer but TaskExited.
struct KillTask {
    AllocId alloc;
    std::string task;
};

/// A check's command, run in the task as `alloc exec` would: exit code 0 passes, 1 is a warning,
/// anything else fails. It is killed at the check's timeout.
struct CheckScript {
    std::string task;
    std::vector<std::string> argv;
    bool operator==(const CheckScript&) const = default;
};

/// How a check over https takes its server's certificate.
struct CheckTls {
    std::string server_name;   ///< it must name this one; empty: the target's IP address
    bool skip_verify = false;  ///< any certificate will do
    bool operator==(const CheckTls&) const = default;
};

/// Answer: CheckDone, at the latest after `timeout`.
struct RunCheck {
    AllocId alloc;
    std::uint64_t check = 0;
    std::string type;  ///< tcp, http or script
    std::string host;  ///< an IP address
    std::uint16_t port = 0;
    std::string path;                                        ///< http
    std::string method;                                      ///< http; empty: GET
    std::map<std::string, std::vector<std::string>> header;  ///< http
    std::string body;                                        ///< http
    std::optional<CheckTls> tls;                             ///< http: it goes over TLS
    std::optional<CheckScript> script;                       ///< exactly with type script
    Duration timeout{};
};

/// What ends a run of a task.
using EndRun = std::variant<SignalTask, KillTask>;

/// Answer only on failure: SaveFailed. A newer SaveState of the same allocation may take the place
/// of one not yet done.
struct SaveState {
    AllocId alloc;
    Bytes state;
    /// To be carried out once the state is durable, or it is known that it cannot be: whoever finds
    /// the exit after a death of the agent must find the reason, too. Those of a state whose place
    /// a newer one took are carried out with that one.
    std::vector<EndRun> then;
};

struct SaveOrder {
    Order order;
};

/// All tasks are dead: mounts, network, containers and cgroups of the allocation go, and what
/// watches for it. Twice does no harm. Answer: TornDown, and only once that is without an error, or
/// was not for very long, are its resources others'.
struct TearDown {
    AllocId alloc;
};

/// Tears down what is left and removes the directory. What knows how to tear down the rest goes
/// last. Answer: DirRemoved.
struct RemoveDir {
    AllocId alloc;
    std::string why;  ///< it is collected, for people: "the disk is 93 % full, over 80 %"
};

using Work =
    std::variant<ProbePorts, PrepareDir, SetUpTask, EndSetUp, StartTask, AbortStart, SignalTask,
                 KillTask, RunCheck, SaveState, SaveOrder, TearDown, RemoveDir>;

/// At most one per allocation and step.
struct StatusChanged {
    AllocId alloc;
    AllocStatus status;
    std::vector<ServiceInstance> services;  ///< offered now
};

/// A process that is none of ours is on a port that the ledger gave away: the ledger must know.
struct PortTaken {
    AllocId alloc;
    std::uint16_t port = 0;
    std::string holder;  ///< for people: "python3 (pid 77)"
    bool fixed = false;  ///< the job asks for this very number
};

struct Effects {
    std::vector<Work> work;
    std::vector<StatusChanged> changed;
    std::vector<PortTaken> ports_taken;
};

/// The allocation that a piece of work is about.
const AllocId& alloc_of(const Work& work);

}  // namespace gaggle::allocrunner
