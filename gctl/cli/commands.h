// Each command carried out. The value is the exit code; an Error is printed and becomes 1 (or 255
// for `job plan`, as with Nomad).
#pragma once

#include "gctl/cli/context.h"

namespace gaggle::cli {

Result<int> run(const RunAgent& command, const Context& context);
Result<int> run(const ClusterInit& command, const Context& context);
Result<int> run(const ClusterInvite& command, const Context& context);
Result<int> run(const ClusterExpel& command, const Context& context);
Result<int> run(const JobRun& command, const Context& context);
Result<int> run(const JobPlan& command, const Context& context);
Result<int> run(const JobValidate& command, const Context& context);
Result<int> run(const JobStatus& command, const Context& context);
Result<int> run(const JobStop& command, const Context& context);
Result<int> run(const JobDispatch& command, const Context& context);
Result<int> run(const JobInspect& command, const Context& context);
Result<int> run(const NodeStatus& command, const Context& context);
Result<int> run(const AllocStatus& command, const Context& context);
Result<int> run(const AllocChecks& command, const Context& context);
Result<int> run(const AllocLogs& command, const Context& context);
Result<int> run(const AllocFs& command, const Context& context);
Result<int> run(const AllocExec& command, const Context& context);
Result<int> run(const JobLogs& command, const Context& context);
Result<int> run(const AllocRestart& command, const Context& context);
Result<int> run(const AllocSignal& command, const Context& context);
Result<int> run(const AllocStop& command, const Context& context);
Result<int> run(const EvalStatus& command, const Context& context);
Result<int> run(const ServiceList& command, const Context& context);
Result<int> run(const ServiceInfo& command, const Context& context);
Result<int> run(const Members& command, const Context& context);
Result<int> run(const RegionStatus& command, const Context& context);
Result<int> run(const SystemGc& command, const Context& context);
Result<int> run(const Version& command, const Context& context);
Result<int> run(const Completion& command, const Context& context);

/// Parses the arguments, carries out what they ask for, prints errors; the process's exit code.
int run_command_line(const std::vector<std::string>& arguments, const World& world,
                     const Console::Sink& out, const Console::Sink& err);

}  // namespace gaggle::cli
