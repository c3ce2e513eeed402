// The commands inside tasks that somebody types to: one thread "exec" for each, while it lasts.
//
// The node decides (gctl/node/exec_desk.h); here its work is done with a driver's session. A thread
// per session because what a driver does may wait: beginning, reading, a new size, the end. Input
// is written where it arrives when there is room, and by the session's thread when there was none.
// Nothing that the node's thread asks for waits for a driver.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <vector>

#include "allocrunner/drivers/exec_session.h"
#include "gctl/node/exec.h"

namespace gaggle::agent {

/// Sessions that run and those that are being ended; a further one is refused in words.
constexpr std::size_t kExecThreadsMax = 2 * node::kExecSessionsMax;

class ExecWorker {
  public:
    using Session = std::unique_ptr<allocrunner::ExecSession>;
    /// Starts a command in a task; may block, and is called on the session's thread.
    using Open = std::function<Result<Session>(const AllocId& alloc, const std::string& task,
                                               const allocrunner::ExecRequest& request)>;

    /// `news` is called on the sessions' threads and in carry_out().
    ExecWorker(Open open, std::function<void(node::ExecNews)> news);
    ~ExecWorker();  ///< as stop()
    ExecWorker(const ExecWorker&) = delete;
    ExecWorker& operator=(const ExecWorker&) = delete;

    /// Never waits.
    void carry_out(node::ExecWork work);
    /// Kills every command and joins their threads.
    void stop();

  private:
    class Run;
    void begin(const node::ExecKey& key, node::ExecBegin what);
    void join_ended();

    const Open open_;
    const std::function<void(node::ExecNews)> news_;
    // Of the caller's thread:
    std::map<node::ExecKey, std::unique_ptr<Run>> runs_;
    std::vector<std::unique_ptr<Run>> ending_;  ///< killed, and not over yet
};

}  // namespace gaggle::agent
