#include "gctl/agent/api_tail.h"

#include "allocrunner/alloc_status.h"
#include "base/wire.h"
#include "tests/gctl/agent/questions.h"

namespace gaggle {

namespace {

constexpr const char* kPath = "/v1/client/fs/logs/bbbbbbbb-bbbb-bbbb-bbbb-bbbbbbbbbbbb";

ApiWorld::Query parameters(const std::string& more = "", const std::string& value = "true") {
    ApiWorld::Query query{{"task", "server"}, {"type", "stdout"}};
    if (!more.empty()) query[more] = value;
    return query;
}

NodeReply chunk(const std::string& text, std::uint64_t from) {
    return said(node::LogChunk{.from = {0, from},
                               .next = {0, from + text.size()},
                               .file_name = "alloc/logs/server.stdout.0",
                               .data = to_bytes(text)});
}

const node::ReadLogs& read_of(const ApiWorld& world) {
    const auto* read = std::get_if<node::ReadLogs>(&world.question_as<node::AskPeer>().what);
    REQUIRE(read != nullptr);
    return *read;
}

/// The record that every log request asks for first.
ExchangeId begin(ApiWorld& world, ApiWorld::Query query) {
    const ExchangeId client = world.get(kPath, std::move(query));
    CHECK(world.question_as<node::Query>().kind == node::QueryKind::allocation);
    world.reply(sample_answer());
    return client;
}

}  // namespace

TEST_CASE("a log that is not followed ends where it ends") {
    ApiWorld world;
    const ExchangeId client = begin(world, parameters("plain"));
    CHECK(to_string(world.question_as<node::AskPeer>().alloc) ==
          "bbbbbbbb-bbbb-bbbb-bbbb-bbbbbbbbbbbb");
    CHECK_FALSE(read_of(world).from.has_value());
    world.reply(chunk("hello ", 0));
    CHECK(world.questions.empty());  // the next is read when this one has left
    world.input(ApiCore::Written{client});
    CHECK(*read_of(world).from == node::LogPlace{0, 6});
    world.reply(chunk("world", 6));
    world.input(ApiCore::Written{client});
    world.reply(chunk("", 11));
    CHECK(world.streamed(client) == "hello world");
    CHECK(world.ended(client));
    CHECK(world.core.under_way() == 0);
}

TEST_CASE("a followed log is read every 200 ms, and frames beat once a second") {
    ApiWorld world;
    Questions questions(world);
    const ExchangeId client = begin(world, parameters("follow"));
    world.reply(chunk("one", 0));
    CHECK(world.streamed(client) ==
          R"({"Data":"b25l","File":"alloc/logs/server.stdout.0","Offset":3})");
    world.input(ApiCore::Written{client});
    questions.reply<node::AskPeer>(chunk("", 3));
    CHECK(world.streamed(client).ends_with("3}{}"));  // all that was there has been sent
    world.pass(199ms);
    CHECK(questions.reads() == 0);
    world.pass(1ms);
    REQUIRE(questions.reads() == 1);
    questions.reply<node::AskPeer>(chunk("", 3));
    for (int polls = 0; polls < 4; ++polls) {
        world.pass(200ms);
        questions.reply<node::AskPeer>(chunk("", 3));
    }
    CHECK(world.streamed(client).ends_with("3}{}{}"));  // one heartbeat in that second
    CHECK_FALSE(world.ended(client));
    world.input(ApiCore::Gone{client});
    CHECK(world.core.under_way() == 0);
    CHECK_FALSE(world.core.next_wakeup().has_value());
}

TEST_CASE("plain text has no heartbeats") {
    ApiWorld world;
    Questions questions(world);
    ApiWorld::Query query = parameters("follow");
    query["plain"] = "true";
    const ExchangeId client = begin(world, query);
    world.reply(chunk("", 0));
    for (int polls = 0; polls < 20; ++polls) {
        world.pass(200ms);
        questions.reply<node::AskPeer>(chunk("", 0));
    }
    CHECK(world.streamed(client).empty());
}

namespace {

node::Answer task_in(allocrunner::TaskPhase phase, std::uint64_t index) {
    node::Answer answer = sample_answer();
    answer.index = index;
    allocrunner::AllocStatus status{.client = allocrunner::ClientStatus::running};
    status.tasks["server"].phase = phase;
    answer.allocs.front().status = encode(status);
    return answer;
}

node::Answer alloc_is(ledger::ClientStatus client, std::uint64_t index) {
    node::Answer answer = sample_answer();
    answer.index = index;
    answer.allocs.front().client = client;
    return answer;
}

}  // namespace

TEST_CASE("a followed log ends when its task will write no more, with its last words") {
    struct Row {
        const char* how;
        node::Answer end;
    };
    node::Answer gone = sample_answer();
    gone.index = 60;
    gone.found = false;
    gone.allocs.clear();
    for (const Row& row : {Row{"complete", alloc_is(ledger::ClientStatus::complete, 60)},
                           Row{"failed", alloc_is(ledger::ClientStatus::failed, 60)},
                           Row{"lost", alloc_is(ledger::ClientStatus::lost, 60)},
                           Row{"the task is dead", task_in(allocrunner::TaskPhase::dead, 60)},
                           Row{"the record is gone", gone}}) {
        CAPTURE(row.how);
        ApiWorld world;
        Questions questions(world);
        const ExchangeId client = begin(world, parameters("follow"));
        world.reply(chunk("", 0));
        CHECK(questions.query().index == 42);
        // It restarts: what it writes then belongs to the log, too.
        questions.list(task_in(allocrunner::TaskPhase::pending, 43));
        questions.list(task_in(allocrunner::TaskPhase::running, 44));
        CHECK(questions.query().index == 44);
        world.pass(kTailPollInterval);
        REQUIRE(questions.reads() == 1);
        questions.list(row.end);
        CHECK(questions.lists() == 0);
        questions.reply<node::AskPeer>(chunk("", 0));
        CHECK_FALSE_MESSAGE(world.ended(client), "that was asked before the end was known");
        world.pass(kTailPollInterval);
        questions.reply<node::AskPeer>(chunk("bye", 0));
        world.input(ApiCore::Written{client});
        questions.reply<node::AskPeer>(chunk("", 3));
        CHECK(world.ended(client));
        CHECK(world.streamed(client).find(R"("Data":"Ynll")") != std::string::npos);
        CHECK(world.core.under_way() == 0);
    }
}

TEST_CASE("following what has ended already is reading it, and nobody is asked to wait") {
    ApiWorld world;
    Questions questions(world);
    const ExchangeId client = world.get(kPath, parameters("follow"));
    world.reply(alloc_is(ledger::ClientStatus::complete, 42));
    questions.reply<node::AskPeer>(chunk("all", 0));
    world.input(ApiCore::Written{client});
    questions.reply<node::AskPeer>(chunk("", 3));
    CHECK(questions.lists() == 0);
    CHECK(world.ended(client));
}

TEST_CASE("an old or missing word about the task's end is asked for again, after a pause") {
    for (const bool old : {false, true}) {
        CAPTURE(old);
        ApiWorld world;
        Questions questions(world);
        const ExchangeId client = begin(world, parameters("follow"));
        world.reply(chunk("", 0));
        if (old)
            questions.list(alloc_is(ledger::ClientStatus::complete, 41));
        else
            questions.reply<node::Query>(Error{Errc::unavailable, "No cluster leader"});
        CHECK(questions.lists() == 0);
        world.pass(kTailWatchPause);
        REQUIRE(questions.lists() == 1);
        CHECK(questions.query().index == 42);
        CHECK_FALSE(world.ended(client));
    }
}

TEST_CASE("a follower does not wait for the peer of a lost allocation") {
    ApiWorld world;
    Questions questions(world);
    const ExchangeId client = begin(world, parameters("follow"));
    world.reply(chunk("a", 0));
    world.input(ApiCore::Written{client});
    questions.reply<node::AskPeer>(Error{Errc::unavailable, "its agent is gone"});
    CHECK_FALSE(world.broken(client));
    questions.list(alloc_is(ledger::ClientStatus::lost, 50));
    world.pass(kTailRetryPause);
    questions.reply<node::AskPeer>(Error{Errc::unavailable, "its agent is gone"});
    CHECK(world.broken(client));
    CHECK(world.core.under_way() == 0);
}

TEST_CASE("a gap is said in the frame") {
    ApiWorld world;
    const ExchangeId client = begin(world, parameters());
    world.reply(said(node::LogChunk{.skipped = true, .data = to_bytes("late")}));
    CHECK(world.streamed(client).find(R"("FileEvent":"file deleted")") != std::string::npos);
}

TEST_CASE("where a log is read from") {
    ApiWorld world;
    ApiWorld::Query query = parameters("origin", "end");
    query["offset"] = "500";
    query["type"] = "stderr";
    begin(world, query);
    const auto& read = read_of(world);
    CHECK(read.from_end);
    CHECK(read.offset == 500);
    CHECK(read.error_stream);
    CHECK(read.task == "server");
}

TEST_CASE("log requests that are refused") {
    struct Row {
        ApiWorld::Query query;
        const char* body;
    };
    for (const Row& row : {
             Row{{{"type", "stdout"}}, "must provide task name"},
             Row{{{"task", "server"}}, "must provide log type (stdout/stderr)"},
             Row{{{"task", "server"}, {"type", "both"}}, "must provide log type (stdout/stderr)"},
             Row{parameters("origin", "middle"), "origin must be start or end"},
             Row{parameters("offset", "-1"), "error parsing offset: \"-1\" is no whole number"},
         }) {
        ApiWorld world;
        const ExchangeId client = world.get(kPath, row.query);
        CHECK(world.response(client).status == 400);
        CHECK(world.response(client).body == row.body);
    }
    ApiWorld world;
    const ExchangeId none = world.get(kPath, parameters());
    world.reply(node::Answer{.found = false});
    CHECK(world.response(none).status == 404);
    CHECK(world.response(none).body == "alloc not found");
    const ExchangeId other = world.get(kPath, {{"task", "cook"}, {"type", "stdout"}});
    world.reply(sample_answer());
    CHECK(world.response(other).status == 404);
    CHECK(world.response(other).body == "unknown task name \"cook\"; it has: server");
}

TEST_CASE("an error before the first byte is an answer; later, a followed log waits") {
    ApiWorld world;
    const ExchangeId early = begin(world, parameters("follow"));
    world.reply(Error{Errc::unavailable, "the peer did not answer"});
    CHECK(world.response(early).status == 500);

    Questions questions(world);
    const ExchangeId client = begin(world, parameters("follow"));
    world.reply(chunk("a", 0));
    world.input(ApiCore::Written{client});
    constexpr Duration kSilence = 10s;  // what a question to a peer takes to fail
    Duration waited{};
    for (;; waited += kTailRetryPause, world.pass(kTailRetryPause)) {
        world.pass(kSilence);
        waited += kSilence;
        REQUIRE(waited < 1min);
        questions.reply<node::AskPeer>(Error{Errc::unavailable, "silent"});
        if (world.broken(client)) break;
    }
    CHECK(waited == 3 * kSilence + 2 * kTailRetryPause);
    CHECK_FALSE(world.ended(client));
    CHECK(world.core.under_way() == 0);
}

TEST_CASE("a read that fails in the middle breaks the stream off instead of ending it") {
    for (const bool follow : {false, true}) {
        ApiWorld world;
        ApiWorld::Query query = parameters("plain");
        query["follow"] = follow ? "true" : "false";
        const ExchangeId client = begin(world, query);
        world.reply(chunk("half of ", 0));
        world.input(ApiCore::Written{client});
        world.reply(Error{Errc::io, "read alloc/logs/server.stdout.0: Input/output error"});
        CHECK(world.streamed(client) == "half of ");
        CHECK(world.broken(client));
        CHECK_FALSE(world.ended(client));
        CHECK(world.core.under_way() == 0);
    }
}

TEST_CASE("without a commit group, a full id is enough to read a log") {
    ApiWorld world;
    const ExchangeId client = world.get(kPath, parameters("plain"));
    world.reply(Error{Errc::unavailable, "No cluster leader"});
    CHECK(read_of(world).task == "server");
    world.reply(chunk("still here", 0));
    CHECK(world.streamed(client) == "still here");
    const ExchangeId short_id = world.get("/v1/client/fs/logs/bbbb", parameters());
    world.reply(Error{Errc::unavailable, "No cluster leader"});
    CHECK(world.response(short_id).status == 500);
}

}  // namespace gaggle
