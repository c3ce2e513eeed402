// A Runner on the real machine: LocalTasks, real shims, real processes, one loop.
#pragma once

#include <condition_variable>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>

#include "allocrunner/local_tasks.h"
#include "allocrunner/runner.h"
#include "tests/allocrunner/scratch.h"

namespace gaggle::allocrunner {

class RealPeer {
  public:
    /// Starts as an agent does: what is in `alloc_root` is taken up again.
    explicit RealPeer(const std::string& alloc_root, const DriverSettings& drivers = {},
                      const NetworkSettings& networks = {});
    ~RealPeer();  ///< as when an agent ends: tasks run on

    void orders(std::vector<Order> orders);
    /// Drives everything until `holds`, for at most 20 s.
    bool until(const std::function<bool()>& holds);
    const AllocStatus& status(const AllocId& alloc) const;
    std::int64_t pid(const AllocId& alloc, const std::string& task = "main") const {
        return status(alloc).tasks.at(task).pid;
    }
    std::string log(const AllocId& alloc, const std::string& file) const;

    Runner runner;
    std::unique_ptr<LocalTasks> tasks;

  private:
    void feed(const Input& input);

    std::mutex mutex_;
    std::condition_variable arrived_;
    std::deque<Input> inbox_;
};

/// raw_exec of `sh -c script`.
Order shell(std::uint8_t number, const std::string& script, JobType type = JobType::service);

}  // namespace gaggle::allocrunner
