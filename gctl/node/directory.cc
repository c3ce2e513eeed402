#include "gctl/node/directory.h"

#include "base/wire.h"
#include "crypto/invitation.h"
#include "placement/ledger/ledger.h"

namespace gaggle::node {

const char* to_string(Role role) {
    switch (role) {
        case Role::spare: return "spare";
        case Role::standby: return "standby";
        case Role::voter: return "voter";
    }
    return "unknown";
}

const char* to_string(Liveness liveness) {
    switch (liveness) {
        case Liveness::unknown: return "unknown";
        case Liveness::alive: return "alive";
        case Liveness::suspect: return "suspect";
        case Liveness::dead: return "dead";
        case Liveness::left: return "left";
    }
    return "unknown";
}

Directory::Directory(PublicKey authority, RegionId region)
    : authority_(authority), region_(region), keyring_(authority, region) {}

Result<bool> Directory::learn(const PeerId& peer, BytesView bytes) {
    if (keyring_.expelled(peer))
        return Error{Errc::denied, "card of peer " + to_string(peer) + ": it was expelled"};
    Card card = TRY(decode<Card>(bytes, "card", Limits{.bytes = kCardBytesMax}));
    const auto certificate =
        TRY(decode<Certificate>(card.certificate, "certificate", Limits{.fields = Fields::exact}));
    if (gaggle::id_of(certificate) != peer)
        return Error{Errc::denied, "card of peer " + to_string(peer) +
                                       ": its certificate is of peer " +
                                       to_string(gaggle::id_of(certificate))};
    TRY(keyring_.admit(certificate));
    card.endpoint.curve = certificate.body.curve;
    Known& known = known_[peer];
    // What the ledger said counts for more than what a card says of itself.
    const auto taken = numbers_.find(card.number);
    const bool anothers =
        taken != numbers_.end() && taken->second != peer && certain_.contains(taken->second);
    if (const auto said = certain_.find(peer); said != certain_.end())
        card.number = said->second;  // perhaps before the first card came
    else if (anothers || card.number.value == 0)
        card.number = known.card.number;
    const bool changed = known.card.endpoint != card.endpoint || known.card.number != card.number ||
                         known.card.description != card.description ||
                         known.card.offer != card.offer;
    known.key = certificate.body.peer;
    known.rights = certificate.body.rights;
    known.card = std::move(card);
    if (known.card.number.value != 0) numbers_[known.card.number] = peer;
    return changed;
}

Result<void> Directory::admit(BytesView bytes) {
    return keyring_.admit(
        TRY(decode<Certificate>(bytes, "certificate", Limits{.fields = Fields::exact})));
}

Result<bool> Directory::expel(BytesView statement) {
    const auto expulsion =
        TRY(decode<Expulsion>(statement, "expulsion", Limits{.fields = Fields::exact}));
    const PeerId peer = expulsion.body.peer;
    if (keyring_.expelled(peer)) return false;
    TRY(verify(expulsion, authority_, region_));
    keyring_.expel(peer);
    statements_[peer] = Bytes(statement.begin(), statement.end());
    return true;
}

Known* Directory::find(const PeerId& peer) {
    const auto found = known_.find(peer);
    return found == known_.end() ? nullptr : &found->second;
}

const Known* Directory::find(const PeerId& peer) const {
    const auto found = known_.find(peer);
    return found == known_.end() ? nullptr : &found->second;
}

std::optional<PeerId> Directory::id_of(PeerNumber number) const {
    const auto found = numbers_.find(number);
    if (found == numbers_.end()) return std::nullopt;
    return found->second;
}

void Directory::set_number(const PeerId& peer, PeerNumber number) {
    numbers_[number] = peer;
    certain_[peer] = number;
    if (Known* known = find(peer)) known->card.number = number;
}

View Directory::view(Now now, const ledger::Ledger* ledger) const {
    View view;
    for (const auto& [id, known] : known_) {
        const PeerNumber number = known.card.number;
        if (number.value == 0 || keyring_.expelled(id)) continue;
        PeerView peer{.number = number,
                      .id = id,
                      .description = known.card.description,
                      .books = {},
                      .alive = known.liveness == Liveness::alive && !known.agent_gone,
                      .age = 0us};
        const ledger::PeerRecord* record = ledger != nullptr ? ledger->peer(number) : nullptr;
        if (record != nullptr) {
            peer.books = record->books;
        } else if (known.state) {
            peer.books = books_from(known.card.offer, known.state->capacity);
            peer.age = now.time - known.state_at;
        } else {
            continue;
        }
        if (!known.rights.has(Right::run)) peer.books.eligible = false;
        view.put(std::move(peer));
    }
    return view;
}

}  // namespace gaggle::node
