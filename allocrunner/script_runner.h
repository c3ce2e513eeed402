// Runs the commands of checks inside their tasks, a few at a time.
//
// A command may take as long as its check's timeout, so it has threads of its own ("scripts"): the
// workers that start and stop tasks never wait for one. What it says and how it ends goes out as
// CheckDone.
#pragma once

#include <functional>
#include <memory>

#include "allocrunner/drivers/drivers.h"
#include "allocrunner/effects.h"
#include "allocrunner/input.h"

namespace gaggle::allocrunner {

inline constexpr std::size_t kScriptThreads = 4;
inline constexpr std::size_t kScriptsWaitingMax = 1024;  ///< one more fails at once, in words

class ScriptRunner {
  public:
    /// `alloc_dir_of` and `deliver` are called on its threads.
    ScriptRunner(Drivers& drivers, std::function<std::string(const AllocId&)> alloc_dir_of,
                 std::function<void(Input)> deliver);
    ~ScriptRunner();  ///< as stop()
    ScriptRunner(const ScriptRunner&) = delete;
    ScriptRunner& operator=(const ScriptRunner&) = delete;

    /// Requires a check with a script.
    void run(RunCheck check);

    /// Forgets what waits, kills nothing that runs but waits for it, at most its timeout.
    void stop();

  private:
    struct Impl;
    std::unique_ptr<Impl> impl_;
};

}  // namespace gaggle::allocrunner
