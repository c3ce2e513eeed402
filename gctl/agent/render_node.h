// Peers as the API shows them: Nomad's nodes.
#pragma once

#include "gctl/agent/json_value.h"
#include "placement/ledger/peer_record.h"

namespace gaggle {

/// The name it gives itself, or the one it was admitted with.
const std::string& name_of(const ledger::PeerRecord& peer);
/// Where its allocations' ports are: the host that it advertises.
std::string address_of(const ledger::PeerRecord& peer);

/// Nomad's NodeListStub; `resources`: with what the node has and what it keeps for itself.
Value render_node_stub(const ledger::PeerRecord& peer, bool resources = false);
/// Nomad's Node. `Number` is ours.
Value render_node(const ledger::PeerRecord& peer);

}  // namespace gaggle
