#include "crypto/invitation.h"

#include <doctest/doctest.h>

#include "base/rng.h"
#include "tests/crypto/fixture.h"

namespace gaggle {

namespace {

constexpr WallTime kNow{1'000};

bool mentions(const Error& error, std::string_view words) {
    return error.detail.find(words) != std::string::npos;
}

}  // namespace

TEST_CASE("an invitation is one line of text, and comes back whole, also when a mail wrapped it") {
    TestCluster cluster;
    const Invitation invitation = cluster.invitation();
    const std::string text = to_text(invitation);
    CHECK(text.starts_with("gaggle1."));
    CHECK(text.find_first_of(" \n+/=") == std::string::npos);
    std::string wrapped = "  " + text + "\r\n";
    wrapped.insert(100, "\n");
    for (const std::string& form : {text, wrapped}) {
        const auto again = parse_invitation(form);
        REQUIRE(again.ok());
        CHECK(again->cluster() == cluster_of(cluster.authority()));
        CHECK(again->seeds == invitation.seeds);
        CHECK(again->grant == invitation.grant);
        CHECK(again->delegated.seed() == invitation.delegated.seed());
    }
}

TEST_CASE("a garbled or cut invitation is told apart from what is none") {
    TestCluster cluster;
    const std::string text = to_text(cluster.invitation());
    for (std::size_t at = 8; at < text.size(); ++at) {
        CAPTURE(at);
        for (const char other : {'A', 'B', 'z', '_'}) {
            if (text[at] == other) continue;
            std::string damaged = text;
            damaged[at] = other;
            const auto garbled = parse_invitation(damaged);
            REQUIRE(!garbled.ok());
            CHECK(garbled.error().code == Errc::corrupt);
        }
        CHECK(parse_invitation(text.substr(0, at)).error().code == Errc::corrupt);
    }
    CHECK(parse_invitation(text + "A").error().code == Errc::corrupt);
    CHECK(mentions(parse_invitation(text.substr(0, 60)).error(), "copy the whole line"));
    for (const char* none : {"", "gaggle", "hello world", "gaggle2.AAAA"})
        CHECK(parse_invitation(none).error().code == Errc::invalid);
    CHECK(parse_invitation(std::string(1U << 20U, 'g')).error().code == Errc::invalid);
}

TEST_CASE("an invitation made by somebody else's issuer, or with another secret, is denied") {
    TestCluster cluster;
    TestCluster stranger(1'000);
    Invitation foreign = stranger.invitation();
    foreign.authority = cluster.authority();
    CHECK(parse_invitation(to_text(foreign)).error().code == Errc::denied);
    Invitation robbed = cluster.invitation();
    robbed.delegated = SigningKey::from_seed(cluster.fresh());
    CHECK(parse_invitation(to_text(robbed)).error().code == Errc::denied);
}

TEST_CASE("a senseless scope is refused where it is made") {
    TestCluster cluster;
    const std::vector<Seed> seeds{{"127.0.0.1", kBasePort, cluster.first.curve.open}};
    const auto made = [&](auto change) {
        auto scope = cluster.scope();
        change(scope);
        return make_invitation(cluster.founding.issuer, scope, seeds, cluster.fresh);
    };
    CHECK(made([](auto&) {}).ok());
    CHECK(made([](auto& scope) { scope.uses = 0; }).error().code == Errc::invalid);
    CHECK(made([](auto& scope) { scope.rights = {}; }).error().code == Errc::invalid);
    CHECK(made([](auto& scope) { scope.expires = {}; }).error().code == Errc::invalid);
    CHECK(made([](auto& scope) { scope.region = {}; }).error().code == Errc::invalid);
    CHECK(made([](auto& scope) { scope.region_name = "a b"; }).error().code == Errc::invalid);
    CHECK(made([](auto& scope) { scope.datacenter = "x\n"; }).error().code == Errc::invalid);
    CHECK(made([](auto& scope) { scope.rights = kIssuerRights; }).error().code == Errc::denied);
    const auto alone = make_invitation(cluster.founding.issuer, cluster.scope(), {});
    CHECK(alone.error().code == Errc::invalid);
    const auto crowd = make_invitation(cluster.founding.issuer, cluster.scope(),
                                       std::vector<Seed>(kSeedsMax + 1, seeds[0]));
    CHECK(crowd.error().code == Errc::invalid);
}

TEST_CASE("a knock is admitted by the leader's clock, and only with an invitation of this region") {
    TestCluster cluster;
    TestCluster stranger(1'000);
    const Identity newcomer = make_identity(cluster.fresh);
    const auto knock = join_request(cluster.invitation(), newcomer, "", kNow);
    REQUIRE(knock.ok());
    CHECK(knock->body.datacenter == "dc1");
    const auto& authority = cluster.authority();
    const auto& region = cluster.founding.region;
    CHECK(verify_knock(*knock, authority, region, kNow).ok());
    CHECK(verify_knock(*decode<Knock>(encode(*knock), "knock"), authority, region, kNow).ok());

    const auto expired = verify_knock(*knock, authority, region, WallTime{2'001});
    REQUIRE(!expired.ok());
    CHECK(mentions(expired.error(), "expired"));
    CHECK(!verify_knock(*knock, stranger.authority(), region, kNow).ok());
    CHECK(!verify_knock(*knock, authority, stranger.founding.region, kNow).ok());

    // Somebody who saw the certificate has not the newcomer's key.
    const Knock stolen = seal(knock->body, make_identity(cluster.fresh).signing);
    const auto refused = verify_knock(stolen, authority, region, kNow);
    REQUIRE(!refused.ok());
    CHECK(mentions(refused.error(), "not signed by the key it names"));

    // A founder's certificate is no invitation.
    const Knock founder =
        seal(KnockStatement{cluster.founding.founder, "dc1", kNow}, cluster.first.signing);
    CHECK(mentions(verify_knock(founder, authority, region, kNow).error(), "no invitation"));
}

TEST_CASE("a newcomer's wrong clock is named, and a recorded knock gets old") {
    TestCluster cluster;
    auto scope = cluster.scope();
    scope.expires = WallTime{INT64_MAX};
    const auto invitation = make_invitation(cluster.founding.issuer, scope,
                                            {{"127.0.0.1", kBasePort, cluster.first.curve.open}});
    const Identity newcomer = make_identity(cluster.fresh);
    constexpr std::int64_t kHour = 3'600'000'000'000;
    constexpr std::int64_t kThen = 1'800'000'000'000'000'000;
    struct Row {
        std::int64_t at;
        bool fine;
    };
    for (const Row& row :
         {Row{kThen, true}, Row{kThen - 23 * kHour, true}, Row{kThen - 25 * kHour, false},
          Row{kThen + 23 * kHour, true}, Row{kThen + 25 * kHour, false}, Row{INT64_MIN, false},
          Row{INT64_MAX, false}}) {
        CAPTURE(row.at);
        const auto knock = join_request(*invitation, newcomer, "", WallTime{row.at});
        REQUIRE(knock.ok());
        const auto verdict =
            verify_knock(*knock, cluster.authority(), cluster.founding.region, WallTime{kThen});
        CHECK(verdict.ok() == row.fine);
        if (!row.fine) CHECK(mentions(verdict.error(), "clock"));
    }
}

TEST_CASE("a datacenter is the scope's, or the newcomer's wish where the scope leaves it open") {
    TestCluster cluster;
    const Identity newcomer = make_identity(cluster.fresh);
    struct Row {
        std::string scope, wish, got;  // got empty: refused
    };
    for (const Row& row : {Row{"dc1", "", "dc1"}, Row{"dc1", "dc1", "dc1"}, Row{"dc1", "dc2", ""},
                           Row{"", "dc2", "dc2"}, Row{"", "", ""}, Row{"", "a b", ""}}) {
        CAPTURE(row.scope);
        CAPTURE(row.wish);
        auto scope = cluster.scope();
        scope.datacenter = row.scope;
        const auto invitation = make_invitation(
            cluster.founding.issuer, scope, {{"127.0.0.1", kBasePort, cluster.first.curve.open}});
        const auto knock = join_request(*invitation, newcomer, row.wish, kNow);
        REQUIRE(knock.ok() == !row.got.empty());
        if (knock.ok()) CHECK(knock->body.datacenter == row.got);
    }
    // The leader does not take the newcomer's word for it.
    auto body = join_request(cluster.invitation(), newcomer, "", kNow)->body;
    body.datacenter = "dc2";
    CHECK(!verify_knock(seal(body, newcomer.signing), cluster.authority(), cluster.founding.region,
                        kNow)
               .ok());
}

TEST_CASE("damaged knocks end in an error, never in a crash") {
    TestCluster cluster;
    const Bytes bytes =
        encode(*join_request(cluster.invitation(), make_identity(cluster.fresh), "", kNow));
    Rng rng(12);
    for (int round = 0; round < 20'000; ++round) {
        Bytes damaged = bytes;
        for (std::uint64_t flips = 1 + rng.below(4); flips > 0; --flips)
            damaged[rng.below(damaged.size())] = static_cast<std::uint8_t>(rng.next());
        damaged.resize(rng.chance(0.5) ? damaged.size() : rng.below(damaged.size()));
        const auto again = decode<Knock>(damaged, "knock", Limits{.fields = Fields::exact});
        if (again.ok() && damaged != bytes && round < 2'000)
            CHECK(!verify_knock(*again, cluster.authority(), cluster.founding.region, kNow).ok());
    }
}

TEST_CASE("an expulsion counts from an issuer with the right, or from the authority") {
    TestCluster cluster;
    TestCluster stranger(1'000);
    const auto& authority = cluster.authority();
    const auto& region = cluster.founding.region;
    const PeerId peer = make_identity(cluster.fresh).id();
    const Expulsion good = expel(cluster.founding.issuer, peer, region, Epoch{1}, cluster.fresh);
    CHECK(verify(good, authority, region).ok());
    CHECK(!verify(good, authority, stranger.founding.region).ok());
    CHECK(!verify(good, stranger.authority(), region).ok());
    auto another = good;
    another.body.peer = cluster.first.id();
    CHECK(!verify(another, authority, region).ok());

    const Expulsion by_authority =
        seal(ExpulsionStatement{peer, region, Epoch{1}, Serial{{9}}, std::nullopt},
             cluster.founding.authority);
    CHECK(verify(by_authority, authority, region).ok());

    Issuer weak = cluster.founding.issuer;
    weak.certificate = seal(IssuerStatement{weak.key.public_key(), Serial{{2}}, kPeerRights},
                            cluster.founding.authority);
    const Expulsion powerless = expel(weak, peer, region, Epoch{1}, cluster.fresh);
    CHECK(verify(powerless, authority, region).error().code == Errc::denied);
}

TEST_CASE("two foundings have nothing in common, and one is the same for the same secrets") {
    CHECK(TestCluster(5).founding.region == TestCluster(5).founding.region);
    CHECK(TestCluster(5).founding.founder == TestCluster(5).founding.founder);
    const Identity identity = make_identity();
    const Founding one = found_cluster(identity);
    const Founding two = found_cluster(identity);
    CHECK(one.region != two.region);
    CHECK(one.issuer.authority != two.issuer.authority);
    CHECK(one.issuer.certificate.body.issuer != two.issuer.certificate.body.issuer);
}

}  // namespace gaggle
