// The data directory that an agent lives in, and how it comes to have one.
//
// An agent without cluster data refuses to start and prints both ways to get some: founding is an
// act, nobody founds by accident. Two starts make it themselves: `--invitation-file` joins first,
// and `--dev` founds a region of its own, by default in a temporary directory.
#pragma once

#include <string>

#include "gctl/agent/cluster.h"

namespace gaggle::agent {

struct Home {
    std::string data_dir;  ///< absolute
    ClusterFile cluster;   ///< with what the options say in place of what it said
    bool temporary = false;
};

/// Joins or founds when the options say so. Blocks while it knocks at seeds.
Result<Home> home_for(const AgentOptions& options);

/// Removes a temporary one with all that is in it; what cannot be removed is logged.
void leave(const Home& home);

/// The program that supervises tasks: `gctl-shim` beside this program. `not_found` says where it
/// was looked for.
Result<std::string> find_shim();

}  // namespace gaggle::agent
