// The catalogue's news added up, for those who look services up: DNS and templates.
//
// What is answered is what can be used now: instances whose checks pass, and those of a suspected
// peer only when there are no others. It lives outside the node, which only tells the news, and
// hands out what one peer offers under one name as it is, shared and never changed: so those who
// look hold a lock for a moment, however much they make of it.
#pragma once

#include <map>
#include <memory>
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

struct FoundServices {
    bool known = false;                   ///< somebody offers it, be it in what state
    std::vector<FoundService> instances;  ///< usable ones, in the order of peers
};

/// What one peer offers of one service. `services` have one name and namespace.
struct ServiceOffer {
    PeerId peer;
    std::string peer_name;
    std::string datacenter;
    Trust trust = Trust::good;
    ServiceList services;
};
/// Of one service, in the order of peers. Shared: whoever looks keeps it while the book goes on.
using ServiceOffers = std::vector<std::shared_ptr<const ServiceOffer>>;

/// Of `offers`, those with the tag and in the datacenter that are wanted.
FoundServices usable(const ServiceOffers& offers, const WantedService& wanted);

class ServiceBook {
  public:
    void take(ServicesOf news);

    ServiceOffers offers(const WantedService& wanted) const;
    /// Of all services, by namespace and name.
    std::vector<ServiceOffers> all_offers() const;
    FoundServices find(const WantedService& wanted) const { return usable(offers(wanted), wanted); }

  private:
    using Key = std::pair<std::string, std::string>;  ///< namespace, name in lower case
    std::map<Key, std::map<PeerId, std::shared_ptr<const ServiceOffer>>> offers_;
    std::map<PeerId, std::vector<Key>> offered_by_;
};

/// All instances of all services whose checks pass, also those of suspected peers: who acts on a
/// change, as a template does by a restart, should not act on a doubt that passes within a second.
std::vector<FoundService> all_usable(const std::vector<ServiceOffers>& offers);

}  // namespace gaggle::node
