// What a peer tells everybody about itself: its certificate, where it is reached, what it is like.
//
// To gossip a card is opaque bytes with a hash. It is rare (it changes at start and when the
// description does), signed by its peer, and believed only when the certificate in it leads to the
// authority.
#pragma once

#include <cstdint>
#include <string>
#include <tuple>

#include "base/bytes.h"
#include "base/ids.h"
#include "crypto/endpoint.h"
#include "placement/fit/capacity.h"

namespace gaggle::node {

struct Card {
    std::uint32_t version = 1;
    Bytes certificate;  ///< crypto/certificate.h
    PeerNumber number;  ///< 0 until the ledger gave one
    Endpoint endpoint;  ///< where its sockets are
    Offer offer;
    Description description;
    template <class Self>
    static auto wire_fields(Self& s) {
        return std::tie(s.version, s.certificate, s.number, s.endpoint, s.offer, s.description);
    }
};

constexpr std::size_t kCardBytesMax = 16 * 1024;

/// Which part a peer plays in its region's commit group.
enum class Role { spare, standby, voter };
constexpr Role wire_last(Role) { return Role::voter; }
const char* to_string(Role role);

/// The gossiped record of a peer: what is free, and what it knows of the commit group.
struct PeerState {
    CapacityRecord capacity;
    Role role = Role::spare;
    Term term;                ///< in which `leader` leads
    PeerId leader;            ///< by the word of its own replica; empty: knows none
    bool store_works = true;  ///< false: no place in the commit group for it
    std::uint64_t services =
        0;  ///< checksum of its list of instances (catalogue.h); 0: it is empty
    template <class Self>
    static auto wire_fields(Self& s) {
        return std::tie(s.capacity, s.role, s.term, s.leader, s.store_works, s.services);
    }
};

}  // namespace gaggle::node
