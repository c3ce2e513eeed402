// How a cluster begins, how a newcomer comes in, and how a peer is put out.
//
// Founding makes the authority, one issuer and the certificate of the first peer. An invitation is
// one line of text that carries all a newcomer needs: whom to believe (the authority's key), where
// to knock (seeds with their keys) and a delegated key with its scope. The newcomer signs its own
// certificate with that key and knocks; admission itself is an entry in the region's log. An
// invitation is a secret until it is used up or expired: who has the line can join.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "crypto/certificate.h"
#include "crypto/endpoint.h"

namespace gaggle {

/// An issuer with its secret key: what `gctl cluster invite` and `expel` sign with.
struct Issuer {
    PublicKey authority;
    IssuerCertificate certificate;
    SigningKey key;
};

struct Founding {
    SigningKey authority;  ///< may be taken offline; needed only to name further issuers
    Issuer issuer;
    RegionId region;
    Certificate founder;  ///< of the first peer, epoch 1, with the rights of a peer
};

/// Mints authority, issuer and region.
Founding found_cluster(const Identity& founder, const SecretSource& fresh = random_secret);

inline constexpr std::size_t kSeedsMax = 16;

struct Invitation {
    PublicKey authority;
    std::vector<Seed> seeds;
    SigningKey delegated;
    InvitationGrant grant;

    ClusterId cluster() const { return cluster_of(authority); }
    const InvitationScope& scope() const { return grant.body.scope; }
};

/// Signs `scope`; an empty serial is minted. `invalid` says what is wrong with the scope or the
/// seeds, `denied` that the issuer may not give it.
Result<Invitation> make_invitation(const Issuer& issuer, InvitationScope scope,
                                   std::vector<Seed> seeds,
                                   const SecretSource& fresh = random_secret);

/// One line: "gaggle1.", then base64url of the invitation and a checksum. Holds a secret.
std::string to_text(const Invitation& invitation);
/// White space anywhere is ignored, for mail and terminals wrap lines. Tells a text that is no
/// invitation (`invalid`) from a garbled or cut one (`corrupt`) and from one whose chain does not
/// hold (`denied`).
Result<Invitation> parse_invitation(std::string_view text);

/// A region or datacenter name: 1 to 64 of letters, digits, '-', '_' and '.'.
Result<void> check_name(std::string_view what, std::string_view name);

/// The newcomer's own statement, signed by its new key: these keys are mine, and this is my clock.
struct KnockStatement {
    static constexpr std::string_view kLabel = "gaggle knock 1";
    Certificate certificate;
    std::string datacenter;  ///< wished; must be the scope's when that names one
    WallTime at;
    template <class Self>
    static auto wire_fields(Self& s) {
        return std::tie(s.certificate, s.datacenter, s.at);
    }
    bool operator==(const KnockStatement&) const = default;
};
using Knock = Signed<KnockStatement>;

/// How far a newcomer's clock may be from the region's. It bounds how long a knock that somebody
/// recorded could be used again.
inline constexpr std::chrono::hours kKnockAge{24};

/// Signs the certificate for `identity` with the delegated key, and the knock with its own. An
/// empty `datacenter` takes the scope's. `denied` when the scope does not allow it or has expired
/// by `now`.
Result<Knock> join_request(const Invitation& invitation, const Identity& identity,
                           std::string datacenter, WallTime now);

/// All that can be judged without the ledger: chain, proof, expiry, clock, datacenter. `now` is the
/// leader's.
Result<void> verify_knock(const Knock& knock, const PublicKey& authority, RegionId region,
                          WallTime now);

/// Put out of the region for good: the peer's key is no longer admitted anywhere.
struct ExpulsionStatement {
    static constexpr std::string_view kLabel = "gaggle expulsion 1";
    PeerId peer;
    RegionId region;
    Epoch epoch;
    Serial serial;                            ///< of this statement
    std::optional<IssuerCertificate> issuer;  ///< none: signed by the authority itself
    template <class Self>
    static auto wire_fields(Self& s) {
        return std::tie(s.peer, s.region, s.epoch, s.serial, s.issuer);
    }
    bool operator==(const ExpulsionStatement&) const = default;
};
using Expulsion = Signed<ExpulsionStatement>;

Expulsion expel(const Issuer& issuer, PeerId peer, RegionId region, Epoch epoch,
                const SecretSource& fresh = random_secret);
Result<void> verify(const Expulsion& expulsion, const PublicKey& authority, RegionId region);

/// The founder keeps the issuer in a file of its own beside the data directory, mode 0600; the
/// authority's key in another, so that it can be taken away. Errors as load_identity.
Result<void> save_issuer(const std::string& path, const Issuer& issuer);
Result<Issuer> load_issuer(const std::string& path);
Result<void> save_authority(const std::string& path, const SigningKey& authority);
Result<SigningKey> load_authority(const std::string& path);

}  // namespace gaggle
