// The region itself: founding, admission, expulsion, sessions, epochs.
#include <algorithm>

#include "placement/ledger/bounds.h"
#include "placement/ledger/step.h"

namespace gaggle::ledger {

void Step::on(const Found& found) {
    if (!state_.region.empty())
        return refuse("the region is already founded, as " + state_.region_name);
    if (found.region.empty() || found.founder.id.empty())
        return refuse("a region needs an id and a founder");
    state_.region = found.region;
    state_.region_name = found.name;
    state_.policy = found.policy;
    state_.policy.versions_kept = std::max(found.policy.versions_kept, 1U);
    state_.swept = state_.time;
    enrol(found.founder, Serial{});
}

void Step::on(const Admit& admit) {
    if (state_.expulsions.contains(admit.who.id))
        return refuse("peer " + to_string(admit.who.id) + " was expelled");
    const auto known = indexes_.numbers.find(admit.who.id);
    if (known != indexes_.numbers.end()) {
        PeerRecord& peer = state_.peers.at(known->second);
        if (peer.who.public_key != admit.who.public_key)
            return refuse("peer " + to_string(admit.who.id) + " is known with another key");
        out_.admitted = peer.number;
        if (peer.who == admit.who) return;
        peer.who = admit.who;
        stamp(peer);
        out_.keyring_changed = true;
        return;
    }
    const InvitationUse& invitation = admit.invitation;
    const std::string name = "invitation " + to_string(invitation.serial);
    if (state_.revoked.contains(invitation.serial)) return refuse(name + " was revoked");
    if (state_.revoked.contains(invitation.issuer))
        return refuse(name + ": its issuer was revoked");
    if (invitation.expiry.nanoseconds != 0 && wall_ > invitation.expiry)
        return refuse(name + " expired at " + to_rfc3339(invitation.expiry));
    if (admit.who.id.empty()) return refuse("a peer needs an id");
    const auto used = state_.uses.find(invitation.serial);
    if (used != state_.uses.end() && used->second >= invitation.uses_max)
        return refuse(name + " is used up: it admits " + std::to_string(invitation.uses_max));
    if (invitation.uses_max == 0) return refuse(name + " admits nobody");
    ++state_.uses[invitation.serial];
    enrol(admit.who, invitation.serial);
}

void Step::enrol(const Newcomer& who, const Serial& invitation) {
    ++state_.last_peer.value;
    PeerRecord peer;
    peer.number = state_.last_peer;
    peer.who = who;
    peer.invitation = invitation;
    peer.status_reason = "admitted, has not offered anything yet";
    peer.books.eligible = false;
    peer.create_index = peer.orders_index = out_.index;
    peer.admitted = wall_;
    peer.status_changed = state_.time;
    stamp(peer);
    indexes_.add(peer);
    state_.peers.emplace(peer.number, std::move(peer));
    out_.admitted = state_.last_peer;
    out_.keyring_changed = true;
}

void Step::on(const Expel& expel) {
    // A key may be expelled that was never admitted here: it must not be admitted later.
    const auto known = indexes_.numbers.find(expel.peer);
    if (!state_.expulsions.emplace(expel.peer, expel.statement).second)
        return refuse("peer " + to_string(expel.peer) + " was expelled before");
    out_.keyring_changed = true;
    if (known == indexes_.numbers.end()) return;
    PeerRecord& peer = state_.peers.at(known->second);
    if (peer.status != PeerStatus::down) doom_allocs(peer);
    become(peer, PeerStatus::expelled, "expelled: " + expel.reason);
}

void Step::on(const Revoke& revoke) {
    if (!state_.revoked.insert(revoke.serial).second)
        refuse("serial " + to_string(revoke.serial) + " was revoked before");
}

void Step::on(const OpenSession& open) {
    const auto peer = state_.peers.find(open.claimant);
    if (peer == state_.peers.end() || peer->second.status == PeerStatus::expelled)
        return refuse("a session for peer " + std::to_string(open.claimant.value) +
                      ", which is not admitted");
    if (const auto known = state_.sessions.find(open.session); known != state_.sessions.end()) {
        if (known->second.claimant != open.claimant)
            refuse("session " + to_string(open.session) + " is of another peer");
        return;
    }
    Session session;
    session.claimant = open.claimant;
    session.used = state_.time;
    state_.sessions.emplace(open.session, std::move(session));
}

void Step::on(const RaiseFeatureLevel& raise) {
    state_.feature_level = std::max(state_.feature_level, raise.level);
}

void Step::on(const BeginEpoch& begin) {
    if (begin.epoch <= state_.epoch)
        return refuse("epoch " + std::to_string(begin.epoch.value) + " is not above " +
                      std::to_string(state_.epoch.value));
    state_.epoch = begin.epoch;
    for (const auto& [number, peer] : state_.peers) out_.orders_changed.insert(number);
}

}  // namespace gaggle::ledger
