// The lists of services that peers pull from each other, in virtual time.
#include "gctl/node/catalogue.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <memory>

#include "gctl/node/service_book.h"
#include "tests/crypto/fixture.h"

namespace gaggle::node {

namespace {

ListedService web(std::uint16_t port, allocrunner::CheckStatus health = {}) {
    ListedService out{.name_space = "default", .job = "web", .group = "app"};
    out.instance = {.name = "web", .address = "10.0.0.1", .port = port, .health = health};
    return out;
}

/// Peers with one catalogue each, and a network between them that counts and may lose frames.
class Region {
  public:
    explicit Region(std::size_t count) {
        for (std::size_t at = 0; at < count; ++at) add();
    }

    void offer(std::size_t peer, ServiceList services) {
        catalogues_[peer]->publish(now, std::move(services), boxes_[peer]);
        known(peer).state->services = catalogues_[peer]->checksum();
    }
    /// As gossip does: everybody hears of the peer's state.
    void gossip(std::size_t peer) {
        for (std::size_t at = 0; at < ids.size(); ++at)
            if (at != peer) catalogues_[at]->heard(now, ids[peer], boxes_[at]);
        deliver();
    }
    void pass(Duration span) {
        const TimePoint end = now.time + span;
        while (true) {
            TimePoint next = end;
            for (const auto& catalogue : catalogues_)
                if (const auto due = catalogue->next_wakeup()) next = std::min(next, *due);
            now.time = std::max(now.time, next);
            for (std::size_t at = 0; at < ids.size(); ++at) catalogues_[at]->tick(now, boxes_[at]);
            deliver();
            if (now.time >= end) return;
        }
    }
    /// The ports of the service "web" that peer `at` would lead to.
    std::vector<int> ports(std::size_t at) {
        std::vector<int> out;
        for (ServicesOf& news : boxes_[at].effects.services) books_[at]->take(std::move(news));
        boxes_[at].effects.services.clear();
        for (const FoundService& one : books_[at]->find({.name = "WEB"}).instances)
            out.push_back(one.service.instance.port);
        std::sort(out.begin(), out.end());
        return out;
    }
    /// Only peer `at` hears of peer `of`; and it asks that one itself.
    void ask_owner(std::size_t at, std::size_t of) {
        catalogues_[at]->heard(now, ids[of], boxes_[at]);
        for (int tries = 0; tries <= kPartnerTries && catalogues_[at]->next_wakeup(); ++tries) {
            deliver();
            pass_one(at);
        }
        boxes_[at].effects.services.clear();
        boxes_[of].effects.services.clear();
    }
    Catalogue& catalogue(std::size_t at) { return *catalogues_[at]; }
    Known& known(std::size_t peer) { return *directory_.find(ids[peer]); }

    std::vector<PeerId> ids;
    Now now{TimePoint(1s), {}};
    bool cut = false;             ///< frames are lost
    std::map<PeerId, int> asked;  ///< how often each was asked for a list

  private:
    void add() {
        const Identity identity = make_identity(cluster_.fresh);
        const Certificate certificate = cluster_.certificate_of(identity);
        const PeerId id = gaggle::id_of(certificate);
        const Card card{.certificate = encode(certificate),
                        .endpoint = {"127.0.0.1", kBasePort, {}},
                        .description = {.name = "p" + std::to_string(ids.size())}};
        REQUIRE(directory_.learn(id, encode(card)).ok());
        ids.push_back(id);
        known(ids.size() - 1).liveness = Liveness::alive;
        known(ids.size() - 1).state = PeerState{};
        catalogues_.push_back(std::make_unique<Catalogue>(id, directory_, Rng(ids.size())));
        boxes_.emplace_back().self = id;
        books_.push_back(std::make_unique<ServiceBook>());
    }
    void pass_one(std::size_t at) {
        if (const auto due = catalogues_[at]->next_wakeup()) now.time = std::max(now.time, *due);
        catalogues_[at]->tick(now, boxes_[at]);
        deliver();
    }
    void deliver() {
        for (bool any = true; any;) {
            any = false;
            for (std::size_t from = 0; from < ids.size(); ++from) {
                auto sent = std::exchange(boxes_[from].effects.send, {});
                for (const SendFrame& frame : sent) any = carry(from, frame) || any;
            }
        }
    }
    bool carry(std::size_t from, const SendFrame& sent) {
        if (cut) return false;
        const auto frame = decode<Frame>(sent.bytes, "frame", Limits{.bytes = kBulkBytesMax});
        REQUIRE(frame.ok());
        const auto to =
            static_cast<std::size_t>(std::find(ids.begin(), ids.end(), sent.to) - ids.begin());
        REQUIRE(to < ids.size());
        if (const auto* ask = std::get_if<AskServices>(&frame->body)) {
            ++asked[ids[to]];
            catalogues_[to]->on(ids[from], *ask, boxes_[to]);
        } else {
            catalogues_[to]->on(ids[from], std::get<ServicesAnswer>(frame->body), boxes_[to]);
        }
        return true;
    }

