// Keeps tasks that asked for no `cores` off the processors that others have for themselves.
//
// Who starts next is told where it may run; who runs already is moved whenever a task takes cores
// or gives some back. All moves are made one after the other, each by what is taken at that moment,
// so that the last one is right whatever happened meanwhile.
#pragma once

#include <atomic>
#include <string>

#include "allocrunner/drivers/drivers.h"
#include "allocrunner/work_pool.h"

namespace gaggle::allocrunner {

class SharedCores {
  public:
    /// Both must outlive this; the pool is stopped first.
    SharedCores(Drivers& drivers, WorkPool& workers, std::string alloc_root)
        : drivers_(drivers), workers_(workers), alloc_root_(std::move(alloc_root)) {}

    /// A task runs now. What was taken while it was being started may have missed it.
    void on_started(const TaskLocation& at, const TaskSpec& spec);
    /// What a task left behind was cleared away.
    void on_cleared(const TaskSpec& spec);
    /// After a start of the agent.
    void on_scanned();

  private:
    bool is_reserved() const;
    void move_all();
    void move(const StartedTask& task, const std::string& cpus);

    Drivers& drivers_;
    WorkPool& workers_;
    std::string alloc_root_;
    std::atomic<bool> asked_ = false;  ///< a move of all waits
};

}  // namespace gaggle::allocrunner
