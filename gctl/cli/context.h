// What every command gets: the machine, the console, and a way to the agent.
#pragma once

#include "gctl/cli/api.h"
#include "gctl/cli/command.h"
#include "gctl/cli/console.h"
#include "gctl/cli/world.h"

namespace gaggle::cli {

struct Context {
    const World& world;
    Console& console;
    Connect connect;
    bool json = false;

    /// The agent that was named, or the one on this machine, with its token if one is found.
    /// Connects to nobody yet. `invalid`: what was named is no address.
    Result<Api> api() const;

    /// Prints a document as JSON; the exit code of it.
    int print_json(const Value& value) const;
};

}  // namespace gaggle::cli
