// The logs of all tasks of a job as one stream, wherever they run. Ours: Nomad has no such path.
//
// For each task of each allocation there is a source, read from the peer that runs it as a single
// log is (api_tail.h). A blocking query says when allocations come and end; while the stream is
// followed, new ones join. Frames are Nomad's with `AllocID` and `Task`, and one with `CaughtUp`
// once a source has sent all that was there. Few pieces are under way to the client at a time, so a
// slow one slows the reading; the sources take turns, so a talkative one does not silence others,
// and few reads go to one peer at a time, so one that does not answer holds up its own tasks only.
// A source that cannot be read is left out, and its frame says why. While nothing is said, a
// follower gets an empty frame each second: both sides notice a dead connection, and the reader
// that time passes.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>

#include "base/time.h"
#include "gctl/agent/api_exchange.h"

namespace gaggle {

constexpr Duration kJobLogsPoll = 200ms;   ///< for a few sources; more are read less often
constexpr Duration kJobLogsListWait = 5s;  ///< a job can end without a change of allocations
constexpr Duration kJobLogsRetryPause = 1s;
constexpr Duration kJobLogsHeartbeat = 1s;
/// Between two lists of a followed job's allocations: each is large when they are many, and while
/// they start there is a new one with every entry of the log.
constexpr Duration kJobLogsListPause = 500ms;
constexpr Duration kJobLogsPatience = 30s;     ///< without an answer, of one source
constexpr std::size_t kJobLogsPiecesMax = 16;  ///< on their way to the client
constexpr std::size_t kJobLogsReadsMax = 32;   ///< under way at a time
constexpr std::size_t kJobLogsReadsPerPeer = 4;
constexpr std::size_t kJobLogsSourcesMax = 2'000;  ///< at a time; others begin when some have ended

class JobLogs : public Flow {
  public:
    struct Wanted {
        std::string name_space;
        std::string job;
        std::string task;     ///< empty: all
        node::ReadLogs from;  ///< but for the task's name
        bool follow = false;
    };
    explicit JobLogs(Wanted wanted) : wanted_(std::move(wanted)) {}

    void list(Exchange& exchange);
    void tick(Exchange& exchange) override;
    void written(Exchange& exchange) override;
    std::optional<TimePoint> next_wakeup() const override;

  private:
    using Key = std::pair<AllocId, std::string>;
    struct Source {
        node::ReadLogs next;
        PeerId peer;         ///< that answered last
        PeerNumber home;     ///< that runs it
        bool ended = false;  ///< the allocation is over: nothing is written any more
        bool lost = false;   ///< and its peer with it: it is asked once
        bool reading = false;
        bool read_ended = false;  ///< `ended` when the read under way was asked for
        bool caught_up = false;
        bool done = false;
        TimePoint due;
        TimePoint asked;
        std::optional<TimePoint> silent_since;  ///< since this read none was answered
    };

    void listed(Exchange& exchange, const node::Answer& answer);
    void take_in(Exchange& exchange, const node::Answer& answer);
    void add(Exchange& exchange, const ledger::AllocRecord& alloc, const std::string& task);
    void pump(Exchange& exchange);
    bool may_read(const Exchange& exchange, const Source& source) const;
    void read(Exchange& exchange, const Key& key, Source& source);
    void got(Exchange& exchange, const Key& key, Source& source, const node::LogChunk& chunk);
    void missed(Exchange& exchange, const Key& key, Source& source, const Error& error);
    void say(Exchange& exchange, const Key& key, std::map<std::string, Value> what);
    void end_if_over(Exchange& exchange);

    Wanted wanted_;
    std::map<Key, Source> sources_;  ///< those that are not done, but for a moment
    std::set<Key> done_;             ///< of the last list
    bool left_out_ = false;          ///< some of the last list, for there were too many
    Key last_read_;                  ///< the next turn begins behind it
    std::map<PeerNumber, std::size_t> reads_at_;  ///< of `reads_`
    std::uint64_t index_ = 0;                     ///< of the last list
    bool listing_ = false;
    std::optional<TimePoint> heartbeat_due_;
    std::optional<TimePoint> list_due_;
    bool job_over_ = false;
    std::size_t pieces_ = 0;
    std::size_t reads_ = 0;
};

}  // namespace gaggle
