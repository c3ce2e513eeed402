#include "crypto/invitation.h"

#include <algorithm>
#include <cctype>

#include "crypto/secret_file.h"

namespace gaggle {

namespace {

constexpr std::size_t kNameMax = 64;
constexpr Epoch kFirstEpoch{1};

struct StoredIssuer {
    PublicKey authority;
    IssuerCertificate certificate;
    Secret seed{};
    template <class Self>
    static auto wire_fields(Self& s) {
        return std::tie(s.authority, s.certificate, s.seed);
    }
};

struct StoredAuthority {
    Secret seed{};
    template <class Self>
    static auto wire_fields(Self& s) {
        return std::tie(s.seed);
    }
};

/// The first sixteen bytes of a fresh secret, with the bits of a UUIDv4.
template <class Any>
Any mint(const SecretSource& fresh) {
    const Secret chance = fresh();
    Any out;
    std::copy_n(chance.begin(), out.bytes.size(), out.bytes.begin());
    out.bytes[6] = static_cast<std::uint8_t>((out.bytes[6] & 0x0fU) | 0x40U);
    out.bytes[8] = static_cast<std::uint8_t>((out.bytes[8] & 0x3fU) | 0x80U);
    return out;
}

Result<void> check_scope(const InvitationScope& scope) {
    TRY(check_name("region", scope.region_name));
    if (!scope.datacenter.empty()) TRY(check_name("datacenter", scope.datacenter));
    if (scope.region.empty()) return Error{Errc::invalid, "make invitation: it names no region id"};
    if (scope.uses == 0)
        return Error{Errc::invalid, "make invitation: it would admit nobody, uses is 0"};
    if (scope.rights.bits == 0)
        return Error{Errc::invalid, "make invitation: it would give no right"};
    if (scope.expires.nanoseconds <= 0)
        return Error{Errc::invalid, "make invitation: it has no time of expiry"};
    return {};
}

/// Which datacenter the newcomer will be in, given what it wishes.
Result<std::string> choose_datacenter(const InvitationScope& scope, const std::string& wish) {
    if (!scope.datacenter.empty() && !wish.empty() && wish != scope.datacenter)
        return Error{Errc::denied, "the invitation is for datacenter \"" + scope.datacenter +
                                       "\", not for \"" + wish + "\""};
    const std::string chosen = wish.empty() ? scope.datacenter : wish;
    TRY(check_name("datacenter", chosen));
    return chosen;
}

Result<void> check_clock(WallTime newcomer, WallTime region) {
    const std::int64_t limit = std::chrono::nanoseconds(kKnockAge).count();
    // Compared without subtracting: the newcomer's number may be anything.
    if (newcomer.nanoseconds >= region.nanoseconds - limit &&
        newcomer.nanoseconds <= region.nanoseconds + limit)
        return {};
    return Error{Errc::denied, "the newcomer's clock says " + to_rfc3339(newcomer) +
                                   ", the region's " + to_rfc3339(region) +
                                   "; set the clock that is wrong and try again"};
}

}  // namespace

Result<void> check_name(std::string_view what, std::string_view name) {
    const bool fine = std::all_of(name.begin(), name.end(), [](unsigned char letter) {
        return std::isalnum(letter) != 0 || letter == '-' || letter == '_' || letter == '.';
    });
    if (fine && !name.empty() && name.size() <= kNameMax) return {};
    return Error{Errc::invalid, "the " + std::string(what) + " name \"" +
                                    std::string(name.substr(0, kNameMax)) +
                                    "\" must have 1 to 64 of the characters A-Z a-z 0-9 - _ ."};
}

Founding found_cluster(const Identity& founder, const SecretSource& fresh) {
    const SigningKey authority = SigningKey::from_seed(fresh());
    const SigningKey key = SigningKey::from_seed(fresh());
    const auto certificate =
        seal(IssuerStatement{key.public_key(), mint<Serial>(fresh), kIssuerRights}, authority);
    const auto region = mint<RegionId>(fresh);
    return {.authority = authority,
            .issuer = {authority.public_key(), certificate, key},
            .region = region,
            .founder = seal(CertificateStatement{region, kFirstEpoch, founder.signing.public_key(),
                                                 founder.curve.open, kPeerRights, certificate},
                            key)};
}

Result<Invitation> make_invitation(const Issuer& issuer, InvitationScope scope,
                                   std::vector<Seed> seeds, const SecretSource& fresh) {
    TRY(check_scope(scope));
    if (seeds.empty() || seeds.size() > kSeedsMax)
        return Error{Errc::invalid, "make invitation: " + std::to_string(seeds.size()) +
                                        " seeds, wanted 1 to " + std::to_string(kSeedsMax)};
    if (scope.serial.empty()) scope.serial = mint<Serial>(fresh);
    const RegionId region = scope.region;
    const SigningKey delegated = SigningKey::from_seed(fresh());
    const auto grant = seal(
        GrantStatement{std::move(scope), delegated.public_key(), issuer.certificate}, issuer.key);
    // Better told here than at the newcomer's.
    if (auto held = verify(grant, issuer.authority, region); !held.ok())
        return within("make invitation", held.error());
    return Invitation{issuer.authority, std::move(seeds), delegated, grant};
}

Result<Knock> join_request(const Invitation& invitation, const Identity& identity,
                           std::string datacenter, WallTime now) {
    const InvitationScope& scope = invitation.scope();
    TRY(check_expiry(scope, now));
    datacenter = TRY(choose_datacenter(scope, datacenter));
    auto certificate =
        seal(CertificateStatement{scope.region, scope.epoch, identity.signing.public_key(),
                                  identity.curve.open, scope.rights, invitation.grant},
             invitation.delegated);
    return seal(KnockStatement{std::move(certificate), std::move(datacenter), now},
                identity.signing);
}

Result<void> verify_knock(const Knock& knock, const PublicKey& authority, RegionId region,
                          WallTime now) {
    const KnockStatement& body = knock.body;
    TRY(verify(body.certificate, authority, region));
    const std::string whose = "admit peer " + to_string(id_of(body.certificate));
    if (!knock.signed_by(body.certificate.body.peer))
        return Error{Errc::denied, whose + ": the knock is not signed by the key it names"};
    const InvitationScope* scope = scope_of(body.certificate);
    if (scope == nullptr) return Error{Errc::denied, whose + ": it brings no invitation"};
    if (auto fresh = check_expiry(*scope, now); !fresh.ok()) return within(whose, fresh.error());
    if (auto clock = check_clock(body.at, now); !clock.ok()) return within(whose, clock.error());
    if (auto place = choose_datacenter(*scope, body.datacenter); !place.ok())
        return within(whose, place.error());
    return {};
}

Expulsion expel(const Issuer& issuer, PeerId peer, RegionId region, Epoch epoch,
                const SecretSource& fresh) {
    return seal(ExpulsionStatement{peer, region, epoch, mint<Serial>(fresh), issuer.certificate},
                issuer.key);
}

Result<void> verify(const Expulsion& expulsion, const PublicKey& authority, RegionId region) {
    const ExpulsionStatement& body = expulsion.body;
    const std::string attempt = "expel peer " + to_string(body.peer);
    if (body.region != region)
        return Error{Errc::denied, attempt + ": the statement is for another region"};
    if (body.issuer) {
        const auto issuer = verify(*body.issuer, authority, Rights::of({Right::issue}));
        if (!issuer.ok()) return within(attempt, issuer.error());
    }
    if (!expulsion.signed_by(body.issuer ? body.issuer->body.issuer : authority))
        return Error{Errc::denied, attempt + ": not signed by its issuer, or changed"};
    return {};
}

Result<void> save_issuer(const std::string& path, const Issuer& issuer) {
    return save_secret(path, "issuer",
                       StoredIssuer{issuer.authority, issuer.certificate, issuer.key.seed()});
}

Result<Issuer> load_issuer(const std::string& path) {
    const auto stored = TRY(load_secret<StoredIssuer>(path, "issuer"));
    return Issuer{stored.authority, stored.certificate, SigningKey::from_seed(stored.seed)};
}

Result<void> save_authority(const std::string& path, const SigningKey& authority) {
    return save_secret(path, "authority", StoredAuthority{authority.seed()});
}

Result<SigningKey> load_authority(const std::string& path) {
    return SigningKey::from_seed(TRY(load_secret<StoredAuthority>(path, "authority")).seed);
}

}  // namespace gaggle
