// Where a path of a job file points, and that it stays inside of the allocation.
//
// Such a path is relative to the task's directory (`local/app.conf`), or begins with a directory as
// the task sees it (`${NOMAD_SECRETS_DIR}/key`, which is /secrets for a driver with a root of its
// own), or leads to the shared directory (`../alloc/data/x`). Any other absolute path is taken as
// beneath the task's directory, as Nomad does. This file is the lexical half; beneath_posix.h
// refuses links that lead out.
#pragma once

#include <string>
#include <string_view>

#include "allocrunner/setup/task_set_up.h"
#include "base/result.h"

namespace gaggle::setup {

using allocrunner::TaskDirs;

struct Destination {
    enum class Root { task, shared };
    Root root = Root::task;
    std::string path;  ///< beneath the root, without "." and ".."; empty: the root itself
    bool operator==(const Destination&) const = default;
};

/// Errc::denied when it leads out of both directories.
Result<Destination> destination_of(const TaskDirs& host, const TaskDirs& inside,
                                   std::string_view text);

/// The root's path on the host.
const std::string& root_of(const TaskDirs& host, const Destination& destination);

}  // namespace gaggle::setup
