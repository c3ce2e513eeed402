// A small cluster made from counted secrets: the same keys in every run.
#pragma once

#include "crypto/invitation.h"

namespace gaggle {

/// Secrets 1, 2, 3, ... hashed: different, and the same in every run.
inline SecretSource counted_secrets(std::uint64_t from = 0) {
    return [next = from]() mutable {
        Bytes number;
        for (std::uint64_t left = ++next; left > 0; left >>= 8U)
            number.push_back(static_cast<std::uint8_t>(left));
        return hash_of(number).bytes;
    };
}

struct TestCluster {
    explicit TestCluster(std::uint64_t from = 0)
        : fresh(counted_secrets(from)),
          first(make_identity(fresh)),
          founding(found_cluster(first, fresh)) {}

    InvitationScope scope() const {
        return {.region = founding.region,
                .region_name = "north",
                .epoch = Epoch{1},
                .datacenter = "dc1",
                .rights = kPeerRights,
                .uses = 3,
                .expires = WallTime{2'000}};
    }
    Invitation invitation() {
        return *make_invitation(founding.issuer, scope(),
                                {{"127.0.0.1", kBasePort, first.curve.open}}, fresh);
    }
    /// The certificate of a newcomer that joins by a new invitation.
    Certificate certificate_of(const Identity& newcomer) {
        return join_request(invitation(), newcomer, "", WallTime{1'000})->body.certificate;
    }
    const PublicKey& authority() const { return founding.issuer.authority; }

    SecretSource fresh;
    Identity first;
    Founding founding;
};

}  // namespace gaggle
