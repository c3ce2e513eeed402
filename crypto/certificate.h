// Why a key is believed: a short chain of signed statements from the authority down to a peer.
//
//     authority --> issuer certificate --> invitation grant --> certificate of a peer
//
// The authority's key is made at founding and may be locked away; it only names issuers. An issuer
// hands out invitations: a delegated key with a scope. Whoever holds the invitation signs the
// certificate of its own keys with the delegated key, so that anybody who knows the authority's
// public key can verify a peer with no third party in reach. The founding peer is certified by the
// issuer directly. A chain says what was granted, not what was taken back: expiry, uses and revoked
// serials are judged where there is one clock and one count, in the ledger (DESIGN section 11), and
// expelled peers by the keyring.
#pragma once

#include <initializer_list>
#include <string>
#include <variant>
#include <vector>

#include "base/time.h"
#include "crypto/signed.h"

namespace gaggle {

using ClusterId = Id<struct ClusterTag>;  ///< first 16 bytes of the hash of the authority's key
using Serial = Id<struct SerialTag>;      ///< of a grant, to revoke it and to count its uses

enum class Right : std::uint8_t {
    submit = 1,    ///< register and stop jobs
    run = 2,       ///< be given allocations
    hold = 4,      ///< be given copies of allocation directories
    vote = 8,      ///< be a voter or standby of the commit group
    recover = 16,  ///< found a new epoch after the majority is lost
    issue = 32,    ///< invite and expel; only the authority gives it, only to issuers
};

struct Rights {
    std::uint8_t bits = 0;

    static constexpr Rights of(std::initializer_list<Right> rights) {
        Rights out;
        for (const Right right : rights) out.bits |= static_cast<std::uint8_t>(right);
        return out;
    }
    constexpr bool has(Right right) const { return (bits & static_cast<std::uint8_t>(right)) != 0; }
    constexpr bool within(Rights other) const { return (bits & ~other.bits) == 0; }
    constexpr auto operator<=>(const Rights&) const = default;
    template <class Self>
    static auto wire_fields(Self& s) {
        return std::tie(s.bits);
    }
};

inline constexpr Rights kPeerRights =
    Rights::of({Right::submit, Right::run, Right::hold, Right::vote});
inline constexpr Rights kIssuerRights =
    Rights::of({Right::submit, Right::run, Right::hold, Right::vote, Right::recover, Right::issue});

/// "submit, run, hold"; "none" for no right.
std::string to_string(Rights rights);
/// Names separated by commas, spaces allowed. `invalid` names the unknown one and lists those that
/// exist.
Result<Rights> parse_rights(std::string_view text);

struct IssuerStatement {
    static constexpr std::string_view kLabel = "gaggle issuer 1";
    PublicKey issuer;
    Serial serial;
    Rights rights;
    template <class Self>
    static auto wire_fields(Self& s) {
        return std::tie(s.issuer, s.serial, s.rights);
    }
    bool operator==(const IssuerStatement&) const = default;
};
using IssuerCertificate = Signed<IssuerStatement>;  ///< signed by the authority

/// What the holder of an invitation may become.
struct InvitationScope {
    RegionId region;
    std::string region_name;
    Epoch epoch;             ///< of the region when the invitation was made
    std::string datacenter;  ///< empty: the newcomer chooses
    Rights rights;
    std::uint32_t uses = 1;   ///< how many peers may join; counted in the ledger
    WallTime expires;         ///< by the leader's clock
    bool offline_ok = false;  ///< admits, provisionally, while the region has no majority
    Serial serial;
    template <class Self>
    static auto wire_fields(Self& s) {
        return std::tie(s.region, s.region_name, s.epoch, s.datacenter, s.rights, s.uses, s.expires,
                        s.offline_ok, s.serial);
    }
    bool operator==(const InvitationScope&) const = default;
};

struct GrantStatement {
    static constexpr std::string_view kLabel = "gaggle invitation 1";
    InvitationScope scope;
    PublicKey delegated;  ///< the holder of its secret half may sign certificates within the scope
    IssuerCertificate issuer;
    template <class Self>
    static auto wire_fields(Self& s) {
        return std::tie(s.scope, s.delegated, s.issuer);
    }
    bool operator==(const GrantStatement&) const = default;
};
/// The public part of an invitation, signed by the issuer.
using InvitationGrant = Signed<GrantStatement>;

struct CertificateStatement {
    static constexpr std::string_view kLabel = "gaggle certificate 1";
    RegionId region;
    Epoch epoch;
    PublicKey peer;
    CurveKey curve;
    Rights rights;
    std::variant<IssuerCertificate, InvitationGrant> grant;  ///< a founder's, or one invited
    template <class Self>
    static auto wire_fields(Self& s) {
        return std::tie(s.region, s.epoch, s.peer, s.curve, s.rights, s.grant);
    }
    bool operator==(const CertificateStatement&) const = default;
};
using Certificate = Signed<CertificateStatement>;  ///< signed by the issuer or by the delegated key

ClusterId cluster_of(const PublicKey& authority);
PeerId id_of(const Certificate& certificate);
/// The serial by which the ledger counts and revokes: of the invitation, or of the issuer for a
/// founder.
Serial serial_of(const Certificate& certificate);
/// The scope it was invited with; nullptr for a founder. Lives as long as the certificate.
const InvitationScope* scope_of(const Certificate& certificate);

/// The whole chain from the authority to the peer, and that nobody in it gave more than it had.
/// `denied` names the link that does not hold. Reads no clock: see `check_expiry`.
Result<void> verify(const Certificate& certificate, const PublicKey& authority, RegionId region);
Result<void> verify(const InvitationGrant& grant, const PublicKey& authority, RegionId region);
/// That the authority named this issuer with all of `needed`.
Result<void> verify(const IssuerCertificate& issuer, const PublicKey& authority, Rights needed);

/// `denied` once `now` is past the scope's expiry.
Result<void> check_expiry(const InvitationScope& scope, WallTime now);

}  // namespace gaggle
