// The event loop of the node's thread: posted work, one alarm, signals, and bare connects.
//
// Everything that touches the node runs here, one after another, on the thread that called run().
// Nothing on it may block.
#pragma once

#include <functional>
#include <memory>

#include "base/time.h"
#include "crypto/endpoint.h"

namespace gaggle::agent {

/// How a bare TCP connect to a peer's control port ended.
enum class ConnectOutcome {
    accepted,
    refused,  ///< nobody listens there: its agent is gone, its machine is not
    silent,   ///< no answer in time, no route, no such name: nobody knows
};

inline constexpr Duration kConnectTimeout = 500ms;
inline constexpr std::size_t kConnectTestsMax = 64;  ///< at once; more are `silent` at once

class EventLoop {
  public:
    EventLoop();
    ~EventLoop();
    EventLoop(const EventLoop&) = delete;
    EventLoop& operator=(const EventLoop&) = delete;

    /// From any thread; whoever posts keeps what he posts within bounds (see Inbox).
    void post(std::function<void()> work);

    // The rest only on the loop's thread, or before run().

    /// There is one alarm: a new one takes the place of the last.
    void set_alarm(Duration from_now, std::function<void()> ring);
    void after(Duration from_now, std::function<void()> then);
    /// SIGTERM, SIGINT and, unless it is ignored already (nohup), SIGHUP; for each that comes from
    /// here on, not only the first, but never before run().
    void on_signal(std::function<void(int signal)> handle);
    /// Connects, closes at once, and tells.
    void test_connect(const Endpoint& endpoint, std::function<void(ConnectOutcome)> done);

    /// Until stop().
    void run();
    void stop();

  private:
    struct Impl;
    std::unique_ptr<Impl> impl_;
};

}  // namespace gaggle::agent