    TestCluster cluster_;
    Directory directory_{cluster_.authority(), cluster_.founding.region};
    std::vector<std::unique_ptr<Catalogue>> catalogues_;
    std::deque<Outbox> boxes_;
    std::vector<std::unique_ptr<ServiceBook>> books_;
};

using Ports = std::vector<int>;
constexpr auto kSuccess = allocrunner::CheckStatus::success;
constexpr auto kFailure = allocrunner::CheckStatus::failure;

}  // namespace

TEST_CASE("what a peer offers is known to all once they hear of it, itself at once") {
    Region region(3);
    region.offer(0, {web(80, kSuccess)});
    CHECK(region.ports(0) == Ports{80});
    CHECK(region.ports(1).empty());
    region.gossip(0);
    CHECK(region.ports(1) == Ports{80});
    CHECK(region.ports(2) == Ports{80});
    CHECK(region.asked[region.ids[0]] == 2);
    region.gossip(0);  // the same again: nobody asks
    CHECK(region.asked[region.ids[0]] == 2);
    region.offer(0, {web(80, kFailure), web(81, kSuccess)});
    region.gossip(0);
    CHECK(region.ports(1) == Ports{81});
    region.offer(0, {});
    region.gossip(0);
    CHECK(region.ports(2).empty());
}

TEST_CASE("a list that cannot be taken is asked for and complained of once") {
    TestCluster cluster;
    Directory directory(cluster.authority(), cluster.founding.region);
    const auto add = [&](const char* name) {
        const Certificate certificate = cluster.certificate_of(make_identity(cluster.fresh));
        const Card card{.certificate = encode(certificate),
                        .endpoint = {"127.0.0.1", kBasePort, {}},
                        .description = {.name = name}};
        const PeerId id = gaggle::id_of(certificate);
        REQUIRE(directory.learn(id, encode(card)).ok());
        directory.find(id)->liveness = Liveness::alive;
        return id;
    };
    const PeerId self = add("self");
    const PeerId other = add("other");
    Catalogue catalogue(self, directory, Rng(1));
    Outbox out;
    out.self = self;
    Now now{TimePoint(1s), {}};
    const Bytes rubbish(100, 0xc1);
    directory.find(other)->state = PeerState{.services = checksum64(rubbish)};
    for (int records = 0; records < 3; ++records) {
        catalogue.heard(now, other, out);
        catalogue.on(other, ServicesAnswer{other, checksum64(rubbish), rubbish}, out);
        now.time += 200ms;
    }
    CHECK(out.effects.send.size() == 1);
    CHECK(out.effects.notes.size() == 1);
    CHECK_FALSE(catalogue.next_wakeup());
    directory.find(other)->state = PeerState{.services = 7};
    catalogue.heard(now, other, out);
    CHECK(out.effects.send.size() == 2);
}

TEST_CASE("beyond the bound on all lists a peer is left out in words, until there is room") {
    const std::size_t count = kCatalogueBytesMax / (kServiceListBytesMax - 2'000) + 2;
    Region region(count);
    ListedService large = web(80, kSuccess);
    large.instance.tags = {std::string(kServiceListBytesMax - 1'000, 't')};
    for (std::size_t at = 1; at < count; ++at) {
        region.offer(at, {large});
        region.ask_owner(0, at);
    }
    CHECK(region.catalogue(0).size() < count - 1);
    CHECK_FALSE_MESSAGE(region.catalogue(0).next_wakeup(), "nothing is asked for again");
    const int before = region.asked[region.ids[count - 1]];
    region.ask_owner(0, count - 1);
    CHECK(region.asked[region.ids[count - 1]] == before);
    region.known(1).liveness = Liveness::dead;
    region.ask_owner(0, 1);
    region.ask_owner(0, count - 1);
    CHECK(region.asked[region.ids[count - 1]] == before + 1);
}

TEST_CASE("who looks at what is offered keeps it while the book goes on") {
    ServiceBook book;
    const PeerId a{{1}}, b{{2}};
    ListedService shop = web(81, kSuccess);
    shop.name_space = "shop";
    book.take({.peer = a, .services = {web(80, kSuccess), shop, web(82, kFailure)}});
    book.take({.peer = b, .trust = Trust::doubtful, .services = {web(90, kSuccess)}});
    const ServiceOffers kept = book.offers({.name = "Web"});
    const auto all = book.all_offers();
    book.take({.peer = a, .trust = Trust::gone});
    CHECK(usable(kept, {}).instances.size() == 1);
    CHECK(usable(kept, {}).instances[0].service.instance.port == 80);
    CHECK(all_usable(all).size() == 3);  // the doubtful one, too
    const auto now = book.find({.name = "web"}).instances;
    REQUIRE(now.size() == 1);
    CHECK(now[0].service.instance.port == 90);
    CHECK_FALSE(book.find({.name = "web", .name_space = "shop"}).known);
    CHECK(all_usable(book.all_offers()).size() == 1);
}

TEST_CASE("a list that did not arrive is asked for until it does") {
    Region region(2);
    region.offer(0, {web(80, kSuccess)});
    region.cut = true;
    region.gossip(0);
    region.pass(3s);
    CHECK(region.ports(1).empty());
    region.cut = false;
    region.pass(kAskListAgain + 200ms);
    CHECK(region.ports(1) == Ports{80});
    region.pass(10s);
    CHECK(region.asked[region.ids[0]] == 1);
}

TEST_CASE("a list changed on its way is asked for again") {
    Region region(2);
    region.offer(0, {web(80, kSuccess)});
    region.cut = true;
    region.gossip(0);
    region.offer(0, {web(81, kSuccess)});  // the question is still for the one before
    region.cut = false;
    region.pass(1s);
    CHECK(region.ports(1) == Ports{81});
    region.gossip(0);
    region.pass(1s);
    CHECK(region.ports(1) == Ports{81});
}

TEST_CASE("a suspect's instances come last, a dead peer's are gone, a returned one's are back") {
    Region region(3);
    region.offer(0, {web(80, kSuccess)});
    region.offer(1, {web(81, kSuccess)});
    region.gossip(0);
    region.gossip(1);
    CHECK(region.ports(2) == Ports{80, 81});
    region.known(0).liveness = Liveness::suspect;
    region.gossip(0);
    CHECK(region.ports(2) == Ports{81});
    region.known(1).liveness = Liveness::suspect;
    region.gossip(1);
    CHECK(region.ports(2) == Ports{80, 81});  // better doubtful ones than none
    region.known(0).liveness = Liveness::dead;
    region.gossip(0);
    CHECK(region.ports(2) == Ports{81});
    region.known(0).liveness = Liveness::alive;
    region.gossip(0);
    region.pass(1s);
    CHECK(region.ports(2) == Ports{80});
}

TEST_CASE("an agent that is away does not take its services with it") {
    Region region(3);
    region.offer(0, {web(80, kSuccess)});
    region.offer(1, {web(81, kSuccess)});
    region.gossip(0);
    region.gossip(1);
    region.known(0).liveness = Liveness::suspect;
    region.known(0).agent_gone = true;  // its port refuses: the machine is there
    region.gossip(0);
    CHECK(region.ports(2) == Ports{80, 81});
}

TEST_CASE("in a large region a change reaches all, and its owner is asked by few") {
    Region region(150);
    region.offer(0, {web(80, kSuccess)});
    region.gossip(0);
    region.pass(10s);
    for (std::size_t at = 1; at < region.ids.size(); ++at) CHECK(region.ports(at) == Ports{80});
    CHECK(region.asked[region.ids[0]] < 50);
}

TEST_CASE("a list beyond all bounds is cut, and that is said") {
    Region region(2);
    ServiceList many(20'000, web(80, kSuccess));
    region.offer(0, many);
    region.gossip(0);
    CHECK(region.ports(0).size() < 20'000);
    CHECK(region.ports(1).size() == region.ports(0).size());
    CHECK_FALSE(region.ports(1).empty());
}

}  // namespace gaggle::node
