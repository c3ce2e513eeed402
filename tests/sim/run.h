// One simulated life of a region: it is founded, grows, works, is attacked, and must recover.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "tests/sim/checks.h"
#include "tests/sim/peer.h"

namespace gaggle::sim {

/// What the adversary may do. The rare classes come in some seeds only, for they cost minutes of
/// virtual time each.
struct Faults {
    bool kills = true;        ///< agents die and start again, some of them announced
    bool reboots = true;      ///< machines lose power, with all that was not synced
    bool cuts = true;         ///< links between groups of peers
    bool loss = true;         ///< of frames, and doubles
    bool outages = true;      ///< rare: a peer is away for minutes, so that its vote is replaced
    bool losses = true;       ///< rare, from five peers on: a peer never comes back
    bool expulsions = true;   ///< rare, from five peers on: a peer is put out by a statement
    bool disks = true;        ///< rare: a store fails; its agent lives on, and restarts later
    bool every_rare = false;  ///< all rare classes in every seed
    bool commands = false;    ///< signals to tasks and restarts, through whatever peer
};

struct Options {
    std::size_t peers = 5;
    std::uint64_t seed = 1;
    Duration trouble = 60s;  ///< how long the adversary begins new things
    Duration calm = 180s;    ///< how long recovery may take at most
    bool trace = false;      ///< print every line as it happens
    Faults faults;
};

/// How often each thing happened.
struct Tally {
    std::uint64_t kills = 0, farewells = 0, reboots = 0, cuts = 0;
    std::uint64_t outages = 0, losses = 0, expulsions = 0, disks = 0;
    std::uint64_t voters = 0;    ///< of these four, how many struck a voter
    std::uint64_t replaced = 0;  ///< of these, how many votes were taken over while it was away
};

struct Outcome {
    std::optional<std::string> failure;
    std::uint64_t trace = 0;
    std::uint64_t events = 0;
    LogIndex log;
    std::uint64_t jobs = 0, refused = 0;
    std::uint64_t obeyed = 0;  ///< commands to tasks, of those that were answered
    std::uint64_t restarts = 0;  ///< of these
    Tally tally;
    Duration recovered{};  ///< after the trouble ended
};

/// The last lines of it are in last_lines() (lines.h).
Outcome run(const Options& options);

}  // namespace gaggle::sim
