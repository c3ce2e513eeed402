// From an order to what its network is to be: the group's `network` block, interpolated.
#pragma once

#include "allocrunner/network/request.h"
#include "allocrunner/order.h"

namespace gaggle::allocrunner {

/// A group without the block, or with mode "host" and nothing else, needs no network of its own
/// (needs_network). A port without `to` is the same inside as on the host.
NetworkRequest network_request(const Host& host, const Order& order);

}  // namespace gaggle::allocrunner
