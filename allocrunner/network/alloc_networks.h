// Sets up the networks of allocations on this machine, and takes every trace of them away.
//
// Before anything is made, a record of what will be is written into the allocation's directory:
// whatever is interrupted at whatever moment, the record names what there may be to take away.
//
//     <alloc dir>/network/record                       how to undo it, sealed by a checksum
//     <alloc dir>/network/{resolv.conf,hosts,hostname}  what the tasks see in /etc
//
// A reboot takes namespace, bridge and rules with it; setting up again notices, tells the plugins
// that the old one is gone, and makes a new one. Safe to be used by several threads for different
// allocations. All calls block, on plugins as long as `plugin_timeout` for each.
#pragma once

#include <optional>
#include <string>

#include "allocrunner/network/request.h"
#include "allocrunner/network/settings.h"
#include "base/result.h"

namespace gaggle::allocrunner {

class AllocNetworks {
  public:
    explicit AllocNetworks(NetworkSettings settings) : settings_(std::move(settings)) {}

    /// Nothing when the request is for the machine's own network without an addition. What is there
    /// already as asked, and is found in order, stays. After an error nothing is left behind.
    Result<std::optional<AllocNetwork>> set_up(const std::string& alloc_dir,
                                               const NetworkRequest& request);

    /// What an earlier agent set up and had complete, as its record says; no plugin is asked.
    static std::optional<AllocNetwork> recorded(const std::string& alloc_dir);

    /// Fine when there is nothing. After an error the record stays, so it can be tried again.
    Result<void> tear_down(const std::string& alloc_dir);

  private:
    NetworkSettings settings_;
};

}  // namespace gaggle::allocrunner
