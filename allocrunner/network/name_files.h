// The texts of /etc/resolv.conf and /etc/hosts that an allocation's tasks see.
#pragma once

#include <string>
#include <string_view>

#include "allocrunner/network/alloc_network.h"

namespace gaggle::allocrunner {

/// Servers, search domains and options of a resolv.conf (resolv.conf(5)); of several `search` or
/// `domain` lines the last one counts. What cannot be understood is left out.
DnsConfig parse_resolv_conf(std::string_view text);

/// True when there are servers and all are loopback addresses, as of systemd's stub: nobody answers
/// there from within another network namespace.
bool only_local_servers(const DnsConfig& dns);

/// Each list from `first` if it has one, else from `second`: what the job says wins.
DnsConfig prefer(const DnsConfig& first, const DnsConfig& second);

std::string resolv_conf(const DnsConfig& dns);

/// `ip` empty: the name stands for the loopback address.
std::string hosts_file(const std::string& ip, const std::string& hostname);

}  // namespace gaggle::allocrunner
