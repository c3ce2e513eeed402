#include "gctl/node/permit.h"

#include <doctest/doctest.h>

#include "gctl/node/admission.h"
#include "tests/crypto/fixture.h"

namespace gaggle::node {

namespace {

/// A founder that leads, and two peers that its invitation let in: one with a right only to run.
class Region {
  public:
    Region() {
        apply(ledger::Found{.region = cluster_.founding.region,
                            .name = "north",
                            .founder = newcomer_from(cluster_.founding.founder, "first", "dc1")});
        peer = admit(kPeerRights);
        runner = admit(Rights::of({Right::run}));
    }

    std::string refused(const PeerId& from, const ledger::Command::What& what) const {
        const Permit permit{.self = founder(),
                            .authority = cluster_.authority(),
                            .region = cluster_.founding.region};
        return refusal(permit, ledger_, from, what).value_or("");
    }
    bool allowed(const PeerId& from, const ledger::Command::What& what) const {
        return refused(from, what).empty();
    }

    PeerId founder() const { return gaggle::id_of(cluster_.founding.founder); }
    PeerNumber number(const PeerId& id) const { return ledger_.peer(id)->number; }
    Issuer issuer() const { return cluster_.founding.issuer; }
    RegionId region() const { return cluster_.founding.region; }

    /// What a peer of the region submits for a newcomer that knocked with a good invitation.
    ledger::Admit admission(Rights rights = kPeerRights) {
        InvitationScope scope = cluster_.scope();
        scope.rights = rights;
        const Invitation invitation = *make_invitation(
            issuer(), scope, {{"127.0.0.1", kBasePort, cluster_.first.curve.open}}, cluster_.fresh);
        const Identity newcomer = make_identity(cluster_.fresh);
        const Certificate certificate =
            join_request(invitation, newcomer, "", WallTime{1'000})->body.certificate;
        const auto& grant = std::get<InvitationGrant>(certificate.body.grant);
        return {.who = newcomer_from(certificate, "", "dc1"),
                .invitation = {.serial = {grant.body.scope.serial.bytes},
                               .issuer = {grant.body.issuer.body.serial.bytes},
                               .uses_max = grant.body.scope.uses,
                               .expiry = grant.body.scope.expires}};
    }

    PeerId peer;
    PeerId runner;

  private:
    PeerId admit(Rights rights) {
        const ledger::Admit made = admission(rights);
        apply(made);
        return made.who.id;
    }
    void apply(ledger::Command::What what) {
        ++index_.value;
        ledger_.apply(index_, *ledger::encode_command({{}, WallTime{1'000}, std::move(what)}));
    }

    TestCluster cluster_;
    ledger::Ledger ledger_;
    LogIndex index_{0};
};

ledger::Bundles bundles_of(PeerNumber claimant) {
    ledger::Bundle bundle;
    bundle.claimant = claimant;
    return {{bundle}};
}

}  // namespace

TEST_CASE("permit: what only the leader says is taken from nobody else") {
    const Region region;
    for (const ledger::Command::What& what : std::vector<ledger::Command::What>{
             ledger::Advance{}, ledger::PeerLost{}, ledger::PeerBack{}, ledger::EvalTaken{},
             ledger::SetEligibility{}, ledger::BeginEpoch{}}) {
        CAPTURE(what.index());
        CHECK(region.allowed(region.founder(), what));
        CHECK(region.refused(region.peer, what) == "only the leader says this");
    }
}

TEST_CASE("permit: a peer speaks for itself alone") {
    const Region region;
    const PeerNumber own = region.number(region.peer);
    const PeerNumber other = region.number(region.runner);
    CHECK(region.allowed(region.peer, ledger::Reports{.peer = own}));
    CHECK_FALSE(region.allowed(region.peer, ledger::Reports{.peer = other}));
    CHECK_FALSE(region.allowed(region.peer, ledger::Offered{.peer = other}));
    CHECK(region.allowed(region.peer, bundles_of(own)));
    CHECK_FALSE(region.allowed(region.peer, bundles_of(other)));
    CHECK(region.allowed(region.peer, ledger::HoldersChanged{.holders = {own}}));
    CHECK_FALSE(region.allowed(region.peer, ledger::HoldersChanged{.dropped = {other}}));

    PeerId stranger;
    stranger.bytes.fill(7);
    CHECK_FALSE(region.allowed(stranger, ledger::Reports{.peer = own}));
    CHECK_FALSE(region.allowed(stranger, ledger::Reports{}));
}

TEST_CASE("permit: a peer needs the right for what it does") {
    const Region region;
    const PeerNumber own = region.number(region.runner);
    CHECK(region.allowed(region.runner, ledger::Reports{.peer = own}));
    CHECK(region.allowed(region.peer, ledger::Collect{}));
    CHECK(region.refused(region.runner, ledger::Collect{}).find("no right to submit") !=
          std::string::npos);
    CHECK(region.refused(region.runner, bundles_of(own)).find("no right to submit") !=
          std::string::npos);
    CHECK_FALSE(region.allowed(region.runner, ledger::OpenSession{.claimant = own}));
    CHECK_FALSE(region.allowed(region.runner, ledger::StopAlloc{}));
    CHECK(region.allowed(region.peer, ledger::StopAlloc{}));
    CHECK_FALSE(region.allowed(region.runner, ledger::HoldersChanged{.holders = {own}}));
}

TEST_CASE("permit: an admission says what its certificate says") {
    Region region;
    const ledger::Admit good = region.admission();
    CHECK(region.allowed(region.peer, good));

    const auto changed = [&](auto change) {
        ledger::Admit admit = good;
        change(admit);
        return region.refused(region.peer, admit);
    };
    CHECK(changed([](auto& a) { a.who.rights = kIssuerRights.bits; }) != "");
    CHECK(changed([](auto& a) { a.who.id.bytes[0] ^= 1; }) != "");
    CHECK(changed([](auto& a) { a.invitation.uses_max = 1'000; }) != "");
    CHECK(changed([](auto& a) { a.invitation.expiry = WallTime{}; }) != "");
    CHECK(changed([](auto& a) { a.invitation.serial.bytes[0] ^= 1; }) != "");
    CHECK(changed([](auto& a) { a.who.certificate.back() ^= 1; }) != "");
    CHECK(changed([](auto& a) { a.who.certificate.clear(); }) != "");

    TestCluster elsewhere(100);
    ledger::Admit foreign = good;
    foreign.who =
        newcomer_from(elsewhere.certificate_of(make_identity(elsewhere.fresh)), "", "dc1");
    CHECK_FALSE(region.allowed(region.peer, foreign));
}

TEST_CASE("permit: an expulsion counts with an issuer's statement about that peer") {
    const Region region;
    const Expulsion statement = expel(region.issuer(), region.runner, region.region(), Epoch{1});
    CHECK(region.allowed(region.peer, ledger::Expel{region.runner, "", encode(statement)}));
    CHECK_FALSE(region.allowed(region.peer, ledger::Expel{region.peer, "", encode(statement)}));
    CHECK_FALSE(region.allowed(region.peer, ledger::Expel{region.runner, "", {}}));

    Expulsion forged = statement;
    forged.body.peer = region.peer;
    CHECK_FALSE(region.allowed(region.peer, ledger::Expel{region.peer, "", encode(forged)}));
}

}  // namespace gaggle::node
