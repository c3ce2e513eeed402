#include "gctl/node/local_desk.h"

#include <doctest/doctest.h>

namespace gaggle::node {

namespace {

PeerId peer_named(std::uint8_t number) {
    PeerId id;
    id.bytes[0] = number;
    return id;
}

class World {
  public:
    World() { out.self = peer_named(9); }
    std::optional<std::uint64_t> ask(const PeerId& from, std::uint64_t request) {
        return desk.take_in(now, from, {.request = request, .alloc = {}, .what = ListFiles{"/"}},
                            out);
    }
    /// What was said since, decoded.
    std::vector<std::pair<PeerId, LocalAnswered>> answers() {
        std::vector<std::pair<PeerId, LocalAnswered>> said;
        for (const SendFrame& frame : out.effects.send) {
            const auto decoded = decode<Frame>(frame.bytes, "frame");
            REQUIRE(decoded.ok());
            said.emplace_back(frame.to, std::get<LocalAnswered>(decoded->body));
        }
        out.effects.send.clear();
        return said;
    }

    LocalDesk desk;
    Outbox out;
    Now now{TimePoint(1s), {}};
};

}  // namespace

TEST_CASE("a question is begun once however often it is repeated, and answered to whoever asked") {
    World world;
    const auto first = world.ask(peer_named(1), 7);
    REQUIRE(first);
    CHECK_FALSE(world.ask(peer_named(1), 7));
    const auto other = world.ask(peer_named(2), 7);  // its own number 7
    REQUIRE(other);
    world.desk.done(world.now, *other, LocalAnswer(FileList{{{.name = "x"}}}), world.out);
    const auto said = world.answers();
    REQUIRE(said.size() == 1);
    CHECK(said[0].first == peer_named(2));
    CHECK(said[0].second.request == 7);
    CHECK(std::get<FileList>(said[0].second.answer).files[0].name == "x");
    world.desk.done(world.now, *first, Error{Errc::denied, "no"}, world.out);
    const auto refused = world.answers();
    REQUIRE(refused.size() == 1);
    CHECK(refused[0].second.code == Errc::denied);
    CHECK(refused[0].second.error == "no");
    CHECK(world.desk.under_way() == 0);
}

TEST_CASE("work that nobody knows is ignored") {
    World world;
    world.desk.done(world.now, 99, LocalAnswer(Done{}), world.out);
    CHECK(world.answers().empty());
}

TEST_CASE("a read whose answer was lost is simply done again") {
    World world;
    const auto first = world.ask(peer_named(1), 7);
    world.desk.done(world.now, *first, LocalAnswer(Done{}), world.out);
    CHECK(world.ask(peer_named(1), 7));
}

TEST_CASE("beyond its limit the desk refuses in words") {
    World world;
    std::uint8_t asker = 0;
    for (std::uint64_t at = 0; at < kLocalWorkMax; ++at) {
        if (at % kLocalShareMax == 0) ++asker;
        REQUIRE(world.ask(peer_named(asker), at + 1));
    }
    CHECK_FALSE(world.ask(peer_named(8), 1));
    const auto said = world.answers();
    REQUIRE(said.size() == 1);
    CHECK(said[0].second.code == Errc::unavailable);
    CHECK(said[0].second.error.find("try again") != std::string::npos);
}

TEST_CASE("one asker does not take all places") {
    World world;
    std::optional<std::uint64_t> last;
    for (std::uint64_t at = 0; at < kLocalShareMax; ++at) {
        last = world.ask(peer_named(1), at + 1);
        REQUIRE(last);
    }
    CHECK_FALSE(world.ask(peer_named(1), kLocalShareMax + 1));
    CHECK(world.answers().at(0).second.code == Errc::unavailable);
    CHECK(world.ask(peer_named(2), 1));
    world.desk.done(world.now, *last, LocalAnswer(Done{}), world.out);
    CHECK(world.ask(peer_named(1), kLocalShareMax + 2));
}

}  // namespace gaggle::node
