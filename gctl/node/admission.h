// Newcomers: a knock at the lobby becomes an entry in the ledger; and expulsions.
//
// Any peer may be knocked at. It verifies what can be verified without the ledger, submits the
// admission, and answers with the newcomer's number and a few cards to begin with.
#pragma once

#include <cstdint>

#include "crypto/invitation.h"
#include "gctl/node/courier.h"
#include "gctl/node/directory.h"
#include "gctl/node/outbox.h"

namespace gaggle::node {

constexpr std::size_t kKnocksMax = 64;  ///< waiting for the ledger's word
constexpr std::size_t kCardsForNewcomer = 8;

class Admission {
  public:
    Admission(PublicKey authority, RegionId region, std::string region_name, Directory& directory,
              Courier& courier);

    void on(Now now, const Knocked& knocked, Outbox& out);
    /// `own_card` is what newcomers get of this peer.
    void set_own_card(Bytes card) { own_card_ = std::move(card); }

  private:
    void answer(const Knocked& knocked, KnockAnswer answer, Outbox& out);
    void refuse(const Knocked& knocked, std::string why, Outbox& out);

    PublicKey authority_;
    RegionId region_;
    std::string region_name_;
    Directory& directory_;
    Courier& courier_;
    Bytes own_card_;
    std::size_t waiting_ = 0;
};

/// The ledger's view of a certificate's owner.
ledger::Newcomer newcomer_from(const Certificate& certificate, std::string name,
                               std::string datacenter);

}  // namespace gaggle::node
