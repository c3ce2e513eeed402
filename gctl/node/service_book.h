// The catalogue's news added up, for those who look services up: DNS and templates.
//
// What is answered is what can be used now: instances whose checks pass, and those of a suspected
// peer only when there are no others. It lives outside the node, which only tells the news.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "gctl/node/service_list.h"

namespace gaggle::node {

struct WantedService {
    std::string name;  ///< in any case, as DNS compares names
    std::string name_space = "default";
    std::string tag;         ///< empty: any
    std::string datacenter;  ///< empty: any
};

struct FoundService {
    PeerId peer;
    std::string peer_name;
    std::string datacenter;
    ListedService service;
};

class ServiceBook {
  public:
    void take(ServicesOf news);

    struct Found {
        bool known = false;                   ///< somebody offers it, be it in what state
        std::vector<FoundService> instances;  ///< usable ones, in the order of peers
    };
    Found find(const WantedService& wanted) const;

    /// All usable instances of all services, by namespace and name.
    std::vector<FoundService> all() const;

  private:
    std::map<PeerId, ServicesOf> peers_;
    /// Who offers a service: by namespace and by name in lower case.
    std::map<std::pair<std::string, std::string>, std::set<PeerId>> offering_;
};

}  // namespace gaggle::node
