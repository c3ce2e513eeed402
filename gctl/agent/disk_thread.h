// The thread "disk": it owns the store, and syncs while the node goes on.
//
// One write is under way at a time; what the node wants meanwhile is its next one, so writes gather
// by themselves while the disk is busy (group commit without a timer). About a second after a write
// it lets the guard file know.
#pragma once

#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <thread>

#include "gctl/node/io.h"
#include "gctl/store/store.h"

namespace gaggle::agent {

class DiskThread {
  public:
    /// `done` is called on the "disk" thread after each write. A replica that is begun belongs to
    /// `region` and `epoch`.
    DiskThread(std::unique_ptr<store::Store> store, RegionId region, Epoch epoch,
               std::function<void(node::Stored)> done);
    ~DiskThread();  ///< as stop()
    DiskThread(const DiskThread&) = delete;
    DiskThread& operator=(const DiskThread&) = delete;

    /// Requires that the last one was answered. The answer carries the error of a store that
    /// failed.
    void write(node::StoreWrite write);
    /// Finishes the write under way, closes the store and ends the thread.
    void stop();

  private:
    void run();
    node::Stored carry_out(const node::StoreWrite& write);
    void note_in_guard();

    const RegionId region_;
    const Epoch epoch_;
    const std::function<void(node::Stored)> done_;
    std::unique_ptr<store::Store> store_;  ///< the thread's, once it runs

    std::mutex mutex_;
    std::condition_variable changed_;
    std::optional<node::StoreWrite> next_;
    bool stopping_ = false;
    std::thread thread_;  // last: it uses the others
};

}  // namespace gaggle::agent
