// A task's log, or a file of an allocation, as a stream to one client: read, send, wait, read on.
//
// The next part is read when the last one has left for the client, so a slow reader slows the
// reading and nothing piles up. At the end of what is followed it looks again every 200 ms; Nomad's
// frames carry an empty one each second so that both sides notice a dead connection, and one as
// soon as all has been sent that was there. A followed log ends when its task will write no more,
// which a blocking query says, and what it wrote until then has been read. While the peer that runs
// the allocation is silent, a follower waits for it for half a minute, unless the peer was lost. A
// read that fails for good breaks the stream off, so that nobody takes what came before for the
// whole.
#pragma once

#include <optional>
#include <variant>

#include "base/time.h"
#include "gctl/agent/api_exchange.h"
#include "gctl/agent/api_local.h"

namespace gaggle {

constexpr Duration kTailPollInterval = 200ms;
constexpr Duration kTailHeartbeat = 1s;
constexpr Duration kTailRetryPause = 1s;
constexpr Duration kTailWatchWait = 10s;   ///< of the query that says when the task has ended
constexpr Duration kTailWatchPause = 1s;   ///< after one that failed
constexpr Duration kTailPatience = 30s;  ///< without an answer, once the stream has begun

class Tail : public Flow {
  public:
    struct Source {
        AllocId alloc;
        std::variant<node::ReadLogs, node::ReadFile> what;
        Ending ending = Ending::none;  ///< of a log's task, as far as it is known
        std::uint64_t index = 0;       ///< of the record that said so
    };
    struct Style {
        bool follow = false;
        bool plain = false;                  ///< the bytes as they are, instead of Nomad's frames
        std::optional<std::uint64_t> limit;  ///< so many bytes at most
    };
    Tail(Source from, Style style) : source_(std::move(from)), style_(style) {}

    void read(Exchange& exchange);
    void tick(Exchange& exchange) override;
    void written(Exchange& exchange) override;
    std::optional<TimePoint> next_wakeup() const override;

  private:
    /// What was read, whatever it was read from.
    struct Part {
        std::string file;
        std::uint64_t end = 0;  ///< offset in the file behind the data
        Bytes data;
        std::string event;  ///< Nomad's FileEvent: "file deleted", "file truncated"
    };
    void got(Exchange& exchange, Part part);
    void missed(Exchange& exchange, const Error& error);
    void begin(Exchange& exchange);
    bool may_end(const Exchange& exchange) const;
    void watch(Exchange& exchange);
    void heard(Exchange& exchange, const node::Answer& answer);
    void beat(Exchange& exchange);
    Part take(node::ReadLogs& from, node::LogChunk& chunk);
    Part take(node::ReadFile& from, node::FileChunk& chunk);
    static std::string frame(const Part& part);

    Source source_;
    Style style_;
    PeerId peer_;  ///< that answered last
    bool reading_ = false;
    Ending read_ending_ = Ending::none;  ///< as it was known when the last read was asked for
    bool watching_ = false;
    bool caught_up_ = false;  ///< what was there at the beginning has been sent
    std::uint64_t sent_ = 0;
    std::optional<TimePoint> read_due_;
    std::optional<TimePoint> heartbeat_due_;
    std::optional<TimePoint> watch_due_;
    TimePoint asked_;                        ///< the last read was
    std::optional<TimePoint> silent_since_;  ///< since this read none was answered
};

/// The stream from its first read on; ends the exchange's handler.
void begin_tail(Exchange& exchange, Tail::Source from, Tail::Style style);

}  // namespace gaggle
