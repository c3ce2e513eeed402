// What is finished is let go, over HTTP.
#include "tests/gctl/agent/api_world.h"

namespace gaggle {

namespace {

std::string alloc_path() { return "/v1/client/allocation/" + to_string(sample_alloc().id) + "/gc"; }

void check_asks_to_collect(const ApiWorld& world, const AllocId& alloc, const PeerId& peer) {
    const auto& asked = world.question_as<node::AskPeer>();
    CHECK(std::holds_alternative<node::CollectDirs>(asked.what));
    CHECK(asked.alloc == alloc);
    CHECK(asked.peer == peer);
}

}  // namespace

TEST_CASE("one allocation's directory is collected by the peer that has it") {
    for (const char* method : {"GET", "POST"}) {
        ApiWorld world;
        const ExchangeId client = world.send(method, alloc_path());
        world.reply(sample_answer());
        check_asks_to_collect(world, sample_alloc().id, {});
        world.reply(said(node::Done{}));
        CHECK(world.json(client) == val(Object{}));
    }
}

TEST_CASE("why nothing was collected comes back") {
    ApiWorld world;
    const ExchangeId client = world.get(alloc_path());
    world.reply(sample_answer());
    world.reply(Error{Errc::not_found, "not eligible for GC: it has not ended"});
    CHECK(world.response(client).status == 404);
    CHECK(world.response(client).body == "not eligible for GC: it has not ended");
    ApiWorld other;
    const ExchangeId unknown = other.get("/v1/client/allocation/ffff/gc");
    node::Answer nothing = sample_answer();
    nothing.allocs.clear();
    other.reply(nothing);
    CHECK(other.response(unknown).body == "alloc not found");
}

TEST_CASE("all that is finished on one peer, this one or another") {
    ApiWorld world;
    const ExchangeId client = world.send("POST", "/v1/client/gc");
    check_asks_to_collect(world, {}, {});
    world.reply(said(node::Done{}));
    CHECK(world.json(client) == val(Object{}));
    const std::string id = to_string(sample_peer().who.id);
    world.get("/v1/client/gc", {{"node_id", id}});
    check_asks_to_collect(world, {}, sample_peer().who.id);
    ApiWorld shortened;
    shortened.get("/v1/client/gc", {{"node_id", id.substr(0, 8)}});
    shortened.reply(sample_answer());
    check_asks_to_collect(shortened, {}, sample_peer().who.id);
    ApiWorld unknown;
    const ExchangeId refused = unknown.get("/v1/client/gc", {{"node_id", "ffff"}});
    node::Answer nothing = sample_answer();
    nothing.found = false;
    unknown.reply(nothing);
    CHECK(unknown.response(refused).status == 404);
    CHECK(unknown.response(refused).body == "node not found");
}

}  // namespace gaggle
