// All connections that wait for something to happen: one to each live shim, and checks under way.
//
// One thread ("links") waits on all of them. What happens is handed to `deliver` on that thread,
// which must only pass it on.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "allocrunner/drivers/shim.h"
#include "allocrunner/effects.h"
#include "allocrunner/input.h"

namespace gaggle::allocrunner {

/// The wall clock, for displays.
WallTime wall_clock();

/// A Record as the core speaks of it.
TaskExit exit_of(const shim::Record& record);

/// How long a shim that is asked to kill its task may say nothing before it is killed itself.
/// Longer than it waits for an engine's or a program's answer (shim::kProgramTimeoutMs).
inline constexpr Duration kShimDeafAfter = 25s;

struct TaskPlace {
    AllocId alloc;
    std::string alloc_dir;
    std::string task;

    /// What `ps` shows of its shim behind the program's name.
    std::string title() const { return short_text(alloc) + "/" + task; }
};

class TaskLinks {
  public:
    static Result<std::unique_ptr<TaskLinks>> open(std::function<void(Input)> deliver,
                                                   Duration deaf_after = kShimDeafAfter);
    ~TaskLinks();  ///< as stop()
    TaskLinks(const TaskLinks&) = delete;
    TaskLinks& operator=(const TaskLinks&) = delete;

    /// Says TaskStarted and watches a shim until its task has ended; TaskExited follows in any
    /// case, also when the shim is killed. Whoever signals after TaskStarted finds the task here.
    void watch(TaskPlace place, LiveShim shim);
    /// As watch, for a shim that an earlier agent started. `record` is the last that is known of
    /// the task. When it was not `heard` from the shim, TaskStarted comes once that answers; a shim
    /// that could not be called is called again until it can be or is gone.
    void watch(TaskPlace place, ShimCall call, const shim::Record& record, bool heard);
    /// To a task that is not watched (any more): nothing happens. What is for a shim that could not
    /// be called yet is kept until it is, each signal once.
    void signal(const AllocId& alloc, const std::string& task, std::int32_t number);
    /// Also to a shim that was stopped or hangs, so that no task can make itself unstoppable: one
    /// that was told to kill and has said nothing since for `deaf_after` is killed when it is told
    /// again, and the task with it.
    void kill(const AllocId& alloc, const std::string& task);
    /// CheckDone follows, at the latest after the check's timeout.
    void check(const RunCheck& check);

    /// Closes all connections; tasks run on.
    void stop();

  private:
    struct Impl;
    explicit TaskLinks(std::unique_ptr<Impl> impl);
    std::unique_ptr<Impl> impl_;
};

}  // namespace gaggle::allocrunner
