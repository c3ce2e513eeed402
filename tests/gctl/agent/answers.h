// What a thread under test answers, one at a time, with a deadline.
#pragma once

#include <doctest/doctest.h>

#include <condition_variable>
#include <deque>
#include <functional>
#include <mutex>

#include "base/time.h"

namespace gaggle::agent {

/// What the other thread said, one at a time.
template <class Said>
class Answers {
  public:
    std::function<void(Said)> take() {
        return [this](Said said) {
            const std::lock_guard lock(mutex_);
            said_.push_back(std::move(said));
            changed_.notify_all();
        };
    }
    Said next() {
        std::unique_lock lock(mutex_);
        REQUIRE(changed_.wait_for(lock, 20s, [this] { return !said_.empty(); }));
        Said out = std::move(said_.front());
        said_.pop_front();
        return out;
    }

  private:
    std::mutex mutex_;
    std::condition_variable changed_;
    std::deque<Said> said_;
};

}  // namespace gaggle::agent
