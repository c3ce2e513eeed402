// Reading a task's log files as one stream: what `gctl alloc logs` and the API's logs and fs
// endpoints need.
//
// The supervisor writes `alloc/logs/<task>.<stream>.<n>`; n grows, the oldest goes. A reader keeps
// a place (file number and offset in it), so following is reading again from where the last answer
// ended; when the file of that place was rotated away, reading goes on at the oldest that is left
// and says so.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"

namespace gaggle::allocrunner {

enum class LogStream { stdout_stream, stderr_stream };
const char* to_string(LogStream stream);  ///< "stdout", "stderr"

struct LogFile {
    std::uint64_t number = 0;
    std::uint64_t bytes = 0;
};

struct LogPlace {
    std::uint64_t file = 0;
    std::uint64_t offset = 0;
    auto operator<=>(const LogPlace&) const = default;
};

struct LogChunk {
    LogPlace from;          ///< where `bytes` begin
    LogPlace next;          ///< read here next
    Bytes bytes;            ///< empty: nothing more for now
    bool skipped = false;   ///< older bytes were rotated away before they could be read
    std::string file_name;  ///< of `from`, for the API's frames: "alloc/logs/redis.stdout.0"
};

/// Oldest first; empty when the task never wrote. Errc::invalid for a task name that is not a plain
/// file name, Errc::not_found when the allocation has no directory here.
Result<std::vector<LogFile>> log_files(const std::string& alloc_dir, const std::string& task,
                                       LogStream stream);

/// Before a task's start: removes files that are not among the newest `files_max` numbers (there
/// may be many when that was lowered; a supervisor removes one per file it begins) and returns the
/// number to append to; 0 when the task never wrote.
std::uint64_t trim_logs(const std::string& alloc_dir, const std::string& task, LogStream stream,
                        std::uint64_t files_max);

enum class LogOrigin { start, end };

/// The place `offset` bytes after the start or before the end of all that is kept; clamped to what
/// there is.
Result<LogPlace> log_place(const std::string& alloc_dir, const std::string& task, LogStream stream,
                           LogOrigin origin, std::uint64_t offset);

/// Up to `max_bytes` of one file.
Result<LogChunk> read_log(const std::string& alloc_dir, const std::string& task, LogStream stream,
                          LogPlace from, std::size_t max_bytes);

}  // namespace gaggle::allocrunner
