// Threads for work that may block, where whatever hangs holds up nobody else.
//
// Work belongs to an allocation. Pieces of one run in order and never two at once; those of
// different allocations run side by side on a few threads. A piece may wait for a stranger (a
// plugin, runc, a container engine) that does not answer. So when all threads are busy and none has
// begun anything for `stuck_after`, one more takes part, up to `threads_max`: what hangs keeps a
// thread and its own allocation, nothing else. Threads beyond the usual ones end when there is
// nothing to do.
#pragma once

#include <functional>
#include <memory>

#include "base/ids.h"
#include "base/time.h"

namespace gaggle::allocrunner {

struct WorkPoolConfig {
    std::size_t threads = 4;          ///< that run pieces when nothing hangs; at least 1
    std::size_t threads_max = 64;     ///< all together
    std::size_t pieces_max = 65'536;  ///< that wait, until wait_for_room() waits too
    Duration stuck_after = 250ms;
};

class WorkPool {
  public:
    using Piece = std::function<void()>;

    explicit WorkPool(WorkPoolConfig config);
    ~WorkPool();  ///< as stop()
    WorkPool(const WorkPool&) = delete;
    WorkPool& operator=(const WorkPool&) = delete;

    /// Safe for any thread, also for one that runs a piece. Never waits; does nothing after stop().
    void push(const AllocId& alloc, Piece piece);
    /// For whoever brings work from outside: waits while too much is there. Not from a piece.
    void wait_for_room();
    /// Finishes what was pushed, and waits for it.
    void stop();

  private:
    struct Impl;
    std::unique_ptr<Impl> impl_;
};

}  // namespace gaggle::allocrunner
