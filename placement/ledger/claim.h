// A claim: the wish to put an allocation into a slot, on the first of up to four peers that fits.
//
// Claims travel in bundles, one per job and round of planning, with whatever must happen in the
// same instant: the registration that they were planned for, stops, and the end of the evaluation.
// What an allocation asks is not in the claim: the ledger computes it from the job, so nobody can
// lie about it.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <tuple>
#include <vector>

#include "base/bytes.h"
#include "base/time.h"
#include "placement/jobspec/job.h"
#include "placement/ledger/keys.h"

namespace gaggle::ledger {

inline constexpr std::size_t kCandidatesMax = 4;
inline constexpr std::size_t kClaimsMax =
    4096;  ///< per bundle; a larger round is cut by the planner

struct Claim {
    AllocId alloc;  ///< minted by the claimant
    std::string group;
    std::uint32_t index = 0;
    std::optional<std::uint64_t>
        job_version;                  ///< planned for; none: the one that this bundle registers
    std::optional<AllocId> replaces;  ///< stopped when this claim is accepted
    std::optional<Duration> reschedule_delay;  ///< set when it reschedules a failed allocation
    std::vector<PeerNumber> candidates;        ///< 1 to kCandidatesMax, best first
    Bytes explanation;
    template <class Self>
    static auto wire_fields(Self& s) {
        return std::tie(s.alloc, s.group, s.index, s.job_version, s.replaces, s.reschedule_delay,
                        s.candidates, s.explanation);
    }
};

/// Happens whether or not the bundle's claims are accepted. The slot is vacant at once, the
/// resources are free when the peer reports the end.
struct Stop {
    AllocId alloc;
    std::string reason;
    bool evict = false;  ///< for a job of higher priority
    template <class Self>
    static auto wire_fields(Self& s) {
        return std::tie(s.alloc, s.reason, s.evict);
    }
};

struct RegisterJob {
    Job job;
    std::optional<LogIndex>
        check_index;  ///< only if the job's job_modify_index is this; 0: only if there is none
    template <class Self>
    static auto wire_fields(Self& s) {
        return std::tie(s.job, s.check_index);
    }
};

/// Stops the job and all its allocations; nothing is left to plan.
struct Deregister {
    bool purge = false;
    bool no_shutdown_delay = false;  ///< also of those that wait for it already
    template <class Self>
    static auto wire_fields(Self& s) {
        return std::tie(s.purge, s.no_shutdown_delay);
    }
};

/// How an evaluation ended. With queued allocations a blocked one follows, which wakes when room is
/// made.
struct EvalEnd {
    EvalStatus status = EvalStatus::complete;  ///< complete, failed or canceled
    std::string description;
    std::map<std::string, std::uint32_t> queued;
    std::map<std::string, Bytes> failed_groups;
    std::optional<Duration>
        follow_up_after;           ///< look again then, for a failed allocation may be rescheduled
    std::vector<AllocId> waiting;  ///< failed ones that the follow-up will look at again
    template <class Self>
    static auto wire_fields(Self& s) {
        return std::tie(s.status, s.description, s.queued, s.failed_groups, s.follow_up_after,
                        s.waiting);
    }
};

struct Bundle {
    SessionId session;
    std::uint64_t sequence = 0;      ///< from 1, new for each bundle, the same when it is repeated
    std::uint64_t acknowledged = 0;  ///< answers up to this one are no longer needed
    PeerNumber claimant;
    JobKey job;   ///< all of the bundle is about this one (stops may be of others)
    EvalId eval;  ///< made by this bundle when it does not exist
    Trigger opens = Trigger::job_register;  ///< why, when it is made
    std::optional<RegisterJob> registration;
    std::optional<Deregister> deregistration;
    /// Applied index of the state that was planned on; none: nothing was planned. What happened to
    /// the job or its evaluation after it makes the bundle stale.
    std::optional<LogIndex> planned_at;
    std::vector<Stop> stops;
    std::vector<AllocId> in_place;  ///< brought to the current version where they run
    std::vector<Claim> claims;
    bool all_at_once = false;  ///< all claims are accepted, or none
    std::optional<EvalEnd>
        end;  ///< applied if no claim was refused; else the evaluation stays open
    template <class Self>
    static auto wire_fields(Self& s) {
        return std::tie(s.session, s.sequence, s.acknowledged, s.claimant, s.job, s.eval, s.opens,
                        s.registration, s.deregistration, s.planned_at, s.stops, s.in_place,
                        s.claims, s.all_at_once, s.end);
    }
};

}  // namespace gaggle::ledger
