// What tasks need from elsewhere before they start, each thing once for all that wait for it.
//
// Every fetch has a thread ("images") for as long as it takes, up to kFetchThreads; further ones
// wait for their turn. When the last task that waited for something is stopped, it is given up.
#pragma once

#include <compare>
#include <functional>
#include <memory>
#include <string>

#include "allocrunner/drivers/fetching.h"
#include "base/ids.h"

namespace gaggle::allocrunner {

inline constexpr std::size_t kFetchThreads = 16;

class TaskFetches {
  public:
    struct Key {
        AllocId alloc;
        std::string task;
        auto operator<=>(const Key&) const = default;
    };
    struct Waiter {
        std::function<void(const std::string&)> say;
        std::function<void(const Result<void>&)> ended;
    };

    TaskFetches();
    ~TaskFetches();  ///< as stop()
    TaskFetches(const TaskFetches&) = delete;
    TaskFetches& operator=(const TaskFetches&) = delete;

    /// `waiter` is called on a thread of this and must only pass on what it hears. A task waits for
    /// one thing at a time.
    void begin(const Key& task, Fetching what, Waiter waiter);
    /// The task needs it no more. True: it waited, and its waiter is not called any more.
    bool end(const Key& task);
    /// Gives up whatever is under way; no waiter is called any more.
    void stop();

  private:
    struct Impl;
    std::unique_ptr<Impl> impl_;
};

}  // namespace gaggle::allocrunner
