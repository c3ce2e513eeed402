// The commands inside tasks that somebody types to: one thread "exec" for each, while it lasts.
//
// The node decides (gctl/node/exec_desk.h); here its work is done with a driver's session. A thread
// per session because a driver's read waits, and there are kExecSessionsMax at most. Input is
// written where it arrives when there is room, and by the session's thread when there was none.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <mutex>

#include "allocrunner/drivers/exec_session.h"
#include "gctl/node/exec.h"

namespace gaggle::agent {

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

    void carry_out(node::ExecWork work);
    /// Kills every command and joins their threads.
    void stop();

  private:
    class Run;
    void join_ended();

    const Open open_;
    const std::function<void(node::ExecNews)> news_;
    std::map<node::ExecKey, std::unique_ptr<Run>> runs_;  ///< of the caller's thread
};

}  // namespace gaggle::agent
