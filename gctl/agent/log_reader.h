// The thread "logs": reads tasks' log files, so that a slow disk under them delays nobody else.
#pragma once

#include <condition_variable>
#include <deque>
#include <functional>
#include <mutex>
#include <string>
#include <thread>

#include "gctl/node/io.h"

namespace gaggle::agent {

inline constexpr std::size_t kLogReadsMax = 256;  ///< waiting; more are answered "busy"

/// One read, now: where `what` says, or its error in words.
node::LogsRead read_logs(const std::string& alloc_dir, std::uint64_t read,
                         const node::ReadLogs& what);

class LogReader {
  public:
    /// `dir_of` gives an allocation's directory; `done` is called on the "logs" thread, or in
    /// read() when there is no room.
    LogReader(std::function<std::string(const AllocId&)> dir_of,
              std::function<void(node::LogsRead)> done);
    ~LogReader();  ///< as stop()
    LogReader(const LogReader&) = delete;
    LogReader& operator=(const LogReader&) = delete;

    void read(node::ReadLogFile what);
    /// What waits is not read any more.
    void stop();

  private:
    void run();

    const std::function<std::string(const AllocId&)> dir_of_;
    const std::function<void(node::LogsRead)> done_;
    std::mutex mutex_;
    std::condition_variable changed_;
    std::deque<node::ReadLogFile> queue_;
    bool stopping_ = false;
    std::thread thread_;  // last: it uses the others
};

}  // namespace gaggle::agent
