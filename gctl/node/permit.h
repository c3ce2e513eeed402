// Which peer may submit which command: judged by the leader before it proposes.
//
// A member of the region is not above the rules: it speaks for itself alone, within the rights of
// its certificate, and what needs somebody's signature is checked for it. What only the leader may
// say is taken from nobody else.
#pragma once

#include <optional>
#include <string>

#include "crypto/certificate.h"
#include "placement/ledger/ledger.h"

namespace gaggle::node {

struct Permit {
    PeerId self;  ///< the leader, who judges
    PublicKey authority;
    RegionId region;
};

/// Nothing: may be proposed. Else why not.
std::optional<std::string> refusal(const Permit& permit, const ledger::Ledger& ledger,
                                   const PeerId& from, const ledger::Command::What& what);

}  // namespace gaggle::node
