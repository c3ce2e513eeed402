#include "gctl/agent/render_members.h"

namespace gaggle {

namespace {

using node::MemberInfo;

/// Serf's words, which Nomad's clients know; suspect is ours.
std::string status_of(const MemberInfo& member) {
    if (member.state == "dead") return "failed";
    if (member.state == "unknown") return "none";
    return member.state;
}

const MemberInfo* find(const node::Members& members, const PeerId& id) {
    for (const MemberInfo& member : members.members)
        if (member.id == id) return &member;
    return nullptr;
}

std::string full_name(const MemberInfo& member) { return member.name + "." + member.region; }

Value render_version(const ApiInfo& info) {
    return val(Object{{"Version", val(info.version)},
                      {"VersionPrerelease", val("")},
                      {"VersionMetadata", val("")},
                      {"Revision", val("")}});
}

Value render_stats(const node::SelfInfo& self, const ApiInfo& info) {
    const node::RegionStatus& region = self.region;
    const bool leads = !region.leader.empty() && region.leader == self.member.id;
    const auto text = [](auto number) { return val(std::to_string(number)); };
    const Object nomad{{"server", val("true")},
                       {"leader", val(leads ? "true" : "false")},
                       {"known_regions", val("1")},
                       {"bootstrap", val("false")}};
    const Object raft{{"state", val(leads ? "Leader" : "Follower")},
                      {"role", val(node::to_string(self.member.peer_state.role))},
                      {"term", text(region.term.value)},
                      {"last_log_index", text(region.last.value)},
                      {"commit_index", text(region.commit.value)},
                      {"applied_index", text(region.applied.value)},
                      {"num_peers", text(region.members.size())}};
    const Object client{{"node_id", val(self.member.id)},
                        {"num_allocations", text(self.member.peer_state.capacity.allocations)}};
    return val(Object{{"nomad", val(nomad)},
                      {"raft", val(raft)},
                      {"client", val(client)},
                      {"runtime", val(Object{{"version", val(info.version)}})}});
}

Value render_group_member(const node::GroupMember& member, const node::Members& members) {
    const MemberInfo* known = find(members, member.peer);
    const auto silent = [&] {
        return val(std::chrono::duration_cast<std::chrono::milliseconds>(*member.silent).count());
    };
    return val(Object{{"PeerID", val(member.peer)},
                      {"Name", val(known == nullptr ? "" : known->name)},
                      {"Number", val(member.number)},
                      {"Role", val(node::to_string(member.role))},
                      {"Leader", val(member.leader)},
                      {"Match", val(member.match)},
                      {"SilentMs", member.silent ? silent() : null()}});
}

/// Replicas that gossip does not hold to be alive.
List missing_of(const node::RegionStatus& region, const node::Members& members) {
    List missing;
    for (const node::GroupMember& replica : region.members) {
        const MemberInfo* known = find(members, replica.peer);
        if (known == nullptr)
            missing.push_back(val(replica.peer));
        else if (known->state != "alive" || known->agent_gone)
            missing.push_back(val(known->name));
    }
    return missing;
}

}  // namespace

std::string rpc_address(const MemberInfo& member) {
    const std::string& host = member.endpoint.host;
    const bool v6 = host.find(':') != std::string::npos;
    return (v6 ? "[" + host + "]" : host) + ":" + std::to_string(member.endpoint.base_port);
}

Value render_member(const MemberInfo& member, const ApiInfo& info) {
    const std::string port = std::to_string(member.endpoint.base_port);
    const auto& attributes = member.description.attributes;
    const auto build = attributes.find("gaggle.version");
    const Object tags{{"id", val(member.id)},
                      {"dc", val(member.description.datacenter)},
                      {"region", val(member.region)},
                      {"role", val(node::to_string(member.peer_state.role))},
                      {"port", val(port)},
                      {"rpc_addr", val(member.endpoint.host)},
                      {"http_addr", val(member.description.http_address)},
                      {"build", val(build == attributes.end() ? info.version : build->second)},
                      {"number", val(std::to_string(member.number.value))},
                      {"incarnation", val(std::to_string(member.incarnation))},
                      {"agent", val(member.agent_gone ? "gone" : "ok")},
                      {"curve", val(to_hex(member.endpoint.curve.bytes))}};
    return val(Object{{"Name", val(full_name(member))},
                      {"Addr", val(member.endpoint.host)},
                      {"Port", val(member.endpoint.base_port)},
                      {"Status", val(status_of(member))},
                      {"Tags", val(tags)},
                      {"ProtocolMin", val(1)},
                      {"ProtocolMax", val(1)},
                      {"ProtocolCur", val(1)},
                      {"DelegateMin", val(1)},
                      {"DelegateMax", val(1)},
                      {"DelegateCur", val(1)}});
}

Value render_members(const node::Members& members, const ApiInfo& info) {
    List list;
    for (const MemberInfo& member : members.members) list.push_back(render_member(member, info));
    return val(Object{{"ServerName", val(info.name)},
                      {"ServerRegion", val(info.region)},
                      {"ServerDC", val(info.datacenter)},
                      {"Members", val(std::move(list))}});
}

Value render_self(const node::SelfInfo& self, const ApiInfo& info) {
    const Object enabled{{"Enabled", val(true)}};
    const Object config{{"Version", render_version(info)},
                        {"Region", val(info.region)},
                        {"Datacenter", val(info.datacenter)},
                        {"NodeName", val(info.name)},
                        {"Server", val(enabled)},
                        {"Client", val(enabled)},
                        {"ACL", val(Object{{"Enabled", val(false)}})}};
    return val(Object{{"config", val(config)},
                      {"member", render_member(self.member, info)},
                      {"stats", render_stats(self, info)}});
}

Value render_region(const node::RegionStatus& region, const node::Members& members) {
    List list;
    for (const node::GroupMember& member : region.members)
        list.push_back(render_group_member(member, members));
    return val(Object{{"ID", val(region.id)},
                      {"Name", val(region.name)},
                      {"Epoch", val(region.epoch)},
                      {"Term", val(region.term)},
                      {"LastIndex", val(region.last)},
                      {"CommitIndex", val(region.commit)},
                      {"AppliedIndex", val(region.applied)},
                      {"Leader", region.leader.empty() ? val("") : val(region.leader)},
                      {"HasQuorum", val(region.has_quorum)},
                      {"Members", val(std::move(list))},
                      {"Missing", val(missing_of(region, members))},
                      {"Notes", val(region.notes)}});
}

}  // namespace gaggle
