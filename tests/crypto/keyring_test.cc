#include "crypto/keyring.h"

#include <doctest/doctest.h>

#include "tests/crypto/fixture.h"

namespace gaggle {

TEST_CASE("a keyring knows whom it admitted, by CURVE key and by id") {
    TestCluster cluster;
    const Identity peer = make_identity(cluster.fresh);
    Keyring keyring(cluster.authority(), cluster.founding.region);
    CHECK(!keyring.lookup(peer.curve.open));
    REQUIRE(keyring.admit(cluster.founding.founder).ok());
    REQUIRE(keyring.admit(cluster.certificate_of(peer)).ok());
    REQUIRE(keyring.admit(cluster.certificate_of(peer)).ok());  // again, by another invitation
    CHECK(keyring.peers().size() == 2);
    CHECK(keyring.lookup(peer.curve.open)->peer == peer.id());
    CHECK(keyring.lookup(peer.id())->curve == peer.curve.open);
    CHECK(keyring.lookup(peer.id())->signing == peer.signing.public_key());
    CHECK(keyring.lookup(cluster.first.id())->rights == kPeerRights);
    CHECK(!Keyring().admit(cluster.founding.founder).ok());
}

TEST_CASE("a stranger's certificate is not admitted") {
    TestCluster cluster;
    TestCluster stranger(1'000);
    Keyring keyring(cluster.authority(), cluster.founding.region);
    CHECK(keyring.admit(stranger.founding.founder).error().code == Errc::denied);
    CHECK(keyring.peers().empty());
}

TEST_CASE("a peer and its CURVE key belong together for life") {
    TestCluster cluster;
    const Identity peer = make_identity(cluster.fresh);
    Identity rekeyed = make_identity(cluster.fresh);
    const Identity thief{rekeyed.signing, peer.curve};
    rekeyed.signing = peer.signing;
    Keyring keyring(cluster.authority(), cluster.founding.region);
    REQUIRE(keyring.admit(cluster.certificate_of(peer)).ok());
    const Keyring before = keyring;
    CHECK(keyring.admit(cluster.certificate_of(rekeyed)).error().code == Errc::denied);
    CHECK(keyring.admit(cluster.certificate_of(thief)).error().code == Errc::denied);
    CHECK(keyring == before);
}

TEST_CASE("an expelled peer is out for good") {
    TestCluster cluster;
    const Identity peer = make_identity(cluster.fresh);
    Keyring keyring(cluster.authority(), cluster.founding.region);
    REQUIRE(keyring.admit(cluster.certificate_of(peer)).ok());
    keyring.expel(peer.id());
    CHECK(!keyring.lookup(peer.curve.open));
    CHECK(!keyring.lookup(peer.id()));
    CHECK(keyring.expelled(peer.id()));
    CHECK(keyring.admit(cluster.certificate_of(peer)).error().code == Errc::denied);
    const PeerId unknown = make_identity(cluster.fresh).id();
    keyring.expel(unknown);  // before its certificate was seen here
    CHECK(keyring.expelled(unknown));
}

}  // namespace gaggle
