// What runs where, as gossip knows it: every peer's instances of services, with their health.
//
// Each peer publishes a checksum of its list with its capacity record; who has not that list asks
// for it. In a small region its owner is asked. In a large one a peer asks a few fixed partners
// first, so that a change reaches all like a rumour and nobody is asked by everybody: a list is
// named by (owner, checksum), so whoever has it may hand it on. (The checksum finds damage, not
// lies: a peer of the region is believed about services as it is about its capacity.) Lists of dead
// peers are dropped. From here come DNS and templates; HTTP answers from the ledger instead, and
// where the two differ the ledger is right (DESIGN section 9).
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <vector>

#include "base/rng.h"
#include "gctl/node/directory.h"
#include "gctl/node/outbox.h"
#include "gctl/node/service_list.h"

namespace gaggle::node {

constexpr std::size_t kServiceListBytesMax = 256U << 10U;  ///< of one peer; the rest is not listed
constexpr std::size_t kCatalogueBytesMax = 64U << 20U;     ///< of all others together
constexpr std::size_t kAskOwnerUpTo = 64;    ///< peers in a region where owners are asked at once
constexpr std::size_t kPartners = 6;         ///< whom a peer of a larger region asks first
constexpr int kPartnerTries = 12;            ///< then the owner is asked after all
constexpr Duration kAskListAgain = 500ms;    ///< for a list that nobody has answered with
constexpr std::size_t kListsAskedMax = 256;  ///< at once; the next ones wait for their turn

class Catalogue {
  public:
    Catalogue(PeerId self, const Directory& directory, Rng rng);

    /// What this peer offers now.
    void publish(Now now, ServiceList own, Outbox& out);
    /// For this peer's record; 0 when it offers nothing.
    std::uint64_t checksum() const { return own_checksum_; }

    /// Something about the peer in the directory changed: its state or its liveness.
    void heard(Now now, const PeerId& peer, Outbox& out);

    void on(const PeerId& from, const AskServices& ask, Outbox& out) const;
    void on(const PeerId& from, const ServicesAnswer& answer, Outbox& out);
    void tick(Now now, Outbox& out);
    std::optional<TimePoint> next_wakeup() const;

    /// Lists of others that are held now.
    std::size_t size() const { return lists_.size(); }

  private:
    struct List {
        std::uint64_t checksum = 0;
        Bytes bytes;  ///< as its owner encoded it
        Trust trust = Trust::good;
    };
    struct Want {
        std::uint64_t checksum = 0;
        TimePoint due;  ///< when to ask (again)
        int tries = 0;
    };
    void ask(Now now, const PeerId& owner, Want& want, Outbox& out);
    PeerId whom(const PeerId& owner, int tries);
    /// Why it is not taken; empty: it may be.
    std::string objection(const ServicesAnswer& answer, ServiceList& list) const;
    void tell(const PeerId& owner, Trust trust, ServiceList list, Outbox& out) const;
    void drop(const PeerId& owner, Outbox& out);

    PeerId self_;
    const Directory& directory_;
    Rng rng_;
    Bytes own_;
    std::uint64_t own_checksum_ = 0;
    std::map<PeerId, List> lists_;  ///< of others
    std::size_t bytes_ = 0;         ///< of lists_
    std::map<PeerId, Want> wants_;
    std::map<PeerId, std::uint64_t> refused_;  ///< lists that were not taken: not asked for again
};

}  // namespace gaggle::node
