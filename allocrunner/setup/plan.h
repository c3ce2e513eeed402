// What one task needs before its process can start, with nothing left to interpolate.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "allocrunner/setup/task_set_up.h"
#include "base/bytes.h"
#include "base/ids.h"
#include "placement/jobspec/job_setup.h"

namespace gaggle::setup {

using allocrunner::TaskDirs;

struct TaskKey {
    AllocId alloc;
    std::string task;
    auto operator<=>(const TaskKey&) const = default;
};

struct Payload {
    std::string file;  ///< beneath the task's `local`
    Bytes bytes;
};

struct Plan {
    TaskKey key;
    std::string name_space = "default";
    std::string user;                        ///< who owns what is written; empty: the agent's own
    TaskDirs host;                           ///< where the task's directories are on the host
    TaskDirs inside;                         ///< where the task itself sees them
    std::map<std::string, std::string> env;  ///< the task's, without what templates add
    std::vector<Artifact> artifacts;
    std::vector<Template> templates;
    std::optional<Payload> payload;
};

}  // namespace gaggle::setup
