// A fake world for gossip tests: members are letters, keys are the letters' hashes, cards are
// "b/2".
//
// A card binds a letter to its peer id and a signature depends on peer and message, so that a
// forged record is refused as with real keys.
#pragma once

#include <string>

#include "base/hash.h"
#include "base/rng.h"
#include "gossip/swim.h"

namespace gaggle::gossip {

template <class AnyId>
AnyId id_of(std::uint8_t letter) {
    AnyId id;
    id.bytes[0] = letter;
    return id;
}
inline PeerId peer(const std::string& name) {
    PeerId id;
    for (std::size_t i = 0; i < name.size() && i < 16; ++i) {
        id.bytes[i] = static_cast<std::uint8_t>(name[i]);
    }
    return id;
}
inline std::string name_of(const PeerId& id) {
    std::string name;
    for (const auto byte : id.bytes)
        if (byte != 0) name += byte > 32 && byte < 127 ? static_cast<char>(byte) : '?';
    return name.empty() ? "-" : name;
}
inline StartId start(std::int64_t number) {
    return id_of<StartId>(static_cast<std::uint8_t>(number));
}
inline BootId boot(std::int64_t number) { return id_of<BootId>(static_cast<std::uint8_t>(number)); }

inline Bytes card(const std::string& name, std::int64_t revision = 1) {
    return to_bytes(name + "/" + std::to_string(revision));
}

inline Bytes sign(const PeerId& signer, BytesView message) {
    const Hash hash = hash_of(hash_of(signer.bytes), message);
    return {hash.bytes.begin(), hash.bytes.begin() + 16};
}

inline bool verify(const PeerId& peer, BytesView card, BytesView message, BytesView signature) {
    const std::string text = to_text(card);
    if (text.substr(0, text.find('/')) != name_of(peer)) return false;
    const Bytes good = sign(peer, message);
    return std::equal(good.begin(), good.end(), signature.begin(), signature.end());
}

inline Self self(const std::string& name, std::int64_t start_number = 1,
                 std::int64_t boot_number = 1) {
    const PeerId id = peer(name);
    return {.peer = id,
            .start = start(start_number),
            .boot = boot(boot_number),
            .card = card(name),
            .sign = [id](BytesView message) { return sign(id, message); },
            .verify = verify};
}

template <class Record>
Record signed_by(const PeerId& signer, Record record) {
    record.signature = sign(signer, signed_part(record));
    return record;
}

}  // namespace gaggle::gossip
