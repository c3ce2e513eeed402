// From a task's `config` block to a process: what a driver has to decide.
//
// A driver judges the free-form config and turns it into a TaskSpec, the complete description of
// one process. Strings are interpolated before they come here, so a driver is a pure function; the
// supervisor (shim.h) carries the spec out. In this version there is one driver, raw_exec: no
// isolation, the agent's own user unless the task names another.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <tuple>
#include <vector>

#include "allocrunner/network/alloc_network.h"
#include "base/result.h"
#include "placement/jobspec/job.h"

namespace gaggle::allocrunner {

/// How the two output streams of a task are kept: files `<task>.{stdout,stderr}.<n>`, oldest
/// removed.
struct LogSpec {
    std::int64_t files_max = 10;  ///< per stream, at least 1
    std::int64_t file_bytes =
        10LL << 20U;        ///< at least 1; a file is closed at a line's end where possible
    bool disabled = false;  ///< output goes to /dev/null
    template <class Self>
    static auto wire_fields(Self& s) {
        return std::tie(s.files_max, s.file_bytes, s.disabled);
    }
    bool operator==(const LogSpec&) const = default;
};

/// One process, ready to be started.
struct TaskSpec {
    std::vector<std::string>
        argv;  ///< argv[0] may be a bare name: the driver says where it is looked for
    std::map<std::string, std::string> env;  ///< complete; nothing is inherited
    std::string task_dir;                    ///< <alloc root>/<alloc id>/<task>
    std::string work_dir;                    ///< where it starts
    std::string user;                        ///< empty: the agent's own
    LogSpec logs;
    std::optional<std::int64_t> oom_score_adj;  ///< -1000 to 1000
    TaskNetwork network;  ///< what the supervisor enters first; empty if the driver does it itself
    template <class Self>
    static auto wire_fields(Self& s) {
        return std::tie(s.argv, s.env, s.task_dir, s.work_dir, s.user, s.logs, s.oom_score_adj,
                        s.network);
    }
    bool operator==(const TaskSpec&) const = default;
};

/// What a driver is told about a task besides its config.
struct TaskContext {
    std::string task;
    std::string task_dir;
    std::string user;
    std::map<std::string, std::string> env;
    LogConfig logs;
    TaskNetwork network;
};

/// True for "raw_exec".
bool is_known_driver(std::string_view name);

/// Errc::invalid naming the option and what would be right. Values may still hold `${...}`.
Result<void> validate_driver_config(std::string_view driver, const Value::Map& config);

/// `config` is interpolated. Errors as validate_driver_config.
Result<TaskSpec> make_task_spec(std::string_view driver, const Value::Map& config,
                                const TaskContext& context);

/// Where raw_exec finds `command`, in Nomad's order: as it is when it holds a slash, else in the
/// task's `local`, in the task's directory, along PATH of `spec.env`. Errc::not_found says where it
/// was looked for. Reads the file system.
Result<std::string> find_executable(const TaskSpec& spec);

}  // namespace gaggle::allocrunner
