// Task names that an allocation's directory keeps for itself.
//
// A task's directory lies beside the files by which a restarted agent finds the task again
// (docs/wire.md, section 13), so no task can have a name of theirs. Here, in the lowest layer that
// knows tasks, because the validator refuses such a job and the runner relies on it.
#pragma once

#include <algorithm>
#include <iterator>
#include <string_view>

namespace gaggle {

inline constexpr std::string_view kTakenTaskNames[] = {
    ".",     "..",        "alloc",               // shared by all tasks
    "order", "order.new", "state", "state.new",  // a draft is renamed once it is at rest
    "exit",  "exit.new",  "shim",  "network",   "driver",
};

inline bool is_taken_task_name(std::string_view name) {
    return std::find(std::begin(kTakenTaskNames), std::end(kTakenTaskNames), name) !=
           std::end(kTakenTaskNames);
}

}  // namespace gaggle
