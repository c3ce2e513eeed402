// The thread "copies": carries out the work of a Replica on the real disk.
//
// carry_out() only queues; results are given to `deliver`, which is called on the thread and must
// only pass them on (post them to the node's loop). The work under way at a time is bounded by the
// Replica's Config, and so is the queue; should it be full nevertheless, carry_out() waits.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "allocrunner/replica/copier.h"

namespace gaggle::replica {

struct CopyWorkerConfig {
    std::string root;  ///< existing directory that holds both places, on one file system
    Places places;     ///< below it; `copies` is made when missing
    std::size_t queue_max = 16'384;
};

class CopyWorker {
  public:
    static Result<std::unique_ptr<CopyWorker>> open(CopyWorkerConfig config,
                                                    std::function<void(Input)> deliver);
    ~CopyWorker();  ///< as stop()
    CopyWorker(const CopyWorker&) = delete;
    CopyWorker& operator=(const CopyWorker&) = delete;

    /// What is complete on disk; damaged copies are logged and left alone. Once, before any work.
    /// Blocks.
    Recovered recover();

    void carry_out(Work work);

    /// Moves the copy that is held here into <allocs>/<id>: a rename, safe to repeat. For the hook
    /// of allocrunner::LocalTasks; may be called from any thread, waits for a commit under way.
    Result<std::string> restore(const Lineage& lineage, const AllocId& alloc);

    /// Finishes the piece of work under way, forgets what is queued, joins the thread.
    void stop();

  private:
    struct Impl;
    explicit CopyWorker(std::unique_ptr<Impl> impl);
    std::unique_ptr<Impl> impl_;
};

}  // namespace gaggle::replica
