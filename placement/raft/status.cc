#include "placement/raft/raft.h"

namespace gaggle::raft {

const char* to_string(DropReason reason) {
    switch (reason) {
        case DropReason::not_leader: return "not the leader";
        case DropReason::busy: return "busy";
        case DropReason::invalid: return "invalid";
        case DropReason::not_ready: return "not ready";
        case DropReason::lost: return "lost";
        case DropReason::unknown: return "outcome unknown";
    }
    return "?";
}

const char* to_string(Role role) {
    switch (role) {
        case Role::follower: return "follower";
        case Role::pre_candidate: return "pre-candidate";
        case Role::candidate: return "candidate";
        case Role::leader: return "leader";
    }
    return "?";
}

Status Replica::status() const {
    Status out{.self = config_.self, .role = role(), .term = hard_.term, .leader = known_leader()};
    out.leader_heard = leader_heard_;
    out.first = log_.first();
    out.last = log_.last();
    out.durable = journal_.durable();
    out.commit = commit_;
    out.applied = applied_;
    out.snapshot = snapshot_ ? snapshot_->meta.index : LogIndex{};
    out.log_bytes = log_.bytes_between({log_.first().value - 1}, log_.last());
    out.configuration = log_.configuration();
    out.configuration_index = log_.configuration_index();
    out.counters = counters_;
    out.standby = standby();
    const auto* leader = std::get_if<Leader>(&role_);
    if (!leader) return out;
    out.settled = commit_ >= leader->first_own && out.configuration_index <= commit_ &&
                  !out.configuration.joint();
    for (const auto& [id, progress] : leader->others) {
        const auto peer = out.configuration.peers.find(id);
        if (peer == out.configuration.peers.end()) continue;  // on its way out
        out.others.push_back({.id = id,
                              .peer = peer->second,
                              .voter = out.configuration.is_voter(id),
                              .match = progress.match(),
                              .lag_bytes = log_.bytes_between(progress.match(), log_.last()),
                              .silent = now_ - progress.heard(),
                              .caught_up = streaming(progress)});
    }
    return out;
}

}  // namespace gaggle::raft
