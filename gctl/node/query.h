// What can be asked of a region, and what is answered: the API below its JSON.
//
// The peer that serves HTTP makes a Query, any full copy answers it, JSON is rendered where HTTP is
// served. A blocking query (`index` > 0) waits at the full copy until the table moved past `index`.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <tuple>
#include <vector>

#include "base/time.h"
#include "gctl/node/card.h"
#include "placement/ledger/peer_record.h"
#include "placement/ledger/records.h"

namespace gaggle::node {

enum class QueryKind {
    jobs,  ///< by id prefix
    job,   ///< one job: its record, and its summary's allocations
    job_allocations,
    job_evaluations,
    job_versions,
    allocations,  ///< by id prefix
    allocation,
    evaluations,  ///< by id prefix
    evaluation,
    evaluation_allocations,
    peers,  ///< the API's nodes
    peer,
    peer_allocations,
    planning,  ///< all that a claimant needs to plan one job, even a purged one
    region,    ///< the commit group, for `region status`
    services,  ///< allocations that list instances of services, and their peers
    service,   ///< the same of one service, by its exact name
};
constexpr QueryKind wire_last(QueryKind) { return QueryKind::service; }

struct Query {
    QueryKind kind = QueryKind::jobs;
    std::string name_space = "default";  ///< "*": all
    std::string id;                      ///< exact id, or a prefix for the plural kinds
    std::uint64_t index = 0;             ///< wait until the answer's index is greater
    Duration wait = 5min;                ///< at most this long; 300 s is the limit
    bool stale = false;                  ///< any full copy may answer, without asking the leader
    template <class Self>
    static auto wire_fields(Self& s) {
        return std::tie(s.kind, s.name_space, s.id, s.index, s.wait, s.stale);
    }
};

/// One replica of the commit group, as `region status` shows it.
struct GroupMember {
    PeerId peer;
    PeerNumber number;
    Role role = Role::spare;
    bool leader = false;
    LogIndex match;                  ///< known to be on its disk; 0: unknown
    std::optional<Duration> silent;  ///< since its last answer to the leader
    template <class Self>
    static auto wire_fields(Self& s) {
        return std::tie(s.peer, s.number, s.role, s.leader, s.match, s.silent);
    }
};

struct RegionStatus {
    RegionId id;
    std::string name;
    Epoch epoch;
    Term term;
    LogIndex last;
    LogIndex commit;
    LogIndex applied;
    PeerId leader;            ///< empty: none known
    bool has_quorum = false;  ///< as this replica sees it
    std::vector<GroupMember> members;
    std::vector<std::string> notes;  ///< the planner's decisions in words, newest last
    template <class Self>
    static auto wire_fields(Self& s) {
        return std::tie(s.id, s.name, s.epoch, s.term, s.last, s.commit, s.applied, s.leader,
                        s.has_quorum, s.members, s.notes);
    }
};

/// A copy of an allocation's data, as its holder says when it is asked.
struct CopyState {
    PeerId peer;
    std::string name;
    Generation
        generation;  ///< 0: the ledger names the peer as a holder, and it did not say what it has
    std::uint64_t n = 0;
    WallTime taken_at;
    bool reachable = false;
    template <class Self>
    static auto wire_fields(Self& s) {
        return std::tie(s.peer, s.name, s.generation, s.n, s.taken_at, s.reachable);
    }
};

/// How the jobs are that were dispatched from `parent`: those that the region has not forgotten.
struct JobChildren {
    ledger::JobKey parent;
    std::uint32_t pending = 0, running = 0, dead = 0;
    template <class Self>
    static auto wire_fields(Self& s) {
        return std::tie(s.parent, s.pending, s.running, s.dead);
    }
};

/// Only the fields that the query asks for are filled.
struct Answer {
    std::uint64_t index = 0;    ///< X-Nomad-Index: of the table or object asked for, at least 1
    Duration last_contact{};    ///< X-Nomad-LastContact: how stale the copy may be
    bool known_leader = false;  ///< X-Nomad-KnownLeader
    bool found = true;          ///< false: the one object asked for does not exist
    std::vector<ledger::JobRecord> jobs;
    std::vector<ledger::AllocRecord> allocs;
    std::vector<ledger::EvalRecord> evals;
    std::vector<ledger::PeerRecord> peers;
    std::vector<std::pair<ledger::Slot, ledger::SlotRecord>> slots;  ///< planning: of the job
    std::vector<JobChildren> children;  ///< jobs, job: of those that are dispatched
    std::vector<CopyState> copies;      ///< allocation: filled in by the peer that was asked
    LogTime log_time;                   ///< planning: the ledger's
    LogIndex applied;
    std::optional<RegionStatus> region;
    template <class Self>
    static auto wire_fields(Self& s) {
        return std::tie(s.index, s.last_contact, s.known_leader, s.found, s.jobs, s.allocs, s.evals,
                        s.peers, s.slots, s.children, s.log_time, s.applied, s.region);
    }
};

}  // namespace gaggle::node
