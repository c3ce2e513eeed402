// Which processors belong to one task alone: what `resources { cores }` asks for.
//
// The peer itself decides, when the task starts: planners count megahertz and know no processor.
// A task's share is a file beside it, <alloc>/driver/<task>/cores, so it outlives the agent and
// goes with the task. Processors that no file names are everybody's: tasks that ask for none are
// kept to those.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "allocrunner/drivers/driver.h"

namespace gaggle::allocrunner {

/// "0-3,7" of numbers, ascending; and back. What is no such text gives nothing.
std::string text_of_cpus(const std::vector<int>& cpus);
std::vector<int> cpus_in(std::string_view text);

/// Takes `count` processors for the task, the same ones again when it has as many already; the
/// text for a cpuset. Errc::unavailable when too few are free, Errc::io when the shares of earlier
/// tasks cannot be read, once in an agent's life. Count 0 gives back and is empty.
Result<std::string> take_cores(const std::string& alloc_root, const TaskLocation& at,
                               std::int64_t count);

struct CpuPool {
    std::string shared;     ///< what no task has taken; all there are when nothing is left
    bool reserved = false;  ///< some task has taken some
};
/// Errc::io as take_cores.
Result<CpuPool> cpu_pool(const std::string& alloc_root);

/// For the cpuset of a task that is about to start: its own or the shared ones; empty: any.
/// Errors as take_cores.
Result<std::string> cpus_for(const std::string& alloc_root, const TaskLocation& at,
                             std::int64_t count);

/// NOMAD_CPU_CORES of a task that is about to start, which takes them; none without `cores`.
/// Errors as take_cores.
Result<std::map<std::string, std::string>> cores_environment(const std::string& alloc_root,
                                                             const TaskLocation& at,
                                                             const TaskSpec& spec);

/// Those that the task has taken; none when it asked for none. Any thread.
std::vector<int> own_cores(const std::string& alloc_dir, const std::string& task);

/// Whether it had some.
bool give_back_cores(const TaskLocation& at);

}  // namespace gaggle::allocrunner
