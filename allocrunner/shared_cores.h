// Keeps tasks that asked for no `cores` off the processors that others have for themselves.
//
// Who starts next is told where it may run; who runs already is moved whenever the processors that
// are everybody's change. All moves are made one after the other, each by what is taken at that
// moment, so that the last one is right whatever happened meanwhile. Who is where already is
// remembered and not asked for again: a move is a call to an engine or a file of a control group.
// Where nobody asks for cores, nothing is read from the disk.
#pragma once

#include <atomic>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <utility>
#include <vector>

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
    /// What a task left behind was cleared away, and with it processors that were its own.
    void on_cleared(const TaskLocation& at, bool had_cores);
    /// After a start of the agent: some may have been taken under an earlier one.
    void on_scanned();

  private:
    using Key = std::pair<std::string, std::string>;  ///< allocation, task

    /// One start of a task without `cores`. Its spec is large, and read when it is moved.
    struct Member {
        TaskLocation at;
        std::uint64_t start = 0;          ///< another number for each
        std::optional<std::string> cpus;  ///< where it is kept, once it was moved
    };

    bool is_reserved() const;
    Result<void> add_those_on_disk();
    void add(const TaskLocation& at, bool is_new);
    void move_all();
    std::vector<Member> to_move(const std::string& cpus);
    void move(const Member& member, const std::string& cpus);

    Drivers& drivers_;
    WorkPool& workers_;
    std::string alloc_root_;
    std::atomic<bool> asked_ = false;  ///< a move of all waits
    bool scanned_ = false;             ///< of the moves' line alone
    std::mutex mutex_;                 ///< guards what follows
    std::uint64_t starts_ = 0;
    std::map<Key, Member> members_;
};

}  // namespace gaggle::allocrunner
