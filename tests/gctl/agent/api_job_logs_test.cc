#include "gctl/agent/api_job_logs.h"

#include "tests/gctl/agent/api_world.h"

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

/// The questions that are reads of logs, and the list that waits.
class Questions {
  public:
    explicit Questions(ApiWorld& world) : world_(world) {}
    std::size_t reads() const { return of<node::AskPeer>().size(); }
    std::size_t lists() const { return of<node::Query>().size(); }
    /// Answers the oldest of that kind, wherever it stands.
    template <class Kind>
    void reply(NodeReply what) {
        const auto found = of<Kind>();
        REQUIRE(!found.empty());
        std::rotate(world_.questions.begin(), world_.questions.begin() + found.front(),
                    world_.questions.begin() + found.front() + 1);
        world_.reply(std::move(what));
    }
    void list(node::Answer answer) {
        reply<node::Query>(NodeReply(node::ApiReply::What(std::move(answer))));
    }
    const node::Query& query() const {
        return std::get<node::Query>(
            world_.questions.at(static_cast<std::size_t>(of<node::Query>().front())).what);
    }

  private:
    template <class Kind>
    std::vector<long> of() const {
        std::vector<long> out;
        for (std::size_t at = 0; at < world_.questions.size(); ++at)
            if (std::holds_alternative<Kind>(world_.questions[at].what))
                out.push_back(static_cast<long>(at));
        return out;
    }
    ApiWorld& world_;
};

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
    CHECK(questions.query().index == 42);
    questions.reply<node::AskPeer>(chunk("", 0));
    CHECK(questions.reads() == 0);
    questions.list(two(43));
    CHECK_MESSAGE(questions.reads() == 1, "the new one is read at once");
    questions.reply<node::AskPeer>(chunk("", 0));
    world.pass(kJobLogsPoll);
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

TEST_CASE("a job that nobody knows") {
    ApiWorld world;
    const ExchangeId client = world.get(kPath);
    world.reply(node::Answer{.found = false});
    CHECK(world.response(client).status == 404);
    CHECK(world.response(client).body == "job not found");
    CHECK(world.response(world.get(kPath, {{"type", "both"}})).status == 400);
}

}  // namespace gaggle
