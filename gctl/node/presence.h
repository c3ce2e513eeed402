// This peer's standing with the commit group: it says hello, and what it offers.
//
// Every second, and at once when another leads, the leader hears who we are, which orders we obey
// and what we offer; it answers with what is missing. The ledger's picture of a peer is always that
// peer's own statement.
#pragma once

#include "gctl/node/courier.h"
#include "gctl/node/outbox.h"

namespace gaggle::node {

constexpr Duration kHelloInterval = 1s;
constexpr int kUnansweredMax = 3;  ///< hellos to the leader; then another full copy hears them too

class Presence {
  public:
    Presence(StartId start, BootId boot, Courier& courier, Rng rng);

    void describe(Offer offer, Description description);
    const Offer& offer() const { return offer_; }
    const Description& description() const { return description_; }
    void set_number(PeerNumber number) { number_ = number; }

    /// `hello` comes with what the other parts know; the rest is filled in here.
    void tick(Now now, Hello hello, Outbox& out);
    /// True when this is the first word that the leader knows our number.
    void on(Now now, const PeerId& from, const HelloAnswer& answer, Outbox& out);
    TimePoint next_wakeup() const { return due_; }
    /// Somebody else leads, or something changed that it should hear of.
    void soon() { due_ = TimePoint{}; }

  private:
    void say_offered(Now now, Outbox& out);

    StartId start_;
    BootId boot_;
    PeerNumber number_;
    Courier& courier_;
    Rng rng_;
    Offer offer_;
    Description description_;
    std::uint64_t checksum_ = 0;
    TimePoint due_{};
    PeerId told_;  ///< whom the last hello went to
    bool offering_ = false;
    int unanswered_ = 0;  ///< hellos since the leader answered one
};

/// What both sides compare.
std::uint64_t offer_checksum(const Offer& offer, const Description& description);

}  // namespace gaggle::node
