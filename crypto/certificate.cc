#include "crypto/certificate.h"

#include <algorithm>
#include <array>
#include <utility>

namespace gaggle {

namespace {

constexpr std::array<std::pair<Right, std::string_view>, 6> kNames{{
    {Right::submit, "submit"},
    {Right::run, "run"},
    {Right::hold, "hold"},
    {Right::vote, "vote"},
    {Right::recover, "recover"},
    {Right::issue, "issue"},
}};

Error refused(std::string why) { return {Errc::denied, std::move(why)}; }

/// The issuer may issue, and has itself every right that it gives.
Result<void> verify_giver(const IssuerCertificate& issuer, const PublicKey& authority,
                          Rights given) {
    if (given.has(Right::issue))
        return refused("the right to issue is given by the authority only, not to a peer");
    Rights needed = given;
    needed.bits |= static_cast<std::uint8_t>(Right::issue);
    return verify(issuer, authority, needed);
}

Result<void> verify_link(const CertificateStatement& body, const IssuerCertificate& issuer,
                         const PublicKey& authority) {
    return verify_giver(issuer, authority, body.rights);
}

Result<void> verify_link(const CertificateStatement& body, const InvitationGrant& grant,
                         const PublicKey& authority) {
    TRY(verify(grant, authority, body.region));
    const InvitationScope& scope = grant.body.scope;
    if (!body.rights.within(scope.rights))
        return refused("the certificate claims the rights (" + to_string(body.rights) +
                       ") where its invitation gives (" + to_string(scope.rights) + ")");
    if (body.epoch < scope.epoch)
        return refused("the certificate is of an older epoch than its invitation");
    return {};
}

const PublicKey& signer_of(const IssuerCertificate& issuer) { return issuer.body.issuer; }
const PublicKey& signer_of(const InvitationGrant& grant) { return grant.body.delegated; }

}  // namespace

std::string to_string(Rights rights) {
    std::string out;
    for (const auto& [right, name] : kNames)
        if (rights.has(right)) out += (out.empty() ? "" : ", ") + std::string(name);
    return out.empty() ? "none" : out;
}

Result<Rights> parse_rights(std::string_view text) {
    Rights out;
    while (!text.empty()) {
        const std::size_t comma = std::min(text.find(','), text.size());
        std::string_view word = text.substr(0, comma);
        text.remove_prefix(std::min(comma + 1, text.size()));
        while (word.starts_with(' ')) word.remove_prefix(1);
        while (word.ends_with(' ')) word.remove_suffix(1);
        const auto* found = std::find_if(kNames.begin(), kNames.end(),
                                         [&](const auto& row) { return row.second == word; });
        if (found == kNames.end())
            return Error{Errc::invalid, "no right is named \"" + std::string(word) +
                                            "\"; there are: " + to_string(kIssuerRights)};
        out.bits |= static_cast<std::uint8_t>(found->first);
    }
    return out;
}

ClusterId cluster_of(const PublicKey& authority) { return ClusterId{id_of(authority).bytes}; }

PeerId id_of(const Certificate& certificate) { return id_of(certificate.body.peer); }

Serial serial_of(const Certificate& certificate) {
    if (const auto* grant = std::get_if<InvitationGrant>(&certificate.body.grant))
        return grant->body.scope.serial;
    return std::get<IssuerCertificate>(certificate.body.grant).body.serial;
}

const InvitationScope* scope_of(const Certificate& certificate) {
    const auto* grant = std::get_if<InvitationGrant>(&certificate.body.grant);
    return grant == nullptr ? nullptr : &grant->body.scope;
}

Result<void> verify(const IssuerCertificate& issuer, const PublicKey& authority, Rights needed) {
    if (!issuer.signed_by(authority))
        return refused("the issuer was not named by the authority of cluster " +
                       to_string(cluster_of(authority)) + ", or its certificate was changed");
    if (!needed.within(issuer.body.rights))
        return refused("the issuer has the rights (" + to_string(issuer.body.rights) + ") where (" +
                       to_string(needed) + ") are needed");
    return {};
}

Result<void> verify(const InvitationGrant& grant, const PublicKey& authority, RegionId region) {
    const InvitationScope& scope = grant.body.scope;
    TRY(verify_giver(grant.body.issuer, authority, scope.rights));
    if (!grant.signed_by(grant.body.issuer.body.issuer))
        return refused("the invitation was not signed by its issuer, or was changed");
    if (scope.region != region)
        return refused("the invitation is for region " + to_string(scope.region) + ", not for " +
                       to_string(region));
    return {};
}

Result<void> verify(const Certificate& certificate, const PublicKey& authority, RegionId region) {
    const CertificateStatement& body = certificate.body;
    const std::string whose = "verify the certificate of peer " + to_string(id_of(certificate));
    if (body.region != region)
        return refused(whose + ": it is of region " + to_string(body.region) + ", not of " +
                       to_string(region));
    const auto link = std::visit(
        [&](const auto& grant) { return verify_link(body, grant, authority); }, body.grant);
    if (!link.ok()) return within(whose, link.error());
    const PublicKey& signer = std::visit(
        [](const auto& grant) -> const PublicKey& { return signer_of(grant); }, body.grant);
    if (!certificate.signed_by(signer))
        return refused(whose + ": the key that it names did not sign it, or it was changed");
    return {};
}

Result<void> check_expiry(const InvitationScope& scope, WallTime now) {
    if (now <= scope.expires) return {};
    return refused("the invitation expired at " + to_rfc3339(scope.expires) + ", it is now " +
                   to_rfc3339(now) + "; ask for a new one (gctl cluster invite)");
}

}  // namespace gaggle
