// The ledger's data: what a snapshot carries, and the indexes that follow from it.
//
// Only sorted containers, so that equal states have equal bytes and nothing depends on a hash.
// Everything in Indexes can be computed from State; it is, after a restore, and contradiction()
// compares the two.
#pragma once

#include <map>
#include <set>
#include <string>
#include <tuple>
#include <utility>

#include "placement/ledger/peer_record.h"
#include "placement/ledger/records.h"
#include "placement/ledger/sessions.h"

namespace gaggle::ledger {

struct TableIndexes {
    LogIndex jobs, allocs, evals, peers, services;
    template <class Self>
    static auto wire_fields(Self& s) {
        return std::tie(s.jobs, s.allocs, s.evals, s.peers, s.services);
    }
};

struct State {
    RegionId region;  ///< empty until founded
    std::string region_name;
    Epoch epoch{1};
    Policy policy;
    std::uint32_t feature_level = 1;
    LogIndex applied;
    LogTime time;
    LogTime swept;            ///< when finished things were last collected
    bool collecting = false;  ///< whatever their age: the next entries go on with it
    LogIndex collected;       ///< of the last Collect
    LogIndex room_index;      ///< last entry that made room somewhere
    PeerNumber last_peer;     ///< highest number given
    TableIndexes tables;
    std::map<JobKey, JobRecord> jobs;
    std::map<AllocId, AllocRecord> allocs;
    std::map<EvalId, EvalRecord> evals;
    std::map<PeerNumber, PeerRecord> peers;
    std::map<Slot, SlotRecord> slots;
    Sessions sessions;
    std::map<Serial, std::uint32_t> uses;  ///< of invitations
    std::set<Serial> revoked;
    std::map<PeerId, Bytes> expulsions;
    template <class Self>
    static auto wire_fields(Self& s) {
        return std::tie(s.region, s.region_name, s.epoch, s.policy, s.feature_level, s.applied,
                        s.time, s.swept, s.collecting, s.collected, s.room_index, s.last_peer,
                        s.tables, s.jobs, s.allocs, s.evals, s.peers, s.slots, s.sessions, s.uses,
                        s.revoked, s.expulsions);
    }
};

struct Indexes {
    std::map<JobKey, std::set<AllocId>> allocs_of;
    std::map<PeerNumber, std::set<AllocId>> allocs_on;
    std::map<JobKey, std::set<EvalId>> evals_of;
    std::map<PeerId, PeerNumber> numbers;
    std::set<EvalId> workable;
    std::set<EvalId> blocked;
    std::set<std::pair<LogTime, AllocId>> lost_due;
    std::set<std::pair<LogTime, EvalId>> eval_due;  ///< ends of waits and of leases, reviews
    std::set<std::pair<LogTime, std::pair<PeerNumber, std::uint16_t>>> rest_due;
    bool operator==(const Indexes&) const = default;

    void add(const AllocRecord& alloc);
    void remove(const AllocRecord& alloc);
    void add(const EvalRecord& eval);
    void remove(const EvalRecord& eval);
    void add(const PeerRecord& peer);
};

struct Tables {
    State state;
    Indexes indexes;
};

/// All of them, from the state alone.
Indexes indexes_of(const State& state);
/// See Ledger::contradiction().
std::optional<std::string> contradiction(const Tables& tables);

/// The job's allocations by group and client status; `queued` is left 0.
std::map<std::string, GroupSummary> count(const Tables& tables, const JobKey& job);

}  // namespace gaggle::ledger
