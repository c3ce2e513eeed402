// Looks inside allocations for whoever asked, on threads of its own: "local" reads logs and files,
// so that a slow disk under them delays nobody else; "figures" measures, for a driver may have to
// ask an engine, and one that hangs is to hold up neither logs nor files. What has waited longer
// than its asker does is not begun any more.
#pragma once

#include <atomic>
#include <condition_variable>
#include <deque>
#include <functional>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <thread>

#include "allocrunner/disk_use.h"
#include "allocrunner/drivers/drivers.h"
#include "gctl/agent/meter.h"
#include "gctl/node/io.h"

namespace gaggle::agent {

/// Waiting, for each of the two threads; more are answered "busy".
inline constexpr std::size_t kLocalQueueMax = 256;

/// The machine as this thread needs it. The functions must be safe for any thread.
struct LocalMachine {
    std::function<std::string(const AllocId&)> alloc_dir;
    std::function<std::optional<allocrunner::DiskUse>(const AllocId&)> disk_use;
    const allocrunner::Drivers* drivers = nullptr;  ///< must outlive the worker
    std::string alloc_root;
    Duration patience = 10s;  ///< of whoever asks, as in gctl/node/route_local.cc
};

class LocalWorker {
  public:
    /// `done` is called on both threads, and in carry_out() when there is no room.
    LocalWorker(LocalMachine machine, std::function<void(node::DoneLocally)> done);
    ~LocalWorker();  ///< as stop()
    LocalWorker(const LocalWorker&) = delete;
    LocalWorker& operator=(const LocalWorker&) = delete;

    void carry_out(node::DoLocally work);
    /// What waits is not done any more, and a measurement ends behind the task under way.
    void stop();

  private:
    struct Waiting {
        node::DoLocally work;
        TimePoint since;
    };
    struct Lane {
        std::condition_variable changed;
        std::deque<Waiting> queue;
        std::thread thread;
    };
    /// What one answer holds fast: how fast a core is, and which drivers did not answer in time.
    struct Round {
        double mhz_per_core = 0;
        std::set<std::string> silent;
    };
    void run(Lane& lane, const char* name);
    Result<node::LocalAnswer> answer_to(const Waiting& waiting);
    /// An error begins with what was attempted, on which allocation.
    Result<node::LocalAnswer> look(const node::DoLocally& work);
    node::AllocFigures measure(const AllocId& alloc, const std::string& task, Round& round);
    std::optional<node::TaskFigures> measure_task(const allocrunner::TaskLocation& at,
                                                  Round& round);
    Result<node::PeerFigures> measure_all();

    const LocalMachine machine_;
    Meter meter_;  ///< of "figures" alone
    const std::function<void(node::DoneLocally)> done_;
    std::mutex mutex_;  ///< guards the queues
    std::atomic<bool> stopping_ = false;
    Lane looking_, measuring_;  // last: their threads use the others
};

}  // namespace gaggle::agent
