#include <pthread.h>

#include <chrono>

#include "base/log.h"
#include "gctl/agent/disk_thread.h"

namespace gaggle::agent {

namespace {

using Clock = std::chrono::steady_clock;
constexpr Duration kGuardInterval = 1s;

}  // namespace

DiskThread::DiskThread(std::unique_ptr<store::Store> store, RegionId region, Epoch epoch,
                       std::function<void(node::Stored)> done)
    : region_(region),
      epoch_(epoch),
      done_(std::move(done)),
      store_(std::move(store)),
      thread_([this] { run(); }) {}

DiskThread::~DiskThread() { stop(); }

void DiskThread::write(node::StoreWrite write) {
    const std::lock_guard lock(mutex_);
    INVARIANT(!next_);
    next_ = std::move(write);
    changed_.notify_one();
}

void DiskThread::stop() {
    {
        const std::lock_guard lock(mutex_);
        stopping_ = true;
        changed_.notify_one();
    }
    if (thread_.joinable()) thread_.join();
}

void DiskThread::run() {
    ::pthread_setname_np(::pthread_self(), "disk");
    std::optional<Clock::time_point> guard_due;
    std::unique_lock lock(mutex_);
    for (;;) {
        const auto due = [this] { return stopping_ || next_; };
        if (guard_due)
            changed_.wait_until(lock, *guard_due, due);
        else
            changed_.wait(lock, due);
        if (stopping_ && !next_) break;
        const std::optional<node::StoreWrite> write = std::exchange(next_, std::nullopt);
        lock.unlock();
        if (write) done_(carry_out(*write));
        if (guard_due && Clock::now() >= *guard_due) {
            guard_due.reset();
            note_in_guard();
        }
        if (write && !guard_due) guard_due = Clock::now() + kGuardInterval;
        lock.lock();
    }
    store_.reset();
}

/// A failure is the store's for good: the next write tells the node.
void DiskThread::note_in_guard() {
    if (const auto noted = store_->refresh_guard(); !noted.ok())
        log::error("{}", noted.error().detail);
}

node::Stored DiskThread::carry_out(const node::StoreWrite& write) {
    const auto written =
        write.begin_replica
            ? store_->begin_replica({region_, epoch_, *write.begin_replica}, {}, write.keys)
            : store_->write({.raft = write.raft, .keys = write.keys});
    if (written.ok()) return {.token = write.token, .error = {}};
    log::error("{}; this peer goes on without a part in the commit group", written.error().detail);
    return {.token = write.token, .error = written.error().detail};
}

}  // namespace gaggle::agent
