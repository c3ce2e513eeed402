// The instances of an allocation's services: where they are, and which of them are offered now.
//
// A task's service is offered while the task runs, a group's while all tasks of the allocation do;
// neither is from the moment when a stop is asked for, so that nobody is sent there during the
// shutdown delay. A service whose port or address cannot be found is never offered: its checks say
// why. Names, tags and address modes are Nomad's: "host" is the peer's address and the port on it,
// "alloc" the allocation's own address and the port inside; "auto" is "host".
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "allocrunner/network/alloc_network.h"
#include "allocrunner/order.h"
#include "allocrunner/service_instance.h"

namespace gaggle::allocrunner {

/// Of one allocation's instances together, encoded; what comes after that is not offered.
/// Validation of a job refuses one that would get near it.
inline constexpr std::size_t kInstancesBytesMax = 30U << 10U;

class Services {
  public:
    /// `network` is the allocation's own; nothing while it has none or shares the host's.
    Services(const Host& host, const Order& order, const std::optional<AllocNetwork>& network);

    /// `serves(task)` is whether that task runs and is to go on; of "": whether all do.
    std::vector<ServiceInstance> offered(const std::function<bool(const std::string&)>& serves,
                                         const std::vector<CheckHealth>& checks) const;

  private:
    void add(const Host& host, const Order& order, const Task* task,
             const std::optional<AllocNetwork>& network);

    std::vector<ServiceInstance> all_;
    std::size_t bytes_ = 0;  ///< of all_, encoded
};

/// Where a service with this port and address mode is reached; port 0 when the label is
/// neither one of the group's network nor a number.
struct ServiceAddress {
    std::string host;
    std::uint16_t port = 0;
};
ServiceAddress service_address(const Host& host, const Order& order, const std::string& inside,
                               const std::string& mode, const std::string& label);

}  // namespace gaggle::allocrunner
