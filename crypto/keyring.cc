#include "crypto/keyring.h"

namespace gaggle {

Keyring::Keyring(const PublicKey& authority, RegionId region)
    : authority_(authority), region_(region) {}

Result<void> Keyring::admit(const Certificate& certificate) {
    TRY(verify(certificate, authority_, region_));
    const CertificateStatement& body = certificate.body;
    const PeerId peer = id_of(certificate);
    const std::string attempt = "admit peer " + to_string(peer) + ": ";
    if (expelled(peer)) return Error{Errc::denied, attempt + "it was expelled from the region"};
    const auto known = peers_.find(peer);
    if (known != peers_.end() && known->second.curve != body.curve)
        return Error{Errc::denied, attempt + "it is known with another CURVE key"};
    const auto owner = by_curve_.find(body.curve);
    if (owner != by_curve_.end() && owner->second != peer)
        return Error{Errc::denied,
                     attempt + "its CURVE key belongs to peer " + to_string(owner->second)};
    peers_[peer] = {peer, body.peer, body.curve, body.rights};
    by_curve_[body.curve] = peer;
    return {};
}

void Keyring::expel(PeerId peer) {
    expelled_.insert(peer);
    const auto known = peers_.find(peer);
    if (known == peers_.end()) return;
    by_curve_.erase(known->second.curve);
    peers_.erase(known);
}

std::optional<KnownPeer> Keyring::lookup(const CurveKey& curve) const {
    const auto found = by_curve_.find(curve);
    if (found == by_curve_.end()) return std::nullopt;
    return lookup(found->second);
}

std::optional<KnownPeer> Keyring::lookup(PeerId peer) const {
    const auto found = peers_.find(peer);
    if (found == peers_.end()) return std::nullopt;
    return found->second;
}

}  // namespace gaggle
