// The instances of services that one peer offers, as peers tell each other.
#pragma once

#include <string>
#include <tuple>
#include <vector>

#include "allocrunner/service_instance.h"
#include "base/ids.h"

namespace gaggle::node {

struct ListedService {
    AllocId alloc;
    std::string name_space;
    std::string job;
    std::string group;
    allocrunner::ServiceInstance instance;
    template <class Self>
    static auto wire_fields(Self& s) {
        return std::tie(s.alloc, s.name_space, s.job, s.group, s.instance);
    }
    bool operator==(const ListedService&) const = default;
};

/// In the order of allocations.
using ServiceList = std::vector<ListedService>;

/// How much a peer's word about its own instances is worth now.
enum class Trust {
    good,
    doubtful,  ///< it is suspected: better ask others, if there are any
    gone,      ///< dead or left: nothing of it is offered any more
};

/// News about one peer's instances; all of them, in place of all before.
struct ServicesOf {
    PeerId peer;
    std::string peer_name;
    std::string datacenter;
    Trust trust = Trust::good;
    ServiceList services;
};

}  // namespace gaggle::node
