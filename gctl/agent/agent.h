// `gctl agent`: one peer in the real world, from its start to the signal that ends it.
//
// The peer itself is a pure state machine (gctl/node); what is here gives it a clock, sockets, a
// disk, processes and an HTTP port, and carries out what it asks for. A failure at the start is one
// clear line and changes nothing; a signal ends the agent while its tasks run on, for the next
// agent on the same data directory adopts them. Only a `--dev` agent whose data directory is a
// temporary one takes its tasks with it, for no other agent would find them.
#pragma once

#include "gctl/agent/options.h"

namespace gaggle {

/// Returns when a signal ended it (0: SIGTERM, SIGINT, with `--dev` SIGHUP), when it could not
/// start, or when it can no longer run (1); the reason is on standard error. Once per process: it
/// sets signal handlers and limits.
int run_agent(const AgentOptions& options);

}  // namespace gaggle
