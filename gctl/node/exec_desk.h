// The far side of every `alloc exec` on this peer: sessions, their windows, their ends.
//
// See exec.h for how the two sides talk. The desk answers questions through the LocalDesk's numbers
// and asks the machine by ExecWork. A question that must wait is held for kExecHold at most, then
// answered with what there is; so a near side that lives is heard at least that often.
#pragma once

#include <deque>
#include <map>
#include <optional>

#include "gctl/node/local_desk.h"

namespace gaggle::node {

class ExecDesk {
  public:
    explicit ExecDesk(LocalDesk& desk) : desk_(desk) {}

    void on(Now now, std::uint64_t work, const PeerId& from, const AllocId& alloc,
            const ExecStart& what, Outbox& out);
    void on(Now now, std::uint64_t work, const PeerId& from, const ExecWrite& what, Outbox& out);
    void on(Now now, std::uint64_t work, const PeerId& from, const ExecRead& what, Outbox& out);
    void on(Now now, std::uint64_t work, const PeerId& from, const ExecStop& what, Outbox& out);
    void on(Now now, const ExecNews& news, Outbox& out);

    void tick(Now now, Outbox& out);
    std::optional<TimePoint> next_wakeup() const;
    std::size_t sessions() const { return sessions_.size(); }

  private:
    struct Held {
        std::uint64_t work = 0;
        TimePoint until;
    };
    struct Session {
        bool runs = false;             ///< ExecBegan was good
        TimePoint heard;               ///< of the near side, last
        std::uint64_t starting = 0;    ///< the work that waits for ExecBegan
        std::deque<ExecPiece> output;  ///< not yet taken, beginning at `output_from`
        std::uint64_t output_from = 0;
        std::uint64_t output_end = 0;
        std::uint64_t granted = 0;      ///< the last ExecMore
        std::uint64_t input_given = 0;  ///< to the machine, in all
        std::uint64_t input_taken = 0;  ///< by the command
        bool input_closed = false;
        std::optional<ExecEnded> ended;
        std::optional<Held> read, write;
    };
    using Sessions = std::map<ExecKey, Session>;

    Session* find(Now now, std::uint64_t work, const ExecKey& key, Outbox& out);
    void answer_read(Now now, Session& session, Outbox& out);
    void answer_write(Now now, Session& session, Outbox& out);
    static void forget_output(Session& session, std::uint64_t before);
    Sessions::iterator end(Now now, Sessions::iterator at, const std::string& why, Outbox& out);

    LocalDesk& desk_;
    Sessions sessions_;
};

}  // namespace gaggle::node
