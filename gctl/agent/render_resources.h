// What an allocation was given: Nomad's AllocatedResources, and the older shape of the same.
#pragma once

#include "allocrunner/alloc_status.h"
#include "gctl/agent/json_value.h"
#include "placement/ledger/peer_record.h"
#include "placement/ledger/records.h"

namespace gaggle {

struct ResourceSubject {
    const ledger::AllocRecord& alloc;
    const Job* job = nullptr;                  ///< may be unknown
    const ledger::PeerRecord* peer = nullptr;  ///< may be unknown
    /// Of its tasks, by name, as their peer reports them.
    std::map<std::string, allocrunner::TaskState> states;
};

Value render_allocated(const ResourceSubject& subject);
/// Resources, SharedResources and TaskResources, which Nomad still sends to older clients.
void add_legacy_resources(Object& alloc, const ResourceSubject& subject);

/// Nomad's DNSConfig.
Value render_dns(const DnsConfig& dns);

/// Nomad's old Resources: of a task, an allocation or a node.
Value render_legacy(const Amounts& amounts, MegaBytes memory_max, Value networks);

}  // namespace gaggle
