#include "gctl/node/directory.h"

#include <doctest/doctest.h>

#include "base/wire.h"
#include "tests/crypto/fixture.h"

namespace gaggle::node {

namespace {

/// The first peer's directory, and a newcomer whose card says `number` of itself.
struct Scene {
    TestCluster cluster;
    Certificate certificate = cluster.certificate_of(make_identity(cluster.fresh));
    PeerId newcomer = gaggle::id_of(certificate);
    Directory directory{cluster.authority(), cluster.founding.region};

    void learn(std::uint32_t number) {
        const Card card{.certificate = encode(certificate),
                        .number = PeerNumber{number},
                        .endpoint = {},
                        .offer = {},
                        .description = {}};
        REQUIRE(directory.learn(newcomer, encode(card)).ok());
    }
    std::uint32_t number() { return directory.find(newcomer)->card.number.value; }
};

}  // namespace

TEST_CASE("directory: a number that the ledger gave holds, whenever the card comes") {
    Scene scene;
    scene.directory.set_number(scene.newcomer, PeerNumber{2});  // admitted: no card of it yet
    CHECK(scene.directory.find(scene.newcomer) == nullptr);
    scene.learn(0);  // written before it was admitted
    CHECK(scene.number() == 2);
    scene.learn(7);  // whatever it says of itself
    CHECK(scene.number() == 2);
    CHECK(scene.directory.id_of(PeerNumber{2}) == scene.newcomer);
    CHECK(!scene.directory.id_of(PeerNumber{7}));
}

TEST_CASE("directory: without the ledger's word a card is believed, and corrected later") {
    Scene scene;
    scene.learn(7);
    CHECK(scene.number() == 7);
    scene.learn(0);
    CHECK(scene.number() == 7);
    scene.directory.set_number(scene.newcomer, PeerNumber{3});
    CHECK(scene.number() == 3);
    CHECK(scene.directory.id_of(PeerNumber{3}) == scene.newcomer);
}

}  // namespace gaggle::node
