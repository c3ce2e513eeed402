// Which keys are let in.
//
// One entry for each admitted peer of the region: its CURVE key, by which the sockets know it,
// bound to its PeerId and rights. The binding is one to one and for life: a second CURVE key for
// the same peer, or the same CURVE key for another peer, is refused. An expelled peer stays on the
// list of those never to be admitted again. A plain value: the node keeps one, the sockets get a
// copy.
#pragma once

#include <map>
#include <optional>
#include <set>

#include "crypto/certificate.h"

namespace gaggle {

struct KnownPeer {
    PeerId peer;
    PublicKey signing;
    CurveKey curve;
    Rights rights;
    bool operator==(const KnownPeer&) const = default;
};

class Keyring {
  public:
    Keyring() = default;  ///< knows nobody
    Keyring(const PublicKey& authority, RegionId region);

    /// Verifies the whole chain first. Again with the same keys is fine (rights may change).
    Result<void> admit(const Certificate& certificate);
    /// For good: a later `admit` of this peer is denied.
    void expel(PeerId peer);

    std::optional<KnownPeer> lookup(const CurveKey& curve) const;
    std::optional<KnownPeer> lookup(PeerId peer) const;
    bool expelled(PeerId peer) const { return expelled_.contains(peer); }
    const std::map<PeerId, KnownPeer>& peers() const { return peers_; }

    bool operator==(const Keyring&) const = default;

  private:
    PublicKey authority_;
    RegionId region_;
    std::map<PeerId, KnownPeer> peers_;
    std::map<CurveKey, PeerId> by_curve_;
    std::set<PeerId> expelled_;
};

}  // namespace gaggle
