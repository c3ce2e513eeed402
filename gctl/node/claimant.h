// Plans jobs and claims places for them: what makes every peer a scheduler.
//
// A registration or an evaluation goes round: read the job's own allocations from a full copy, plan
// on this peer's view, submit a bundle of claims, read the verdicts. Refused claims repair the
// view, and the round starts again after a pause, a few times; what then has no place stays queued
// in a blocked evaluation. A copy may lag: a plan made before what it must see is answered as
// stale, and the next one is made on the leader's state. A retried bundle counts once (sessions).
// Nothing here decides what is accepted.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <vector>

#include "gctl/node/courier.h"
#include "gctl/node/directory.h"
#include "gctl/node/group.h"
#include "gctl/node/outbox.h"

namespace gaggle::node {

constexpr int kPlanAttemptsMax = 6;              ///< rounds without progress
constexpr std::size_t kClaimsPerBundle = 400;    ///< a larger plan goes out in several rounds
constexpr std::size_t kClaimantWorkMax = 4'096;  ///< under way at once
constexpr Duration kClaimPatience = 10s;         ///< for the leader's answer; a user waits for it

class Claimant {
  public:
    Claimant(PeerNumber self, const Directory& directory, const Group& group, Courier& courier,
             Rng rng);

    void set_number(PeerNumber number) { number_ = number; }
    /// Answered by an ApiReply with the request's id.
    void on(Now now, std::uint64_t request, const RegisterJob& what, Outbox& out);
    void on(Now now, std::uint64_t request, const PlanJob& what, Outbox& out);
    void on(Now now, std::uint64_t request, const DeregisterJob& what, Outbox& out);
    /// The leader handed out an evaluation.
    void on(Now now, const DoEvaluation& what, Outbox& out);
    void tick(Now now, Outbox& out);
    std::optional<TimePoint> next_wakeup() const;

  private:
    enum class Kind { registration, dry_run, deregistration, evaluation };
    struct Work {
        Kind kind = Kind::evaluation;
        std::optional<std::uint64_t> request;  ///< of the API, when somebody waits
        ledger::JobKey key;
        std::optional<Job> job;  ///< to be registered; kept until that was applied
        std::optional<LogIndex> check_index;
        ledger::Deregister stop;  ///< of a deregistration
        EvalId eval;
        LogIndex since;  ///< a state before this does not show what the evaluation is for
        int attempts = 0;
        int stale = 0;  ///< rounds that came too late
        bool certain = false;  ///< the next read asks the leader
        std::vector<SlotRefusal> refusals;
        std::map<AllocId, GroupSlot> claimed;  ///< of the bundle under way, in its claims' order
        std::vector<AllocId> order;
        Registered result;
        std::optional<TimePoint> again_at;
    };
    using Id = std::uint64_t;

    void begin(Now now, Work work, Outbox& out);
    void read(Now now, Id id, Outbox& out);
    void plan(Now now, Id id, const Answer& state, Outbox& out);
    void reply_planned(const Work& work, const Answer& state, Plan plan, Outbox& out);
    ledger::Bundle bundle_of(Work& work, const Answer& state, const Plan& plan);
    void submit(Now now, Id id, ledger::Bundle bundle, Outbox& out);
    void open_session(Now now, Id id, ledger::Bundle bundle, Outbox& out);
    void judged(Now now, Id id, const ledger::Bundle& bundle, const CommandResult& result,
                Outbox& out);
    bool take_verdicts(Work& work, const ledger::BundleAnswer& answer);
    void again(Now now, Work& work);
    void finish(Id id, Outbox& out);
    void fail(Id id, Error error, Outbox& out);

    PeerNumber number_;
    const Directory& directory_;
    const Group& group_;
    Courier& courier_;
    Rng rng_;
    SessionId session_;
    bool session_open_ = false;
    std::uint64_t sequence_ = 0;
    std::set<std::uint64_t> unanswered_;  ///< sequences under way
    Id next_ = 1;
    std::map<Id, Work> works_;
    struct Overlay {
        PeerNumber peer;
        Ask ask;
    };
    std::map<AllocId, Overlay> overlay_;  ///< own claims without a verdict
};

}  // namespace gaggle::node
