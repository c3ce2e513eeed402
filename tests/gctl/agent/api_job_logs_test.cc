#include "gctl/agent/api_job_logs.h"

#include <set>

#include "tests/gctl/agent/questions.h"

namespace gaggle {

namespace {

constexpr const char* kPath = "/v1/job/web/logs";

NodeReply chunk(const std::string& text, std::uint64_t from) {
    return said(node::LogChunk{.from = {0, from},
                               .next = {0, from + text.size()},
                               .file_name = "alloc/logs/server.stdout.0",
                               .data = to_bytes(text)});
}

/// Two allocations, the second of another id.
node::Answer two(std::uint64_t index) {
    node::Answer answer = sample_answer();
    answer.index = index;
    answer.allocs.push_back(answer.allocs.front());
    answer.allocs.back().id.bytes.fill(0xcc);
    return answer;
}

}  // namespace

TEST_CASE("all tasks of a job are read to their ends, and the stream ends") {
    ApiWorld world;
    Questions questions(world);
    const ExchangeId client = world.get(kPath);
    CHECK(questions.query().kind == node::QueryKind::job_allocations);
    world.reply(two(7));
    REQUIRE(questions.reads() == 2);
    CHECK(questions.lists() == 0);
    questions.reply<node::AskPeer>(chunk("one\n", 0));
    CHECK(world.streamed(client) ==
          R"({"AllocID":"bbbbbbbb-bbbb-bbbb-bbbb-bbbbbbbbbbbb","Data":"b25lCg==",)"
          R"("File":"alloc/logs/server.stdout.0","Offset":4,"Task":"server"})");
    while (questions.reads() > 0) questions.reply<node::AskPeer>(chunk("", 4));
    CHECK(world.ended(client));
    CHECK(world.streamed(client).find(R"("CaughtUp":true)") != std::string::npos);
    CHECK(world.core.under_way() == 0);
}

TEST_CASE("a followed job takes in new allocations, and ends when the job is over and read") {
    ApiWorld world;
    Questions questions(world);
    const ExchangeId client = world.get(kPath, {{"follow", "true"}});
    world.reply(sample_answer());
    CHECK(questions.reads() == 1);
    world.pass(kJobLogsListPause);
    CHECK(questions.query().index == 42);
    questions.reply<node::AskPeer>(chunk("", 0));
    CHECK(questions.reads() == 0);
    questions.list(two(43));
    CHECK_MESSAGE(questions.reads() == 1, "the new one is read at once");
    questions.reply<node::AskPeer>(chunk("", 0));
    world.pass(kJobLogsListPause);
    CHECK(questions.reads() == 2);
    node::Answer over = two(44);
    for (ledger::AllocRecord& alloc : over.allocs) alloc.client = ledger::ClientStatus::complete;
    over.jobs.front().status = ledger::JobStatus::dead;
    questions.list(over);
    questions.reply<node::AskPeer>(chunk("last words\n", 0));
    questions.reply<node::AskPeer>(chunk("", 0));
    CHECK_FALSE_MESSAGE(world.ended(client), "both were asked before the end was known");
    world.pass(kJobLogsPoll);
    while (questions.reads() > 0) questions.reply<node::AskPeer>(chunk("", 11));
    CHECK(world.ended(client));
    CHECK(world.core.under_way() == 0);
}

TEST_CASE("a follower hears each second that time passes") {
    ApiWorld world;
    Questions questions(world);
    const ExchangeId client = world.get(kPath, {{"follow", "true"}});
    world.reply(sample_answer());
    questions.reply<node::AskPeer>(chunk("a line without its end", 0));
    const std::string before = world.streamed(client);
    world.pass(kJobLogsHeartbeat);
    CHECK(world.streamed(client) == before + "{}");
}

TEST_CASE("a slow client slows the reading") {
    ApiWorld world;
    Questions questions(world);
    const ExchangeId client = world.get(kPath, {{"follow", "true"}});
    world.reply(sample_answer());
    std::uint64_t from = 0;
    for (std::size_t piece = 0; piece < kJobLogsPiecesMax; ++piece, ++from) {
        REQUIRE(questions.reads() == 1);
        questions.reply<node::AskPeer>(chunk("x", from));
    }
    CHECK(questions.reads() == 0);
    world.pass(10s);
    CHECK(questions.reads() == 0);
    world.input(ApiCore::Written{client});
    CHECK(questions.reads() == 1);
}

TEST_CASE("a task that cannot be read is left out in words, and the others go on") {
    ApiWorld world;
    Questions questions(world);
    const ExchangeId client = world.get(kPath);
    world.reply(two(7));
    questions.reply<node::AskPeer>(Error{Errc::unavailable, "its peer did not answer"});
    CHECK(world.streamed(client).find(R"("Error":"its peer did not answer")") != std::string::npos);
    CHECK_FALSE(world.ended(client));
    questions.reply<node::AskPeer>(chunk("", 0));
    CHECK(world.ended(client));
}

namespace {

/// `count` allocations, each on a peer of its own, or all on one.
node::Answer many(std::size_t count, std::uint64_t index, bool on_one_peer = false) {
    node::Answer answer = sample_answer();
    answer.index = index;
    answer.allocs.assign(count, answer.allocs.front());
    for (std::size_t at = 0; at < count; ++at) {
        answer.allocs[at].id.bytes[0] = static_cast<std::uint8_t>(at >> 8U);
        answer.allocs[at].id.bytes[1] = static_cast<std::uint8_t>(at & 0xffU);
        if (!on_one_peer) answer.allocs[at].peer.value = static_cast<std::uint32_t>(at + 1);
    }
    return answer;
}

}  // namespace

TEST_CASE("talkative sources do not silence the others") {
    ApiWorld world;
    Questions questions(world);
    const ExchangeId client = world.get(kPath, {{"follow", "true"}});
    constexpr std::size_t kSources = 3 * kJobLogsReadsMax;
    world.reply(many(kSources, 7));
    // Each answer has data, and the client is as slow as it may be: one piece at a time.
    for (std::size_t turns = 0; turns < kSources + kJobLogsPiecesMax; ++turns) {
        if (questions.reads() > 0) questions.reply<node::AskPeer>(chunk("x", turns));
        if (turns >= kJobLogsPiecesMax) world.input(ApiCore::Written{client});
    }
    std::set<std::string> heard;
    const std::string said = world.streamed(client);
    for (std::size_t at = said.find("AllocID"); at != std::string::npos;
         at = said.find("AllocID", at + 1))
        heard.insert(said.substr(at, 20));
    CHECK(heard.size() == kSources);
}

TEST_CASE("a peer that does not answer holds up its own tasks only") {
    ApiWorld world;
    Questions questions(world);
    world.get(kPath, {{"follow", "true"}});
    node::Answer answer = many(kJobLogsReadsMax + 1, 7, true);
    answer.allocs.back().peer.value = 77;
    world.reply(answer);
    CHECK(questions.reads() == kJobLogsReadsPerPeer + 1);
}

TEST_CASE("a silent source is waited for half a minute in all, a lost one is asked once") {
    for (const bool lost : {false, true}) {
        CAPTURE(lost);
        ApiWorld world;
        Questions questions(world);
        const ExchangeId client = world.get(kPath, {{"follow", "true"}});
        node::Answer answer = sample_answer();
        if (lost) answer.allocs.front().client = ledger::ClientStatus::lost;
        world.reply(answer);
        const auto given_up = [&] {
            return world.streamed(client).find(R"("Error":)") != std::string::npos;
        };
        constexpr Duration kSilence = 10s;  // what a question to a peer takes to fail
        Duration waited{};
        while (!given_up() && waited < 2min) {
            world.pass(kSilence);
            waited += kSilence;
            questions.reply<node::AskPeer>(Error{Errc::unavailable, "silent"});
            if (given_up()) break;
            world.pass(kJobLogsRetryPause);
            waited += kJobLogsRetryPause;
        }
        CHECK(waited == (lost ? kSilence : 3 * kSilence + 2 * kJobLogsRetryPause));
    }
}

TEST_CASE("what has gone from the list has ended, also when its log is not there") {
    ApiWorld world;
    Questions questions(world);
    const ExchangeId client = world.get(kPath, {{"follow", "true"}});
    world.reply(sample_answer());
    node::Answer gone = sample_answer();
    gone.index = 43;
    gone.allocs.clear();
    gone.jobs.front().status = ledger::JobStatus::dead;
    CHECK(questions.lists() == 0);  // lists have a pause between them
    world.pass(kJobLogsListPause);
    questions.list(gone);
    questions.reply<node::AskPeer>(Error{Errc::not_found, "no such directory"});
    world.pass(kJobLogsRetryPause);
    if (questions.reads() > 0)
        questions.reply<node::AskPeer>(Error{Errc::not_found, "no such directory"});
    CHECK(world.ended(client));
}

TEST_CASE("more tasks than are read at a time are read all the same") {
    ApiWorld world;
    Questions questions(world);
    const ExchangeId client = world.get(kPath);
    const node::Answer all = many(kJobLogsSourcesMax + 3, 7);
    world.reply(all);
    std::size_t read = 0;
    const auto read_all = [&] {
        for (; questions.reads() > 0; ++read) {
            questions.reply<node::AskPeer>(chunk("", 0));
            world.input(ApiCore::Written{client});
        }
    };
    read_all();
    CHECK(read == kJobLogsSourcesMax);
    CHECK_FALSE(world.ended(client));
    questions.list(all);
    read_all();
    CHECK(read == all.allocs.size());
    CHECK(world.ended(client));
}

TEST_CASE("a job that nobody knows") {
    ApiWorld world;
    const ExchangeId client = world.get(kPath);
    world.reply(node::Answer{.found = false});
    CHECK(world.response(client).status == 404);
    CHECK(world.response(client).body == "job not found");
    CHECK(world.response(world.get(kPath, {{"type", "both"}})).status == 400);
}

}  // namespace gaggle
