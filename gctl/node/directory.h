// Who is who, as far as this peer knows: cards, numbers, keys, and what each has free.
//
// Cards come by gossip and from the ledger, and are believed only when their certificate leads to
// the authority. From here the sockets learn keys and endpoints, and the planner its view. Not
// here: whether somebody is alive (gossip decides that and says so), and what was accepted (the
// ledger).
#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>

#include "base/result.h"
#include "crypto/certificate.h"
#include "crypto/keyring.h"
#include "gctl/node/card.h"
#include "gctl/node/io.h"
#include "placement/scheduler/view.h"

namespace gaggle::ledger {
class Ledger;
}

namespace gaggle::node {

enum class Liveness { unknown, alive, suspect, dead, left };
const char* to_string(Liveness liveness);

struct Known {
    Card card;
    PublicKey key;
    Rights rights;
    Liveness liveness = Liveness::unknown;
    bool agent_gone = false;  ///< its control port refuses
    bool restarting = false;
    std::uint64_t incarnation = 0;
    StartId start;
    BootId boot;
    std::optional<PeerState> state;
    TimePoint state_at{};  ///< when the state was true, as far as its age tells
};

class Directory {
  public:
    Directory(PublicKey authority, RegionId region);

    /// Verifies and keeps. True when something was new (endpoint, number, description).
    Result<bool> learn(const PeerId& peer, BytesView card);
    /// A key that the ledger admitted, before its card is known.
    Result<void> admit(BytesView certificate);
    /// The statement must verify. False when it was known.
    Result<bool> expel(BytesView statement);
    bool expelled(const PeerId& peer) const { return keyring_.expelled(peer); }

    Known* find(const PeerId& peer);
    const Known* find(const PeerId& peer) const;
    std::optional<PeerId> id_of(PeerNumber number) const;
    void set_number(const PeerId& peer, PeerNumber number);
    const std::map<PeerId, Known>& all() const { return known_; }
    const Keyring& keyring() const { return keyring_; }
    const std::map<PeerId, Bytes>& statements() const { return statements_; }

    /// Everybody that may be placed upon, with `books` from the ledger where there is one.
    View view(Now now, const ledger::Ledger* ledger) const;

  private:
    PublicKey authority_;
    RegionId region_;
    Keyring keyring_;
    std::map<PeerId, Known> known_;
    std::map<PeerNumber, PeerId> numbers_;
    std::map<PeerId, PeerNumber> certain_;  ///< whose number the ledger gave
    std::map<PeerId, Bytes> statements_;  ///< of expelled peers
};

}  // namespace gaggle::node
