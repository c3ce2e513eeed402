// The defaults of services and of what is made ready before a task; canonical.cc walks the job.
#pragma once

#include <string>
#include <vector>

#include "placement/jobspec/job.h"

namespace gaggle {

inline void default_to(std::string& text, const std::string& value) {
    if (text.empty()) text = value;
}

/// Where a service stands; `task` is empty for a group's.
struct Owner {
    const Job& job;
    const std::string& group;
    const std::string& task;
};

/// Names from `${BASE}` and its like, each check's task, and the service's check_restart under that
/// of its checks.
void fill_services(std::vector<Service>& services, const Owner& owner);
/// Lifecycle, artifacts and templates.
void fill_setup(Task& task);

}  // namespace gaggle
