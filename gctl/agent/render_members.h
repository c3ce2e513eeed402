// Peers as gossip sees them, and the commit group: what `members` and `region status` show.
#pragma once

#include "gctl/agent/api.h"
#include "gctl/agent/json_value.h"

namespace gaggle {

/// Nomad's AgentMember. Its tags are Nomad's where they have a meaning here (build, dc, region,
/// port, id), else ours (role: voter, standby or spare; number; agent: ok or gone).
Value render_member(const node::MemberInfo& member, const ApiInfo& info);
/// Nomad's answer to agent/members.
Value render_members(const node::Members& members, const ApiInfo& info);
/// Nomad's answer to agent/self, as far as clients read it.
Value render_self(const node::SelfInfo& self, const ApiInfo& info);

/// Ours: GET /v1/region. Names of peers come from `members`.
Value render_region(const node::RegionStatus& region, const node::Members& members);

/// "host:port" of a peer's control socket, as Nomad shows the addresses of its servers.
std::string rpc_address(const node::MemberInfo& member);

}  // namespace gaggle
