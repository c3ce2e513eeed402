// The services that templates can ask for, as plain data given from outside.
//
// What it is made from (gossip, ledger) is nobody's business here. Only instances that a client
// should be sent to are in it: their checks pass.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

namespace gaggle::setup {

struct ServiceInstance {
    std::string id;
    std::string name;
    std::string node;     ///< the peer's name
    std::string address;  ///< an IP address
    std::int64_t port = 0;
    std::string datacenter;
    std::string name_space;
    std::string job;
    std::string alloc;  ///< the allocation's id
    std::vector<std::string> tags;
    bool operator==(const ServiceInstance&) const = default;
};

/// By name; the instances of one service are in the order of their ids.
using Catalogue = std::map<std::string, std::vector<ServiceInstance>>;
/// Makes it when somebody looks. Called on the thread that renders. Shared: whoever looked keeps
/// it.
using CatalogueSource = std::function<std::shared_ptr<const Catalogue>()>;

}  // namespace gaggle::setup
