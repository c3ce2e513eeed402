// What gctl-shim is told to start, once a driver has made everything ready.
#pragma once

#include <string>
#include <variant>
#include <vector>

#include "allocrunner/network/alloc_network.h"

namespace gaggle::allocrunner {

/// A process of the host: the shim forks it.
struct LaunchProcess {
    std::string executable;  ///< a path
    TaskNetwork network;     ///< to enter first
    std::string user;        ///< to become; empty: the agent's own
    std::string group;       ///< the directory of a control group to be in; empty: none
};

/// A container whose first process becomes the shim's child: programs make it, start it and remove
/// it (runc).
struct LaunchContainer {
    std::vector<std::string> create;  ///< leaves the first process waiting, its id in `pid_file`
    std::vector<std::string> start;
    std::vector<std::string> remove;
    std::string pid_file;
    std::string oom_file;  ///< has a line "oom_kill <count>" (cgroup events)
    std::string log_file;  ///< where the programs say why they failed, a line of JSON each
};

/// A container of an engine that is reached over its Unix socket (Docker, Podman).
struct LaunchEngine {
    std::string socket;
    std::string container;
    bool terminal = false;  ///< its output is one stream
};

using Launch = std::variant<LaunchProcess, LaunchContainer, LaunchEngine>;

}  // namespace gaggle::allocrunner
