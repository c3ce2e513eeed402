// What founding and joining ask of the machine: a directory of our own, a name, the time of day.
#pragma once

#include <string>

#include "base/result.h"
#include "base/time.h"

namespace gaggle::data_directory {

inline constexpr const char* kIdentity = "/identity";
inline constexpr const char* kIssuer = "/issuer";
inline constexpr const char* kAuthority = "/authority";
inline constexpr const char* kRegion = "/region";

/// Makes `path` with mode 0700, parents too; an existing one is closed to others.
Result<void> prepare(const std::string& path);
/// Lets tasks of any user pass through `path` to their own directories in `alloc`: mode 0711, after
/// all else in it is closed to others.
Result<void> let_tasks_through(const std::string& path);
/// The name of the first thing of ours that lies in `path`; empty when there is none.
std::string first_trace(const std::string& path);
/// A valid label from the machine's host name.
std::string host_label();
WallTime wall_time();

}  // namespace gaggle::data_directory
