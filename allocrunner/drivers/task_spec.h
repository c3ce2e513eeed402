// One run of one task, complete: plain data from the state machine to a driver.
//
// Two halves: TaskContext is what surrounds the task, the same for every driver; TaskSpec is that
// and the config, judged and put in order, so that carrying it out decides nothing more. A spec is
// also kept on disk beside the task (spec_file.h): what is done with a running task later, also by
// another agent, is done with what it was started with.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <tuple>
#include <vector>

#include "allocrunner/network/alloc_network.h"
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

/// A port that the allocation was given.
struct TaskPort {
    std::string label;
    std::string host_ip;
    std::int64_t host = 0;
    std::int64_t to = 0;  ///< inside the task's network; the same as `host` when the job says none
    template <class Self>
    static auto wire_fields(Self& s) {
        return std::tie(s.label, s.host_ip, s.host, s.to);
    }
    bool operator==(const TaskPort&) const = default;
};

/// What surrounds a task besides its config.
struct TaskContext {
    std::string task;
    std::string task_dir;                    ///< <alloc root>/<alloc>/<task>, on the host
    std::string user;                        ///< empty: as the driver has it
    std::map<std::string, std::string> env;  ///< complete; nothing is inherited
    LogConfig logs;
    Resources resources;
    std::vector<TaskPort> ports;
    TaskNetwork network;
    std::map<std::string, std::string> labels;  ///< job, group, ... for who lists containers
};

/// One run of one task, ready to be made ready.
struct TaskSpec {
    std::string driver;
    /// argv[0] may be a bare name: the driver says where it is looked for. May be empty where an
    /// image says what to run.
    std::vector<std::string> argv;
    std::map<std::string, std::string> env;
    std::string task_dir;
    std::string work_dir;  ///< where it starts, as the task sees it; empty: as the image has it
    std::string user;
    LogSpec logs;
    std::optional<std::int64_t> oom_score_adj;  ///< -1000 to 1000
    Value::Map config;  ///< all of it, judged: the driver's own options are read from here
    Resources resources;
    std::vector<TaskPort> ports;
    TaskNetwork network;
    std::map<std::string, std::string> labels;
    template <class Self>
    static auto wire_fields(Self& s) {
        return std::tie(s.driver, s.argv, s.env, s.task_dir, s.work_dir, s.user, s.logs,
                        s.oom_score_adj, s.config, s.resources, s.ports, s.network, s.labels);
    }
    bool operator==(const TaskSpec&) const = default;
};

/// What a task weighs against others for processor time: its megahertz, or 1024 for each core of
/// its own; at least 2, the least that control groups know.
std::int64_t cpu_shares(const Resources& asked);

/// What every driver takes over as it is.
TaskSpec common_spec(std::string_view driver, const Value::Map& config, const TaskContext& context);

}  // namespace gaggle::allocrunner
