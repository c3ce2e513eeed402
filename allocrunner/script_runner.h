// Runs commands inside tasks, a few at a time: those of checks and those of changed templates.
//
// A command may take as long as its timeout, so it has threads of its own ("scripts"): the workers
// that start and stop tasks never wait for one. They are made as commands come; of one allocation
// at most kScriptsOfOneMax run at a time, so that one whose commands hang leaves room for others.
// Waiting counts as part of the timeout. What a check's says and how it ends goes out as CheckDone.
#pragma once

#include <functional>
#include <memory>

#include "allocrunner/drivers/drivers.h"
#include "allocrunner/effects.h"
#include "allocrunner/input.h"

namespace gaggle::allocrunner {

inline constexpr std::size_t kScriptThreads = 8;
inline constexpr std::size_t kScriptsOfOneMax = 2;       ///< of one allocation, at a time
inline constexpr std::size_t kScriptsWaitingMax = 1024;  ///< one more fails at once, in words

struct TaskScript {
    AllocId alloc;
    std::string task;
    std::vector<std::string> argv;
    Duration timeout{};
};

class ScriptRunner {
  public:
    /// `alloc_dir_of` and `deliver` are called on its threads.
    ScriptRunner(Drivers& drivers, std::function<std::string(const AllocId&)> alloc_dir_of,
                 std::function<void(Input)> deliver);
    ~ScriptRunner();  ///< as stop()
    ScriptRunner(const ScriptRunner&) = delete;
    ScriptRunner& operator=(const ScriptRunner&) = delete;

    /// `ended` is called on one of its threads, at the latest soon after the timeout, or at once
    /// when too many wait. Not for a script that is given up by stop().
    void run(TaskScript script, std::function<void(const Result<ExecEnd>&)> ended);
    /// Requires a check with a script.
    void run(RunCheck check);

    /// Forgets what waits. What runs has `patience` to end, then it is killed.
    void stop(Duration patience = 5s);

  private:
    struct Impl;
    std::unique_ptr<Impl> impl_;
};

}  // namespace gaggle::allocrunner
