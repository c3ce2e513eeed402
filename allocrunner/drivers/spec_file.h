// What a task was started with, kept beside it for whoever deals with it later.
//
//     <alloc>/driver/<task>/spec     the encoded TaskSpec, 0600 for it holds the environment
//     <alloc>/driver/<task>/...      what the driver itself keeps there (a bundle, its log)
#pragma once

#include "allocrunner/drivers/driver.h"
#include "base/result.h"

namespace gaggle::allocrunner {

/// <alloc>/driver/<task>
std::string driver_dir(const TaskLocation& at);

/// Twice does no harm. Requires the allocation's directory.
Result<void> make_driver_dir(const TaskLocation& at);

/// Not made durable: after a crash of the machine there is no task that it could describe.
Result<void> save_spec(const TaskLocation& at, const TaskSpec& spec);

/// Errc::not_found: it never was started; Errc::corrupt.
Result<StartedTask> find_started(const TaskLocation& at);

/// All tasks of an allocation that were started, sorted by name; none where nothing was. One whose
/// spec is missing or damaged has an empty one: no driver. Errc::io when one cannot be looked for.
Result<std::vector<StartedTask>> all_started(const std::string& alloc,
                                             const std::string& alloc_dir);

/// Writes a file of a driver, in its place by rename.
Result<void> write_driver_file(const std::string& path, BytesView bytes);

}  // namespace gaggle::allocrunner
