// What was asked for, as plain data: one struct for each command.
//
// The parser (options_cli11.cc) fills them, the functions in commands.h carry them out, and neither
// knows the other.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "gctl/agent/cluster.h"
#include "gctl/agent/options.h"

namespace gaggle::cli {

/// Of every command that talks to an agent.
struct Connect {
    std::string address;     ///< empty: GCTL_ADDR, NOMAD_ADDR, else http://127.0.0.1:4646
    std::string token;       ///< empty: GCTL_TOKEN, NOMAD_TOKEN, else the published file
    std::string token_file;  ///< wins over the environment
    std::string name_space;  ///< empty: NOMAD_NAMESPACE, else the agent's default
};

struct JobFile {
    std::string path;                    ///< "-": standard input
    std::vector<std::string> variables;  ///< name=value
    std::vector<std::string> variable_files;
};

struct RunAgent {
    AgentOptions options;
};
struct ClusterInit {
    InitOptions options;
};
struct ClusterInvite {
    InviteOptions options;
};
struct ClusterExpel {
    std::string data_dir;
    std::string peer;  ///< id, its beginning, or name
};
struct JobRun {
    JobFile file;
    bool detach = false;
    bool output = false;
    bool verbose = false;
    std::optional<std::uint64_t> check_index;
};
struct JobPlan {
    JobFile file;
    bool diff = true;
    bool verbose = false;
};
struct JobValidate {
    JobFile file;
};
struct JobStatus {
    std::string id;  ///< empty: all jobs
    bool evals = false;
    bool all_allocs = false;
    bool verbose = false;
};
struct JobStop {
    std::string id;
    bool yes = false;  ///< ask nothing
    bool purge = false;
    bool no_shutdown_delay = false;
    bool detach = false;
    bool verbose = false;
};
struct JobDispatch {
    std::string id;
    std::string payload_file;       ///< "-": standard input; empty: no payload
    std::vector<std::string> meta;  ///< key=value
    std::string id_prefix;
    bool detach = false;
    bool verbose = false;
};
struct JobInspect {
    std::string id;
};
struct NodeStatus {
    std::string id;  ///< empty: all nodes
    bool verbose = false;
    bool stats = false;  ///< with what the machine uses now
};
struct AllocStatus {
    std::string id;
    bool verbose = false;
    bool stats = false;  ///< with all that is measured of its tasks
};
struct AllocChecks {
    std::string id;
};
struct AllocLogs {
    std::string id;
    bool by_job = false;  ///< `id` names a job: one of its allocations
    std::string task;     ///< empty: the only one
    bool follow = false;
    bool error_stream = false;
    bool tail = false;                   ///< only the end; ten lines unless the next ones say more
    std::optional<std::uint32_t> lines;  ///< only the last so many
    std::optional<std::uint64_t> bytes;  ///< the same in bytes
};
struct AllocFs {
    std::string id;
    bool by_job = false;
    std::string path = "/";
    bool human = false;
    bool stat = false;
    bool follow = false;
    bool tail = false;
    std::optional<std::uint32_t> lines;
    std::optional<std::uint64_t> bytes;
};
struct AllocExec {
    std::string id;
    bool by_job = false;
    std::string task;  ///< empty: the only one
    std::vector<std::string> argv;
    bool input = true;             ///< pass on standard input
    std::optional<bool> terminal;  ///< nothing: if standard input and output are one
    std::string escape = "~";      ///< one character, or "none"
};
struct JobLogs {
    std::string id;
    std::string task;  ///< empty: all
    bool follow = false;
    bool error_stream = false;
    std::optional<std::uint32_t> lines;  ///< of each task
};
struct AllocRestart {
    std::string id;
    std::string task;        ///< empty: all that run
    bool all_tasks = false;  ///< also those that have ended
};
struct AllocSignal {
    std::string id;
    std::string task;  ///< empty: all that run
    std::string signal = "SIGKILL";
};
struct AllocStop {
    std::string id;
    bool no_shutdown_delay = false;
    bool detach = false;
    bool verbose = false;
};
struct EvalStatus {
    std::string id;
    bool monitor = false;
    bool verbose = false;
};
struct ServiceList {};
struct ServiceInfo {
    std::string name;
    std::string filter;
    bool verbose = false;
};
struct Members {
    bool verbose = false;
};
struct RegionStatus {};
struct SystemGc {};
struct Version {};
struct Completion {
    std::string script;
};

using Command =
    std::variant<RunAgent, ClusterInit, ClusterInvite, ClusterExpel, JobRun, JobPlan, JobValidate,
                 JobStatus, JobStop, JobDispatch, JobInspect, NodeStatus, AllocStatus, AllocLogs,
                 AllocFs, AllocExec, JobLogs, AllocRestart, AllocSignal, AllocStop, AllocChecks,
                 EvalStatus,
                 ServiceList, ServiceInfo, Members, RegionStatus, SystemGc, Version,
                 Completion>;

struct Invocation {
    Connect connect;
    bool json = false;
    bool no_color = false;
    Command command;
};

}  // namespace gaggle::cli
