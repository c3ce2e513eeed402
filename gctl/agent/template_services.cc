#include "gctl/agent/template_services.h"

#include <algorithm>

namespace gaggle {

std::shared_ptr<const setup::Catalogue> template_services(
    const std::vector<node::FoundService>& usable) {
    auto out = std::make_shared<setup::Catalogue>();
    for (const node::FoundService& found : usable) {
        const node::ListedService& service = found.service;
        const allocrunner::ServiceInstance& instance = service.instance;
        (*out)[instance.name].push_back(
            {.id = allocrunner::registration_id(service.alloc, service.group, instance),
             .name = instance.name,
             .node = found.peer_name,
             .address = instance.address,
             .port = instance.port,
             .datacenter = found.datacenter,
             .name_space = service.name_space,
             .job = service.job,
             .alloc = to_string(service.alloc),
             .tags = instance.tags});
    }
    for (auto& [name, instances] : *out)
        std::sort(instances.begin(), instances.end(),
                  [](const auto& a, const auto& b) { return a.id < b.id; });
    return out;
}

}  // namespace gaggle
