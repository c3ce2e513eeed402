// Requests to other peers that must be answered: found, repeated, given up in time.
//
// A command goes to whoever leads, a query to the leader or, when staleness is allowed, to any full
// copy. Nobody knows for certain who that is, so the courier asks the most likely one, follows
// hints, and repeats until the deadline. All that it carries may arrive twice: commands count once
// by their own means (sessions, keys, start ids).
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <variant>

#include "base/result.h"
#include "base/rng.h"
#include "gctl/node/directory.h"
#include "gctl/node/outbox.h"

namespace gaggle::node {

constexpr Duration kAnswerWait = 1s;          ///< then the request is repeated
constexpr Duration kRetryPause = 50ms;        ///< least time between two tries
constexpr std::size_t kRequestsMax = 16'384;  ///< under way; more are refused at once

class Courier {
  public:
    using SubmitDone = std::function<void(Now, Result<CommandResult>, Outbox&)>;
    using QueryDone = std::function<void(Now, Result<Answer>, Outbox&)>;
    using LocalDone = std::function<void(Now, Result<LocalAnswer>, Outbox&)>;

    Courier(const Directory& directory, PeerId self, Rng rng);

    std::uint64_t submit(Now now, const ledger::Command::What& what, Duration patience,
                         SubmitDone done, Outbox& out);
    std::uint64_t ask(Now now, Query query, Duration patience, QueryDone done, Outbox& out);
    /// `ask.request` is filled in here. One that is gone is not asked, and not waited for once it
    /// is: whoever waits should not do so once for each question.
    std::uint64_t ask_peer(Now now, const PeerId& peer, AskLocal ask, Duration patience,
                           LocalDone done, Outbox& out);
    void cancel(std::uint64_t request) { under_way_.erase(request); }

    void on(Now now, const PeerId& from, const Submitted& answer, Outbox& out);
    void on(Now now, const PeerId& from, AskAnswer answer, Outbox& out);
    void on(Now now, const PeerId& from, LocalAnswered answer, Outbox& out);
    void tick(Now now, Outbox& out);
    std::optional<TimePoint> next_wakeup() const;

    /// Somebody said who leads (the own replica, a hint); empty: nobody.
    void set_leader(const PeerId& leader, bool certain);
    /// This peer has the whole ledger and may answer its own queries.
    void set_full_copy(bool full) { self_full_copy_ = full; }
    PeerId leader() const;
    /// Another peer that has the whole ledger, or may; empty when nobody else is in reach.
    PeerId any_full_copy(const PeerId& but_not);

  private:
    struct SubmitJob {
        Bytes what;
        SubmitDone done;
    };
    struct QueryJob {
        Query query;
        QueryDone done;
    };
    struct LocalJob {
        AskLocal ask;
        LocalDone done;
        PeerId peer;
    };
    struct Request {
        std::variant<SubmitJob, QueryJob, LocalJob> job;
        TimePoint deadline;
        TimePoint next_try;
        PeerId asked;  ///< empty: nobody is being asked
        int tries = 0;
        bool sent = false;  ///< once to anybody
    };

    std::uint64_t begin(Now now, Request request, Outbox& out);
    void attempt(Now now, std::uint64_t id, Request& request, Outbox& out);
    void fail(Now now, Request request, Error error, Outbox& out);
    static std::string why_unanswered(const Request& request);
    /// Why the only peer that can answer will not; empty when it may.
    std::string why_in_vain(const Request& request) const;
    /// Whom to ask next; empty when nobody comes into question now.
    PeerId target(const Request& request);

    const Directory& directory_;
    PeerId self_;
    Rng rng_;
    PeerId leader_;  ///< last that was named
    bool certain_ = false;
    bool self_full_copy_ = false;
    std::uint64_t next_id_ = 1;
    std::map<std::uint64_t, Request> under_way_;
};

}  // namespace gaggle::node
