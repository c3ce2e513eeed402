#include "crypto/certificate.h"

#include <doctest/doctest.h>

#include "base/rng.h"
#include "tests/crypto/fixture.h"

namespace gaggle {

namespace {

const Limits kExact{.fields = Fields::exact};

Rights with(Rights rights, Right more) {
    rights.bits |= static_cast<std::uint8_t>(more);
    return rights;
}

/// Whether the bytes still pass for a certificate of the cluster.
bool accepted(BytesView bytes, const TestCluster& cluster) {
    const auto certificate = decode<Certificate>(bytes, "certificate", kExact);
    return certificate.ok() &&
           verify(*certificate, cluster.authority(), cluster.founding.region).ok();
}

}  // namespace

TEST_CASE("the founder and an invited peer are verified with the authority's public key alone") {
    TestCluster cluster;
    const Identity newcomer = make_identity(cluster.fresh);
    const Certificate invited = cluster.certificate_of(newcomer);
    CHECK(verify(cluster.founding.founder, cluster.authority(), cluster.founding.region).ok());
    CHECK(verify(invited, cluster.authority(), cluster.founding.region).ok());
    CHECK(id_of(invited) == newcomer.id());
    CHECK(scope_of(invited)->region_name == "north");
    CHECK(serial_of(invited) == scope_of(invited)->serial);
    CHECK(scope_of(cluster.founding.founder) == nullptr);
    CHECK(serial_of(cluster.founding.founder) == cluster.founding.issuer.certificate.body.serial);
}

TEST_CASE("a certificate travels, and any changed byte of it is refused") {
    TestCluster cluster;
    for (const Certificate& certificate :
         {cluster.founding.founder, cluster.certificate_of(make_identity(cluster.fresh))}) {
        const Bytes bytes = encode(certificate);
        REQUIRE(accepted(bytes, cluster));
        CHECK(*decode<Certificate>(bytes, "certificate", kExact) == certificate);
        for (std::size_t at = 0; at < bytes.size(); ++at) {
            CAPTURE(at);
            for (const int change : {1, 0x80, 0xff}) {
                Bytes damaged = bytes;
                damaged[at] = static_cast<std::uint8_t>(damaged[at] ^ change);
                CHECK(!accepted(damaged, cluster));
            }
            CHECK(!accepted(BytesView(bytes).first(at), cluster));
        }
    }
}

TEST_CASE("damaged certificates end in an error, never in a crash") {
    TestCluster cluster;
    const Bytes bytes = encode(cluster.certificate_of(make_identity(cluster.fresh)));
    Rng rng(11);
    int decoded = 0;
    for (int round = 0; round < 20'000; ++round) {
        Bytes damaged = bytes;
        for (std::uint64_t flips = 1 + rng.below(4); flips > 0; --flips)
            damaged[rng.below(damaged.size())] = static_cast<std::uint8_t>(rng.next());
        if (damaged == bytes) continue;
        const auto again = decode<Certificate>(damaged, "certificate", kExact);
        if (!again.ok()) continue;
        if (++decoded <= 500)  // verifying costs more than decoding
            CHECK(!verify(*again, cluster.authority(), cluster.founding.region).ok());
    }
    CHECK(decoded > 500);  // the mutations reach past the decoder
}

TEST_CASE("another cluster's certificate, region or issuer is refused, and says why") {
    TestCluster cluster;
    TestCluster stranger(1'000);
    const Certificate foreign = stranger.certificate_of(make_identity(stranger.fresh));
    CHECK(cluster_of(cluster.authority()) != cluster_of(stranger.authority()));

    auto refused = verify(foreign, cluster.authority(), cluster.founding.region);
    REQUIRE(!refused.ok());
    CHECK(refused.error().detail.find("region") != std::string::npos);

    refused = verify(foreign, cluster.authority(), stranger.founding.region);
    REQUIRE(!refused.ok());
    CHECK(refused.error().code == Errc::denied);
    CHECK(refused.error().detail.find("authority") != std::string::npos);

    // A stranger who signs with his own issuer for our region gets no further.
    auto body = stranger.founding.founder.body;
    body.region = cluster.founding.region;
    const Certificate forged = seal(body, stranger.founding.issuer.key);
    CHECK(!verify(forged, cluster.authority(), cluster.founding.region).ok());
}

TEST_CASE("nobody in the chain gives more than it has") {
    TestCluster cluster;
    const auto& authority = cluster.founding.authority;
    const auto& region = cluster.founding.region;
    const SigningKey issuer = SigningKey::from_seed(cluster.fresh());
    const SigningKey delegated = SigningKey::from_seed(cluster.fresh());
    const Identity peer = make_identity(cluster.fresh);
    constexpr Rights kRun = Rights::of({Right::run});
    struct Row {
        const char* what;
        Rights issuer, scope, claimed;
        bool holds;
    };
    for (const Row& row : {
             Row{"as given", with(kRun, Right::issue), kRun, kRun, true},
             Row{"less than given", kIssuerRights, kPeerRights, kRun, true},
             Row{"a peer claims more than its scope", kIssuerRights, kRun, kPeerRights, false},
             Row{"the issuer has not the right to issue", kPeerRights, kRun, kRun, false},
             Row{"the issuer has not the right it gives", with(kRun, Right::issue),
                 with(kRun, Right::vote), kRun, false},
             Row{"the right to issue is not handed on", kIssuerRights, kIssuerRights, kRun, false},
             Row{"an unknown right", kIssuerRights, Rights{0x40}, Rights{0x40}, false},
         }) {
        CAPTURE(row.what);
        const auto named =
            seal(IssuerStatement{issuer.public_key(), Serial{{1}}, row.issuer}, authority);
        auto scope = cluster.scope();
        scope.rights = row.scope;
        const auto grant = seal(GrantStatement{scope, delegated.public_key(), named}, issuer);
        const auto certificate =
            seal(CertificateStatement{region, Epoch{1}, peer.signing.public_key(), peer.curve.open,
                                      row.claimed, grant},
                 delegated);
        const auto verdict = verify(certificate, cluster.authority(), region);
        CHECK(verdict.ok() == row.holds);
        if (!verdict.ok()) CHECK(verdict.error().code == Errc::denied);
    }
}

TEST_CASE("a certificate must be signed by the key that its grant names") {
    TestCluster cluster;
    const Certificate good = cluster.certificate_of(make_identity(cluster.fresh));
    const auto& region = cluster.founding.region;
    const Certificate by_another = seal(good.body, SigningKey::from_seed(cluster.fresh()));
    CHECK(!verify(by_another, cluster.authority(), region).ok());
    const Certificate by_issuer = seal(good.body, cluster.founding.issuer.key);
    CHECK(!verify(by_issuer, cluster.authority(), region).ok());
    auto older = good.body;
    older.epoch = Epoch{0};
    CHECK(!verify(seal(older, cluster.founding.issuer.key), cluster.authority(), region).ok());
}

TEST_CASE("an invitation expires by the clock of who judges it") {
    const TestCluster cluster;
    const auto scope = cluster.scope();
    CHECK(check_expiry(scope, WallTime{1'999}).ok());
    CHECK(check_expiry(scope, scope.expires).ok());
    const auto late = check_expiry(scope, WallTime{2'001});
    REQUIRE(!late.ok());
    CHECK(late.error().code == Errc::denied);
    CHECK(late.error().detail.find("expired at 1970-01-01T00:00:00.000002") != std::string::npos);
}

TEST_CASE("rights are read and written by name") {
    CHECK(to_string(kPeerRights) == "submit, run, hold, vote");
    CHECK(to_string(Rights{}) == "none");
    CHECK(*parse_rights("submit, run,hold , vote") == kPeerRights);
    CHECK(*parse_rights(to_string(kIssuerRights)) == kIssuerRights);
    const auto unknown = parse_rights("run,fly");
    REQUIRE(!unknown.ok());
    CHECK(unknown.error().detail ==
          "no right is named \"fly\"; there are: submit, run, hold, vote, recover, issue");
}

}  // namespace gaggle
