// All that the runner may ask of the world.
//
// Work on one allocation must be carried out in the order given; work on different allocations may
// overlap.
#pragma once

#include <string>
#include <variant>
#include <vector>

#include "allocrunner/alloc_status.h"
#include "allocrunner/drivers/driver.h"
#include "allocrunner/order.h"
#include "base/bytes.h"
#include "base/ids.h"

namespace gaggle::allocrunner {

/// Make the allocation's directory (twice does no harm), save the order, restore state. Answer:
/// DirReady.
struct PrepareDir {
    Order order;
};

/// Answer: TaskStarted or TaskNotStarted, later TaskExited.
struct StartTask {
    AllocId alloc;
    std::string task;
    std::uint64_t run = 0;
    TaskSpec spec;
};

/// To the task's first process. No answer.
struct SignalTask {
    AllocId alloc;
    std::string task;
    std::int64_t signal = 0;
};

/// SIGKILL to all its processes. No answer but TaskExited.
struct KillTask {
    AllocId alloc;
    std::string task;
};

/// Answer: CheckDone, at the latest after `timeout`.
struct RunCheck {
    AllocId alloc;
    std::uint64_t check = 0;
    std::string type;  ///< tcp or http
    std::string host;  ///< an IP address
    std::uint16_t port = 0;
    std::string path;    ///< http
    std::string method;  ///< http
    Duration timeout{};
};

/// Answer only on failure: SaveFailed. A newer SaveState of the same allocation may take the place
/// of one not yet done.
struct SaveState {
    AllocId alloc;
    Bytes state;
};

struct SaveOrder {
    Order order;
};

/// No answer: what could not be removed is logged.
struct RemoveDir {
    AllocId alloc;
};

using Work = std::variant<PrepareDir, StartTask, SignalTask, KillTask, RunCheck, SaveState,
                          SaveOrder, RemoveDir>;

/// At most one per allocation and step.
struct StatusChanged {
    AllocId alloc;
    AllocStatus status;
};

struct Effects {
    std::vector<Work> work;
    std::vector<StatusChanged> changed;
};

/// The allocation that a piece of work is about.
const AllocId& alloc_of(const Work& work);

}  // namespace gaggle::allocrunner
