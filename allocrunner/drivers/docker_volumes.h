// What a container sees of the host: the allocation's directories, and what the job mounts besides.
#pragma once

#include "allocrunner/drivers/docker_container.h"

namespace gaggle::allocrunner {

/// Fills in HostConfig's Binds and Mounts. A source that is not absolute is below the task's
/// directory and may not leave it; an absolute one needs the operator's leave (Errc::denied).
Result<void> put_volumes(const TaskSpec& spec, const ConfigReader& options,
                         const ContainerFacts& facts, Value::Map& host);

}  // namespace gaggle::allocrunner
