// The thread "local": looks inside allocations for whoever asked, so that a slow disk under them
// delays nobody else.
#pragma once

#include <condition_variable>
#include <deque>
#include <functional>
#include <mutex>
#include <optional>
#include <string>
#include <thread>

#include "allocrunner/disk_use.h"
#include "allocrunner/drivers/drivers.h"
#include "gctl/agent/meter.h"
#include "gctl/node/io.h"

namespace gaggle::agent {

inline constexpr std::size_t kLocalQueueMax = 256;  ///< waiting; more are answered "busy"

/// The machine as this thread needs it. The functions must be safe for any thread.
struct LocalMachine {
    std::function<std::string(const AllocId&)> alloc_dir;
    std::function<std::optional<allocrunner::DiskUse>(const AllocId&)> disk_use;
    const allocrunner::Drivers* drivers = nullptr;  ///< must outlive the worker
    std::string alloc_root;
};

class LocalWorker {
  public:
    /// `done` is called on the "local" thread, or in carry_out() when there is no room.
    LocalWorker(LocalMachine machine, std::function<void(node::DoneLocally)> done);
    ~LocalWorker();  ///< as stop()
    LocalWorker(const LocalWorker&) = delete;
    LocalWorker& operator=(const LocalWorker&) = delete;

    void carry_out(node::DoLocally work);
    /// What waits is not done any more.
    void stop();

  private:
    void run();
    /// An error begins with what was attempted, on which allocation.
    Result<node::LocalAnswer> look(const node::DoLocally& work);
    Result<node::AllocFigures> measure(const AllocId& alloc, const std::string& task);
    Result<node::PeerFigures> measure_all();

    const LocalMachine machine_;
    Meter meter_;  ///< of the thread alone
    const std::function<void(node::DoneLocally)> done_;
    std::mutex mutex_;
    std::condition_variable changed_;
    std::deque<node::DoLocally> queue_;
    bool stopping_ = false;
    std::thread thread_;  // last: it uses the others
};

}  // namespace gaggle::agent
