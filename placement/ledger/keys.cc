#include "placement/ledger/keys.h"

namespace gaggle::ledger {

std::string to_string(const Slot& slot) {
    return slot.job.name_space + "/" + slot.job.id + "." + slot.group + "[" +
           std::to_string(slot.index) + "]";
}

const char* to_string(ClientStatus status) {
    switch (status) {
        case ClientStatus::pending: return "pending";
        case ClientStatus::running: return "running";
        case ClientStatus::complete: return "complete";
        case ClientStatus::failed: return "failed";
        case ClientStatus::lost: return "lost";
        case ClientStatus::unknown: return "unknown";
    }
    return "unknown";
}

const char* to_string(Desired desired) {
    switch (desired) {
        case Desired::run: return "run";
        case Desired::stop: return "stop";
        case Desired::evict: return "evict";
    }
    return "stop";
}

const char* to_string(EvalStatus status) {
    switch (status) {
        case EvalStatus::pending: return "pending";
        case EvalStatus::blocked: return "blocked";
        case EvalStatus::complete: return "complete";
        case EvalStatus::failed: return "failed";
        case EvalStatus::canceled: return "canceled";
    }
    return "failed";
}

const char* to_string(Trigger trigger) {
    switch (trigger) {
        case Trigger::job_register: return "job-register";
        case Trigger::job_deregister: return "job-deregister";
        case Trigger::node_update: return "node-update";
        case Trigger::node_drain: return "node-drain";
        case Trigger::alloc_stop: return "alloc-stop";
        case Trigger::alloc_failure: return "alloc-failure";
        case Trigger::queued_allocs: return "queued-allocs";
        case Trigger::preemption: return "preemption";
    }
    return "job-register";
}

const char* to_string(JobStatus status) {
    switch (status) {
        case JobStatus::pending: return "pending";
        case JobStatus::running: return "running";
        case JobStatus::dead: return "dead";
    }
    return "dead";
}

const char* to_string(PeerStatus status) {
    switch (status) {
        case PeerStatus::initializing: return "initializing";
        case PeerStatus::ready: return "ready";
        case PeerStatus::down:
        case PeerStatus::expelled: return "down";  // Nomad's tools know no expelled node
    }
    return "down";
}

}  // namespace gaggle::ledger
