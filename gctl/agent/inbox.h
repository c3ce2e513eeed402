// All that other threads tell the node: one queue with two doors.
//
// What this peer asked for itself (a write, a task, a request of the API) is bounded by the asking
// and must not be lost; what strangers and peers send is not, so beyond a limit it is dropped and
// counted, and the protocols above mend that. Own answers are handed out first: a flood from
// outside delays no disk and no task.
#pragma once

#include <cstddef>
#include <deque>
#include <functional>
#include <mutex>
#include <vector>

#include "gctl/node/io.h"

namespace gaggle::agent {

struct InboxLimits {
    std::size_t frames_max = 16'384;
    std::size_t frame_bytes_max = 64U << 20U;
};

/// Safe for any thread.
class Inbox {
  public:
    /// `wake` is called when something waits that the reader has not been woken for.
    Inbox(InboxLimits limits, std::function<void()> wake);

    void put(node::Input own);
    /// A frame or a knock of `bytes`; false: dropped.
    bool offer(node::Input foreign, std::size_t bytes);

    /// The next inputs, at most `count`. While this is not empty the reader comes again by itself;
    /// after an empty answer it waits to be woken.
    std::vector<node::Input> take(std::size_t count);

    std::uint64_t dropped() const;

  private:
    struct Foreign {
        node::Input input;
        std::size_t bytes = 0;
    };

    bool must_wake();

    const InboxLimits limits_;
    const std::function<void()> wake_;
    mutable std::mutex mutex_;
    std::deque<node::Input> own_;
    std::deque<Foreign> foreign_;
    std::size_t foreign_bytes_ = 0;
    bool woken_ = false;
    std::uint64_t dropped_ = 0;
};

}  // namespace gaggle::agent
