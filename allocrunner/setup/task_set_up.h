// What a task needs before its process can start, as the core hands it over: artifacts to fetch,
// templates to render, a payload to write. The core says when and for which run; this folder does
// it, and knows neither orders nor the core.
#pragma once

#include <map>
#include <string>

#include "placement/jobspec/job.h"

namespace gaggle::allocrunner {

/// Directories of one task.
struct TaskDirs {
    std::string shared;   ///< NOMAD_ALLOC_DIR: alloc/ with data, logs and tmp
    std::string task;     ///< its own directory
    std::string local;    ///< NOMAD_TASK_DIR
    std::string secrets;  ///< NOMAD_SECRETS_DIR
    bool operator==(const TaskDirs&) const = default;
};

enum class SetUpKind {
    first,    ///< nothing was fetched or written for this task yet
    again,    ///< a later run: what was fetched is there, what is rendered is rendered anew
    adopted,  ///< the task runs already: render and watch, and say what differs
};

struct TaskSetUp {
    Task task;  ///< as the job has it: no `${...}` in it is replaced
    std::string name_space;
    std::string job_id;
    std::string group;
    std::string payload;                       ///< of a dispatched job
    std::map<std::string, std::string> env;    ///< complete, without what templates add
    std::map<std::string, std::string> names;  ///< what `${...}` means
    TaskDirs host;                             ///< where the task's directories are on the host
    TaskDirs inside;                           ///< where the task itself sees them
    std::string user;                          ///< who owns what is written; empty: the agent's own
    bool operator==(const TaskSetUp&) const = default;
};

/// What people should know of it.
struct SetUpEvent {
    enum class Kind {
        message,          ///< progress; shown as "Task Setup"
        downloading,      ///< "Downloading Artifacts"
        download_failed,  ///< "Failed Artifact Download"
        templates,        ///< "Template": rendered anew, or what is waited for
        failed,           ///< "Setup Failure"
    };
    Kind kind = Kind::message;
    std::string text;
};

struct SetUpFailure {
    SetUpEvent why;
    bool may_pass = false;  ///< another try may work: the task's restart policy decides
};

}  // namespace gaggle::allocrunner
