#include "gctl/agent/render_service.h"

#include <algorithm>
#include <set>

#include "allocrunner/service_instance.h"
#include "base/hash.h"
#include "base/wire.h"

namespace gaggle {

namespace {

using allocrunner::ServiceInstance;

/// What this version cannot read is left out.
std::vector<ServiceInstance> instances_of(const ledger::AllocRecord& alloc) {
    if (alloc.services.instances.empty()) return {};
    auto instances =
        decode<std::vector<ServiceInstance>>(alloc.services.instances, "instances of services");
    return instances.ok() ? std::move(*instances) : std::vector<ServiceInstance>{};
}

const char* health_text(allocrunner::CheckStatus health) {
    switch (health) {
        case allocrunner::CheckStatus::success: return "passing";
        case allocrunner::CheckStatus::pending: return "pending";
        case allocrunner::CheckStatus::failure: return "failing";
    }
    return "pending";
}

Value render(const ledger::AllocRecord& alloc, const ServiceInstance& instance,
             const ledger::PeerRecord* peer) {
    return val(
        Object{{"ID", val(allocrunner::registration_id(alloc.id, alloc.slot.group, instance))},
               {"ServiceName", val(instance.name)},
               {"Namespace", val(alloc.slot.job.name_space)},
               {"NodeID", peer == nullptr ? val("") : val(peer->who.id)},
               {"Datacenter", peer == nullptr ? val("") : val(peer->description.datacenter)},
               {"JobID", val(alloc.slot.job.id)},
               {"AllocID", val(alloc.id)},
               {"TaskName", val(instance.task)},
               {"Tags", or_null(instance.tags)},
               {"Address", val(instance.address)},
               {"Port", val(instance.port)},
               {"Health", val(health_text(instance.health))},
               {"CreateIndex", val(alloc.services.create_index)},
               {"ModifyIndex", val(alloc.services.modify_index)}});
}

const std::string& id_of(const Value& registration) {
    return std::get<std::string>(member(registration, "ID")->data);
}

}  // namespace

Value::List render_registrations(const node::Answer& answer, const std::string& name) {
    std::map<PeerNumber, const ledger::PeerRecord*> peers;
    for (const ledger::PeerRecord& peer : answer.peers) peers[peer.number] = &peer;
    List out;
    for (const ledger::AllocRecord& alloc : answer.allocs) {
        const auto peer = peers.find(alloc.peer);
        for (const ServiceInstance& instance : instances_of(alloc))
            if (name.empty() || instance.name == name)
                out.push_back(
                    render(alloc, instance, peer == peers.end() ? nullptr : peer->second));
    }
    std::sort(out.begin(), out.end(),
              [](const Value& a, const Value& b) { return id_of(a) < id_of(b); });
    return out;
}

Value::List render_service_names(const node::Answer& answer) {
    std::map<std::string, std::map<std::string, std::set<std::string>>> spaces;
    for (const ledger::AllocRecord& alloc : answer.allocs)
        for (const ServiceInstance& instance : instances_of(alloc))
            spaces[alloc.slot.job.name_space][instance.name].insert(instance.tags.begin(),
                                                                    instance.tags.end());
    List out;
    for (const auto& [space, services] : spaces) {
        List names;
        for (const auto& [name, tags] : services) {
            const std::vector<std::string> sorted(tags.begin(), tags.end());
            names.push_back(val(Object{{"ServiceName", val(name)}, {"Tags", val(sorted)}}));
        }
        out.push_back(val(Object{{"Namespace", val(space)}, {"Services", val(std::move(names))}}));
    }
    return out;
}

Value::List chosen(Value::List registrations, std::size_t count, const std::string& key) {
    std::vector<std::pair<Hash, Value>> ranked;
    const Hash seed = hash_of(to_bytes(key));
    for (Value& one : registrations) {
        const Hash rank = hash_of(seed, to_bytes(id_of(one)));
        ranked.emplace_back(rank, std::move(one));
    }
    std::sort(ranked.begin(), ranked.end(),
              [](const auto& a, const auto& b) { return a.first < b.first; });
    List out;
    for (auto& [rank, one] : ranked)
        if (out.size() < count) out.push_back(std::move(one));
    return out;
}

}  // namespace gaggle
