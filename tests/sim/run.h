// One simulated life of a region: it is founded, grows, works, is attacked, and must recover.
#pragma once

#include <cstdint>
#include <deque>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "tests/sim/checks.h"
#include "tests/sim/peer.h"

namespace gaggle::sim {

struct Options {
    std::size_t peers = 5;
    std::uint64_t seed = 1;
    Duration trouble = 60s;  ///< how long the adversary acts
    Duration calm = 180s;    ///< how long recovery may take at most
    bool kills = true;       ///< agents die and start again
    bool reboots = true;     ///< machines lose power, with all that was not synced
    bool cuts = true;        ///< links between groups of peers
    bool loss = true;        ///< of frames, and doubles
    bool trace = false;      ///< print every line as it happens
};

struct Outcome {
    std::optional<std::string> failure;
    std::uint64_t trace = 0;
    std::uint64_t events = 0;
    LogIndex log;
    std::uint64_t kills = 0, reboots = 0, cuts = 0, jobs = 0, refused = 0;
    Duration recovered{};           ///< after the trouble ended
    std::vector<std::string> last;  ///< lines before the failure
};

Outcome run(const Options& options);

}  // namespace gaggle::sim
