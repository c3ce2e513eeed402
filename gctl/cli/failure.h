// Why an allocation failed, in the words of its tasks' events.
//
// A task that failed ends with events that say only that it is over ("Not Restarting", "Sibling
// Task Failed"); what it died of stands before them.
#pragma once

#include <string>
#include <vector>

#include "gctl/cli/model.h"

namespace gaggle::cli {

struct Failure {
    std::string task;
    std::string type;  ///< of the telling event: "Driver Failure", "Terminated"
    std::string message;

    /// It ran, so it may have said more itself.
    bool ran() const { return type == "Terminated"; }
    bool operator==(const Failure&) const = default;
};

/// One for each task that failed by itself; nothing when no event tells.
std::vector<Failure> failures_of(const AllocView& alloc);

}  // namespace gaggle::cli
