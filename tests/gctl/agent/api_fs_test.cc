#include <doctest/doctest.h>

#include "gctl/agent/api_tail.h"
#include "tests/gctl/agent/api_world.h"

namespace gaggle {

namespace {

constexpr const char* kAlloc = "bbbbbbbb-bbbb-bbbb-bbbb-bbbbbbbbbbbb";

ExchangeId begin(ApiWorld& world, const std::string& verb, ApiWorld::Query query) {
    const ExchangeId client = world.get("/v1/client/fs/" + verb + "/" + kAlloc, std::move(query));
    CHECK(world.question_as<node::Query>().kind == node::QueryKind::allocation);
    world.reply(sample_answer());
    return client;
}

template <class What>
const What& asked(const ApiWorld& world) {
    const auto& ask = world.question_as<node::AskPeer>();
    CHECK(to_string(ask.alloc) == kAlloc);
    const auto* what = std::get_if<What>(&ask.what);
    REQUIRE(what != nullptr);
    return *what;
}

NodeReply chunk(const std::string& text, std::uint64_t from, std::uint64_t size) {
    return said(node::FileChunk{.from = from, .size = size, .data = to_bytes(text)});
}

}  // namespace

TEST_CASE("a directory is listed in Nomad's words") {
    ApiWorld world;
    const ExchangeId client = begin(world, "ls", {{"path", "alloc/data"}});
    CHECK(asked<node::ListFiles>(world).path == "alloc/data");
    world.reply(said(node::FileList{{{.name = "x",
                                      .is_folder = false,
                                      .size = 3,
                                      .mode = "-rw-r--r--",
                                      .modified = {1'700'000'000'000'000'000}}}}));
    const Value json = world.json(client);
    CHECK(text_at(json, "0.Name") == "x");
    CHECK(text_at(json, "0.FileMode") == "-rw-r--r--");
    CHECK(text_at(json, "0.ModTime") == "2023-11-14T22:13:20.000000000Z");
    CHECK(number_at(json, "0.Size") == 3);
}

TEST_CASE("an empty directory is an empty list, not null") {
    ApiWorld world;
    const ExchangeId client = begin(world, "ls", {});
    CHECK(asked<node::ListFiles>(world).path.empty());
    world.reply(said(node::FileList{}));
    CHECK(world.response(client).body == "[]");
}

TEST_CASE("a file is looked at by name") {
    ApiWorld world;
    const ExchangeId client = begin(world, "stat", {{"path", "a.json"}});
    CHECK(asked<node::StatFile>(world).path == "a.json");
    world.reply(
        said(node::FileList{{{.name = "a.json", .size = 2, .content_type = "application/json"}}}));
    CHECK(text_at(world.json(client), "ContentType") == "application/json");
}

TEST_CASE("cat is all of a file as it was at the beginning, and no more while it grows") {
    ApiWorld world;
    const ExchangeId client = begin(world, "cat", {{"path", "log"}});
    world.reply(chunk("hello ", 0, 11));
    world.input(ApiCore::Written{client});
    CHECK(asked<node::ReadFile>(world).offset == 6);
    CHECK_MESSAGE(world.question_as<node::AskPeer>().peer == sample_peer().who.id,
                  "whoever answered is asked again, without another look into the ledger");
    world.reply(chunk("world, and more", 6, 500));
    CHECK(world.streamed(client) == "hello world");
    CHECK(world.ended(client));
    CHECK(world.core.under_way() == 0);
}

TEST_CASE("readat is a part of a file") {
    ApiWorld world;
    const ExchangeId client =
        begin(world, "readat", {{"path", "log"}, {"offset", "2"}, {"limit", "5"}});
    CHECK(asked<node::ReadFile>(world).offset == 2);
    world.reply(chunk("llo world", 2, 11));
    CHECK(world.streamed(client) == "llo w");
    CHECK(world.ended(client));
}

TEST_CASE("an empty file ends at once") {
    ApiWorld world;
    const ExchangeId client = begin(world, "cat", {{"path", "empty"}});
    world.reply(chunk("", 0, 0));
    CHECK(world.streamed(client).empty());
    CHECK(world.ended(client));
}

TEST_CASE("a followed file says when it was cut short and when it went") {
    ApiWorld world;
    const ExchangeId client = begin(world, "stream", {{"path", "f"}});
    world.reply(chunk("abc", 0, 3));
    CHECK(world.streamed(client) == R"({"Data":"YWJj","File":"f","Offset":3})");
    world.input(ApiCore::Written{client});
    world.reply(chunk("", 3, 1));  // shorter than what was read
    CHECK(world.streamed(client).ends_with(
        R"({"Data":"","File":"f","FileEvent":"file truncated","Offset":0})"));
    world.input(ApiCore::Written{client});
    CHECK(asked<node::ReadFile>(world).offset == 0);
    world.reply(chunk("x", 0, 1));
    world.input(ApiCore::Written{client});
    world.reply(Error{Errc::not_found, "open \"f\": no such file or directory"});
    CHECK(world.streamed(client).ends_with(
        R"({"Data":"","File":"f","FileEvent":"file deleted","Offset":1})"));
    CHECK(world.ended(client));
}

TEST_CASE("a file is followed from its end") {
    ApiWorld world;
    const ExchangeId client =
        begin(world, "stream", {{"path", "f"}, {"origin", "end"}, {"offset", "4"}});
    CHECK(asked<node::ReadFile>(world).from_end);
    world.reply(chunk("tail", 96, 100));
    world.input(ApiCore::Written{client});
    CHECK_FALSE(asked<node::ReadFile>(world).from_end);
    CHECK(asked<node::ReadFile>(world).offset == 100);
}

TEST_CASE("requests for files that are refused") {
    struct Row {
        const char* verb;
        ApiWorld::Query query;
        const char* body;
    };
    for (const Row& row : {
             Row{"stat", {}, "must provide a file name"},
             Row{"cat", {}, "must provide a file name"},
             Row{"stream", {}, "must provide a file name"},
             Row{"readat",
                 {{"path", "f"}, {"offset", "x"}},
                 "error parsing offset: \"x\" is no whole number"},
             Row{"readat",
                 {{"path", "f"}, {"limit", "-1"}},
                 "error parsing limit: \"-1\" is no whole number"},
             Row{"stream", {{"path", "f"}, {"origin", "top"}}, "origin must be start or end"},
         }) {
        CAPTURE(row.verb);
        ApiWorld world;
        const ExchangeId client =
            world.get(std::string("/v1/client/fs/") + row.verb + "/" + kAlloc, row.query);
        CHECK(world.response(client).status == 400);
        CHECK(world.response(client).body == row.body);
    }
    ApiWorld world;
    const ExchangeId secret = begin(world, "cat", {{"path", "web/secrets/token"}});
    world.reply(Error{Errc::denied, "a task's secrets are not shown"});
    CHECK(world.response(secret).status == 403);
}

}  // namespace gaggle
