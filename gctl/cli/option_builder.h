// How the two halves of the parser share one CLI::App; for options*_cli11.cc only.
#pragma once

#include <cstdint>
#include <functional>
#include <limits>
#include <string>
#include <vector>

#include "gctl/cli/command.h"

namespace CLI {
class App;
class ParseError;
}  // namespace CLI

namespace gaggle::cli {

constexpr std::int64_t kNumberMax = std::numeric_limits<std::int64_t>::max();
/// A check for an option: says what it wants when the text is no whole number from `least` to
/// `most`.
std::function<std::string(const std::string&)> whole_number(std::int64_t least = 0,
                                                            std::int64_t most = kNumberMax);
/// What is wrong with the words for the command `app`, which is called `path`, in one sentence.
std::string words_of(const CLI::ParseError& error, const CLI::App& root, const CLI::App& app,
                     const std::string& path);

/// Owned by the parse; the apps keep references into it.
struct OptionBuilder {
    CLI::App* root = nullptr;
    std::string data_dir;  ///< the default one
    Invocation out;

    // One of each command, filled while parsing; `out.command` gets the one that was named.
    RunAgent agent;
    ClusterInit init;
    ClusterInvite invite;
    ClusterExpel expel;
    JobRun run;
    JobPlan plan;
    JobValidate validate;
    JobStatus job_status;
    JobStop stop;
    JobDispatch dispatch;
    JobInspect inspect;
    NodeStatus node_status;
    AllocStatus alloc_status;
    AllocChecks alloc_checks;
    AllocLogs logs;
    AllocFs fs;
    AllocExec exec;
    JobLogs job_logs;
    AllocRestart alloc_restart;
    AllocSignal alloc_signal;
    AllocStop alloc_stop;
    EvalStatus eval_status;
    ServiceInfo service_info;
    Members members;
    RegionStatus region_status;

    /// A command below `parent`, with `--json` and the like when `talks` to an agent.
    CLI::App* command(CLI::App* parent, const std::string& name, const std::string& what,
                      const std::string& example, bool talks = true);
    /// A word that only groups commands.
    CLI::App* topic(const std::string& name, const std::string& what, const std::string& example);

    void add_agent();
    void add_cluster();
    void add_jobs();
    void add_allocations();
    void add_inside();  ///< behind the two that make `job` and `alloc`
    void add_exec();    ///< as add_inside
    void add_actions();  ///< as add_inside
    void add_nodes();
    void add_services();
};

}  // namespace gaggle::cli
