// A task's log as a stream to one client: read, send, wait, read on.
//
// The next part is read when the last one has left for the client, so a slow reader slows the
// reading and nothing piles up. At the end of a followed log it looks again every 200 ms; Nomad's
// frames carry an empty one each second so that both sides notice a dead connection, and one as
// soon as all has been sent that was there. While the peer that runs the allocation is silent, a
// followed log waits for it for half a minute. A read that fails for good breaks the stream off, so
// that nobody takes what came before for the whole log.
#pragma once

#include <optional>

#include "base/time.h"
#include "gctl/agent/api_exchange.h"

namespace gaggle {

constexpr Duration kLogPollInterval = 200ms;
constexpr Duration kLogHeartbeat = 1s;
constexpr Duration kLogRetryPause = 1s;
constexpr int kLogRetriesMax = 30;  ///< in a row, once the stream has begun

class LogFollow {
  public:
    struct Style {
        bool follow = false;
        bool plain = false;  ///< the bytes as they are, instead of Nomad's frames
    };
    LogFollow(node::ReadLogs from, Style style) : next_(std::move(from)), style_(style) {}

    void read(Exchange& exchange);
    void tick(Exchange& exchange);
    void written(Exchange& exchange);
    std::optional<TimePoint> next_wakeup() const;

  private:
    void got(Exchange& exchange, const node::LogChunk& chunk);
    void missed(Exchange& exchange, const Error& error);
    void begin(Exchange& exchange);
    void beat(Exchange& exchange);
    std::string frame(const node::LogChunk& chunk) const;

    node::ReadLogs next_;
    Style style_;
    bool reading_ = false;
    bool caught_up_ = false;  ///< what was there at the beginning has been sent
    std::optional<TimePoint> read_due_;
    std::optional<TimePoint> heartbeat_due_;
    int misses_ = 0;
};

}  // namespace gaggle
