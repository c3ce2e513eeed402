// Tries whether a port of this machine can be had, and finds out who has it when it cannot.
#pragma once

#include <string>
#include <vector>

#include "allocrunner/effects.h"
#include "allocrunner/input.h"

namespace gaggle::allocrunner {

/// Those of `ports` that somebody listens on: at `host_ip`, and at all addresses of the machine,
/// as most tasks do; on a loopback address only there, for several peers may share a machine by
/// these. TCP, and UDP too for dynamic ports: who asked for a number knows what it is for. May read
/// all of /proc when a port is taken.
std::vector<PortsProbed::Taken> taken_ports(const std::string& host_ip,
                                            const std::vector<ProbePorts::Port>& ports);

}  // namespace gaggle::allocrunner
