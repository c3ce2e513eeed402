// The real machine under a Runner: carries out its work with directories, supervisors and sockets.
//
// carry_out() only queues. A few threads do what may block (work_pool.h: directories, plugins,
// starting supervisors), all work of one allocation in order; what never blocks (signals, checks,
// states to save) is done at once and waits behind nothing. What must be fetched before a task
// can start is fetched beside them (task_fetches.h). One more thread ("links") waits on the sockets
// of all supervisors and on checks under way, and "usage" measures what allocations take of the
// disk (disk_watcher.h). All answer through `deliver`, which is called on those threads and must
// only pass the input on (post it to the node's loop). Stopping it stops no task.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "allocrunner/disk_use.h"
#include "allocrunner/drivers/drivers.h"
#include "allocrunner/effects.h"
#include "allocrunner/input.h"
#include "allocrunner/network/settings.h"
#include "allocrunner/setup/set_ups.h"
#include "allocrunner/work_pool.h"
#include "base/result.h"

namespace gaggle::allocrunner {

struct LocalTasksConfig {
    std::string alloc_root;  ///< absolute; made when missing, mode 0711
    std::string shim_path;   ///< the program gctl-shim
    DriverSettings drivers;  ///< its alloc_root and shim_path are filled in here
    NetworkSettings networks;
    std::string host_ip;  ///< where assigned ports are, as Host::ip
    WorkPoolConfig workers;
    /// Puts the state of order.restore (kind from_copy) into the new allocation's directory; called
    /// on a worker. Returns what to tell people. Without a hook such an order fails.
    std::function<Result<std::string>(const Order&, const std::string& alloc_dir)> restore_copy;
    setup::SetUpsConfig set_ups;  ///< its fetch_path empty: gctl-fetch beside gctl-shim
};

class LocalTasks {
  public:
    static Result<std::unique_ptr<LocalTasks>> open(LocalTasksConfig config,
                                                    std::function<void(Input)> deliver);
    ~LocalTasks();  ///< as stop()
    LocalTasks(const LocalTasks&) = delete;
    LocalTasks& operator=(const LocalTasks&) = delete;

    /// What is on disk and alive; live tasks are connected to. Once, before any carry_out. Blocks;
    /// all supervisors that do not answer together cost it a second.
    Recovered scan();

    void carry_out(Work work);

    /// Something about services changed: templates look there. Must outlive stop().
    void services(setup::CatalogueSource source);

    /// Finishes what is queued, lets go of all supervisors (their tasks run on) and joins the
    /// threads.
    void stop();

    /// The drivers that this peer offers; they may be called from any thread.
    Drivers& drivers();

    /// <alloc root>/<id>
    std::string alloc_dir(const AllocId& alloc) const;
    /// What it takes of the disk, as far as it was measured. Safe for any thread.
    std::optional<DiskUse> disk_use(const AllocId& alloc) const;

  private:
    struct Impl;
    explicit LocalTasks(std::unique_ptr<Impl> impl);
    std::unique_ptr<Impl> impl_;
};

}  // namespace gaggle::allocrunner
