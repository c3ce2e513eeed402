// What turns a task's `config` into something that runs, and what can be done with it afterwards.
//
// One driver is one class in one file: raw_exec_posix.cc, exec_runc.cc, docker_beast.cc. Its const
// half is pure (the state machine asks it): judge the config, and put config and surroundings
// together into a TaskSpec, the complete description of one run. The other half touches the world
// and is for workers that may block: what this machine offers, make ready what the supervisor
// (shim.h) then starts, run a command inside, measure, clear away. Whatever the driver, a task
// stands under gctl-shim, which owns its output, records its end and survives the agent.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "allocrunner/drivers/driver_config.h"
#include "allocrunner/drivers/exec_session.h"
#include "allocrunner/drivers/fetching.h"
#include "allocrunner/drivers/launch.h"
#include "allocrunner/drivers/task_spec.h"
#include "base/result.h"

namespace gaggle::allocrunner {

/// What a driver offers on this machine, now.
struct DriverState {
    bool detected = false;    ///< there is something to talk to
    bool healthy = false;     ///< tasks can be started; requires detected
    std::string description;  ///< why not, and what to do; "Healthy" otherwise
    std::map<std::string, std::string> attributes;  ///< Nomad's names, `driver.docker.version`
    bool operator==(const DriverState&) const = default;
};

/// Where a task is on disk. `alloc_dir` is <alloc root>/<alloc>.
struct TaskLocation {
    std::string alloc;  ///< the allocation's id as a UUID
    std::string alloc_dir;
    std::string task;
    std::string task_dir() const { return alloc_dir + "/" + task; }
};

/// A task that was started, as it is found again: also by another agent than the one that did it.
struct StartedTask {
    TaskLocation at;
    TaskSpec spec;
    std::int64_t pid = 0;  ///< its first process; 0: none is known
};

/// What a task has used since it started, and holds now.
struct TaskUsage {
    std::uint64_t user_nanoseconds = 0;
    std::uint64_t system_nanoseconds = 0;
    std::uint64_t throttled_periods = 0;
    std::uint64_t throttled_nanoseconds = 0;
    std::uint64_t rss = 0;    ///< bytes, also below
    std::uint64_t cache = 0;  ///< 0 where it is not counted
    std::uint64_t swap = 0;
    std::uint64_t used = 0;      ///< what counts against the limit
    std::uint64_t used_max = 0;  ///< the most so far; 0 where it is not counted
    std::uint64_t processes = 0;
    bool operator==(const TaskUsage&) const = default;
};

class Driver {
  public:
    Driver() = default;
    virtual ~Driver() = default;
    Driver(const Driver&) = delete;
    Driver& operator=(const Driver&) = delete;

    // --- pure

    virtual std::string_view name() const = 0;

    /// Its tasks see a root of their own, so that the allocation's directories are at /alloc,
    /// /local and /secrets; otherwise they see the host's paths.
    virtual bool has_own_root() const = 0;

    /// Who owns on this machine what a task of this `user` is given: a name or numbers. Empty: the
    /// agent itself. A driver that has_own_root() says so where only the image knows the user.
    virtual std::string owner_here(const std::string& user) const { return user; }

    /// Variables of the agent's own environment are part of its tasks'. False where an image has
    /// its own.
    virtual bool takes_host_environment() const { return true; }

    /// What its `config` may have.
    virtual std::span<const Option> options() const = 0;

    /// `config` is interpolated. Errc::invalid naming the option and what would be right.
    virtual Result<TaskSpec> spec(const Value::Map& config, const TaskContext& context) const = 0;

    // --- the world: these may block, and may be called from several threads at once

    virtual DriverState fingerprint() = 0;

    /// What must be brought here first; nothing for most. Does not block. An error: the task may
    /// not be started as it is.
    virtual Result<std::optional<Fetching>> fetching(const TaskLocation&, const TaskSpec&) {
        return std::optional<Fetching>();
    }

    /// Variables of the task's environment that only this machine can tell, just before a start:
    /// NOMAD_CPU_CORES, NOMAD_PARENT_CGROUP. The task's own win. Errors as prepare.
    virtual Result<std::map<std::string, std::string>> machine_environment(const TaskLocation&,
                                                                           const TaskSpec&) {
        return std::map<std::string, std::string>();
    }

    /// All else that must be there before the supervisor can start the task: a bundle, a container.
    /// Removes what an earlier run of the same task left behind. Errors of code unavailable,
    /// timeout or io may pass.
    virtual Result<Launch> prepare(const TaskLocation& at, const TaskSpec& spec) = 0;

    /// Runs a command beside the task, where the task is. Errors as prepare.
    virtual Result<std::unique_ptr<ExecSession>> exec(const StartedTask& task,
                                                      const ExecRequest& request) = 0;

    virtual Result<TaskUsage> usage(const StartedTask& task) = 0;

    /// Keeps a running task that asked for no `cores` on these processors, "0-1,3". Errc::not_found
    /// when it does not run any more. A driver that limits nothing does nothing.
    virtual Result<void> confine(const StartedTask& task, const std::string& cpus) {
        (void)task;
        (void)cpus;
        return {};
    }

    /// The task has no process any more, or must not have one: kills what is left of it and removes
    /// what `prepare` made. Fine when there is nothing. Errc::unavailable: there is no engine, and
    /// once there is, collect() does it, when nothing of the task is on the disk. Errc::timeout,
    /// Errc::io: another try may go better.
    virtual Result<void> clean_up(const StartedTask& task) = 0;

    /// The tasks that may run; Errc::io when not all of them can be told.
    using LiveTasks = std::function<Result<std::vector<StartedTask>>()>;
    /// Now and then: removes what belongs to nobody. `live` has a price: it reads the disk.
    virtual void collect(const LiveTasks& live) { (void)live; }
};

}  // namespace gaggle::allocrunner
