// What the ledger holds about jobs, allocations, evaluations and slots.
//
// Plain data that queries send as they are. Every record carries the log index of its creation and
// of its last change, which the API shows and blocking queries wait for. Wall times are the
// leader's and for display; everything that is decided is decided on LogTime, which never goes
// back.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <tuple>
#include <vector>

#include "base/bytes.h"
#include "base/time.h"
#include "placement/fit/fits.h"
#include "placement/jobspec/job.h"
#include "placement/ledger/keys.h"

namespace gaggle::ledger {

/// One registered state of a job. Stopping makes a version too: claims for the one before are
/// stale.
struct JobVersion {
    Job job;
    std::uint64_t version = 0;  ///< from 0
    bool stopped = false;
    WallTime submitted;
    LogIndex index;  ///< of the entry that made it
    template <class Self>
    static auto wire_fields(Self& s) {
        return std::tie(s.job, s.version, s.stopped, s.submitted, s.index);
    }
};

/// Allocations of a group by client status, and how many still wait for a place.
struct GroupSummary {
    std::uint32_t queued = 0, complete = 0, failed = 0, running = 0, starting = 0, lost = 0,
                  unknown = 0;
    bool operator==(const GroupSummary&) const = default;
    template <class Self>
    static auto wire_fields(Self& s) {
        return std::tie(s.queued, s.complete, s.failed, s.running, s.starting, s.lost, s.unknown);
    }
};

struct JobRecord {
    /// The newest `Policy::versions_kept`, and older ones while an allocation on the books has
    /// them. Never empty.
    std::map<std::uint64_t, JobVersion> versions;
    JobStatus status = JobStatus::pending;
    bool purged =
        false;  ///< as if it did not exist, for queries; kept until its allocations are gone
    std::map<std::string, GroupSummary> summary;
    LogIndex create_index;
    LogIndex modify_index;      ///< of any change, its status included
    LogIndex job_modify_index;  ///< of the last registration or stop; what a check-and-set names
    LogTime changed;
    const JobVersion& current() const { return versions.rbegin()->second; }
    template <class Self>
    static auto wire_fields(Self& s) {
        return std::tie(s.versions, s.status, s.purged, s.summary, s.create_index, s.modify_index,
                        s.job_modify_index, s.changed);
    }
};

/// One rescheduling on the way to an allocation (an entry of Nomad's RescheduleTracker).
struct Reschedule {
    LogTime when;
    WallTime wall;
    AllocId previous;
    PeerNumber peer;
    Duration delay{};
    template <class Self>
    static auto wire_fields(Self& s) {
        return std::tie(s.when, s.wall, s.previous, s.peer, s.delay);
    }
};

/// An allocation's entry in the catalogue of services.
struct Listing {
    Bytes instances;        ///< as its peer last told, opaque here; empty: not listed (any more)
    LogIndex create_index;  ///< since when it is listed without a break
    LogIndex modify_index;  ///< last change, also that to nothing
    template <class Self>
    static auto wire_fields(Self& s) {
        return std::tie(s.instances, s.create_index, s.modify_index);
    }
};

struct AllocRecord {
    AllocId id;
    EvalId eval;
    Slot slot;
    std::uint64_t job_version = 0;
    PeerNumber peer;
    Ask ask;  ///< what it took of the peer's books
    std::vector<AssignedPort> ports;
    Desired desired = Desired::run;
    std::string desired_reason;
    ClientStatus client = ClientStatus::pending;
    bool healthy = false;
    bool settled = false;  ///< the peer itself reported it terminal; no longer among its orders
    Bytes status;          ///< the peer's last report, opaque here
    Listing services;      ///< nothing once it is terminal
    Bytes explanation;     ///< the claimant's scores, opaque here
    std::optional<AllocId> previous;  ///< replaced by this one, or the last one in its slot
    std::optional<AllocId> next;      ///< took its slot
    Generation generation;            ///< log index of its claim
    std::vector<Reschedule> reschedules;
    LogIndex create_index;
    LogIndex modify_index;
    WallTime create_time;
    WallTime modify_time;
    LogTime changed;                  ///< of its client status
    std::optional<LogTime> lost_due;  ///< when it will be `lost`, for its peer is down
    bool migrate = false;             ///< somebody asked that it moves (StopAlloc)
    bool no_shutdown_delay = false;   ///< it is stopped without its shutdown_delay
    bool for_good = false;            ///< failed in a way that no other peer would mend
    std::optional<EvalId> follow_up;  ///< failed: this evaluation will look at it again

