#include "gctl/agent/agent.h"

#include "gctl/cli/commands.h"

namespace gaggle::cli {

Result<int> run(const RunAgent& command, const Context&) { return run_agent(command.options); }

}  // namespace gaggle::cli
