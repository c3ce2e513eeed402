// Looks at the drivers again and again: is there a Docker now, does it still answer.
//
// One thread ("drivers"). What has changed is handed on, so planners place nothing where a driver
// fell ill; drivers remove on the same thread what belongs to nobody (containers, old images).
#pragma once

#include <condition_variable>
#include <functional>
#include <mutex>
#include <string>
#include <thread>

#include "allocrunner/drivers/drivers.h"
#include "gctl/agent/options.h"
#include "gctl/node/io.h"

namespace gaggle::agent {

/// Of all drivers that this version knows; one that the operator switched off says so. May take
/// some seconds.
node::DriversFound look_at(const allocrunner::Drivers& drivers);

/// A driver that is as it was `before` has been so since then.
void keep_times(node::DriversFound& found, const node::DriversFound& before);

allocrunner::DriverSettings driver_settings(const AgentOptions& options);

class DriverWatch {
  public:
    /// `before` is what the last look saw. `changed` is called on the thread.
    DriverWatch(const allocrunner::Drivers& drivers, node::DriversFound before,
                std::string alloc_root, std::function<void(node::DriversFound)> changed);
    ~DriverWatch();  ///< as stop()
    DriverWatch(const DriverWatch&) = delete;
    DriverWatch& operator=(const DriverWatch&) = delete;

    void stop();

  private:
    void run();

    const allocrunner::Drivers& drivers_;
    node::DriversFound before_;
    std::string alloc_root_;
    std::function<void(node::DriversFound)> changed_;
    std::mutex mutex_;
    std::condition_variable wake_;
    bool stopping_ = false;
    std::thread thread_;  // last: it uses the others
};

}  // namespace gaggle::agent