    /// Counts in its peer's books.
    bool holds_resources() const { return !terminal(client); }
    /// Is, or may be, the holder of its slot.
    bool holds_slot() const { return desired == Desired::run && !terminal(client); }
    template <class Self>
    static auto wire_fields(Self& s) {
        return std::tie(s.id, s.eval, s.slot, s.job_version, s.peer, s.ask, s.ports, s.desired,
                        s.desired_reason, s.client, s.healthy, s.settled, s.status, s.services,
                        s.explanation, s.previous, s.next, s.generation, s.reschedules,
                        s.create_index, s.modify_index, s.create_time, s.modify_time, s.changed,
                        s.lost_due, s.migrate, s.no_shutdown_delay, s.for_good, s.follow_up);
    }
};

/// Work to be done for a job: look at what should run and what runs, and claim the difference.
/// A blocked evaluation is looked at again after the first, then after twice as long each time.
inline constexpr Duration kBlockedReviewMin = 30s;
inline constexpr Duration kBlockedReviewMax = 10min;

struct EvalRecord {
    EvalId id;
    JobKey job;
    JobType type = JobType::service;
    Trigger trigger = Trigger::job_register;
    EvalStatus status = EvalStatus::pending;
    std::string description;
    std::int64_t priority = 50;
    std::optional<PeerNumber> peer;  ///< whose change caused it
    std::optional<EvalId> previous, next, blocked;
    std::map<std::string, std::uint32_t> queued;  ///< by group: wanted but not placed
    std::map<std::string, Bytes>
        failed_groups;                  ///< by group: the planner's explanation, opaque here
    std::optional<LogTime> wait_until;  ///< nobody should take it before
    WallTime wait_until_wall;
    std::optional<PeerNumber> taken_by;
    LogTime taken_until;
    LogTime review_at;           ///< of a blocked one: it is work again then, room or none
    Duration review_after{};     ///< the wait before that
    LogIndex since;  ///< it must see what happened up to here: a plan on an older state is stale
    LogIndex create_index;
    LogIndex modify_index;
    WallTime create_time;
    WallTime modify_time;
    LogTime changed;

    /// Somebody may take it now.
    bool workable() const { return status == EvalStatus::pending && !wait_until && !taken_by; }
    template <class Self>
    static auto wire_fields(Self& s) {
        return std::tie(s.id, s.job, s.type, s.trigger, s.status, s.description, s.priority, s.peer,
                        s.previous, s.next, s.blocked, s.queued, s.failed_groups, s.wait_until,
                        s.wait_until_wall, s.taken_by, s.taken_until, s.review_at, s.review_after,
                        s.since, s.create_index, s.modify_index, s.create_time, s.modify_time,
                        s.changed);
    }
};

/// A lineage: who holds the slot, who did before, and which peers have copies of its data.
struct SlotRecord {
    std::optional<AllocId> holder;  ///< holds_slot() is true for it
    std::optional<AllocId> last;    ///< the newest allocation that was accepted here
    std::vector<PeerNumber>
        peers;              ///< where it lived, newest first, each once, at most kPeersRemembered
    Generation generation;  ///< of the newest accepted claim
    std::map<PeerNumber, Generation> copies;  ///< generation of the copy that each holder has
    template <class Self>
    static auto wire_fields(Self& s) {
        return std::tie(s.holder, s.last, s.peers, s.generation, s.copies);
    }
};

inline constexpr std::size_t kPeersRemembered = 4;

}  // namespace gaggle::ledger
