#include "gctl/cli/failure.h"

#include <algorithm>
#include <iterator>

namespace gaggle::cli {

namespace {

/// They tell the course of things, not what went wrong.
constexpr const char* kCourse[] = {
    "Received",         "Task Setup",     "Started",
    "Restarting",       "Not Restarting", "Waiting for shutdown delay",
    "Signaling",        "Killing",        "Killed",
    "Leader Task Dead", "Reconnected",    "Main Tasks Dead",
    "Restart Signaled", "Driver",         "Downloading Artifacts",
    "Template",         "Alloc Unhealthy"};

bool tells(const TaskEvent& event) {
    return std::find(std::begin(kCourse), std::end(kCourse), event.type) == std::end(kCourse);
}

}  // namespace

std::vector<Failure> failures_of(const AllocView& alloc) {
    std::vector<Failure> out;
    for (const TaskView& task : alloc.tasks) {
        if (!task.failed) continue;
        const auto last = std::find_if(task.events.rbegin(), task.events.rend(), tells);
        if (last != task.events.rend() && last->type != "Sibling Task Failed")
            out.push_back({task.name, last->type, last->message});
    }
    return out;
}

}  // namespace gaggle::cli
