#include <doctest/doctest.h>

#include "tests/gctl/agent/api_world.h"

namespace gaggle {

namespace {

constexpr const char* kPath = "/v1/client/allocation/bbbbbbbb-bbbb-bbbb-bbbb-bbbbbbbbbbbb/exec";

class Terminal : public ApiWorld {
  public:
    explicit Terminal(Query more = {}) {
        more.emplace("command", R"(["/bin/sh","-c","x"])");
        client = upgrade(kPath, more);
        reply(sample_answer());
    }
    void start() {
        reply(said(node::Done{}));
        REQUIRE(asked_for<node::ExecRead>());
    }
    /// The oldest question is this one.
    template <class What>
    bool asked_for() const {
        const auto* ask = std::get_if<node::AskPeer>(&question().what);
        return ask != nullptr && std::holds_alternative<What>(ask->what);
    }
    template <class What>
    const What& asked() const {
        REQUIRE(asked_for<What>());
        return std::get<What>(question_as<node::AskPeer>().what);
    }
    void says(const std::string& text) { input(ApiCore::Message{client, text}); }
    std::size_t listens() const {
        std::size_t count = 0;
        for (const ToClient& one : sent)
            count += std::holds_alternative<ToClient::Listen>(one.what);
        return count;
    }
    /// Answers the question after the oldest one, which stays.
    void reply_second(NodeReply what) {
        REQUIRE(questions.size() == 2);
        std::swap(questions[0], questions[1]);
        reply(std::move(what));
    }

    ExchangeId client = 0;
};

NodeReply output(std::uint64_t from, const std::string& text,
                 std::optional<std::int64_t> exit = {}) {
    node::ExecOutput what{.offset = from, .pieces = {}, .exit = exit, .error = ""};
    if (!text.empty()) what.pieces.push_back({false, to_bytes(text)});
    return said(std::move(what));
}

}  // namespace

TEST_CASE("a terminal is begun at the task, and only then accepted") {
    Terminal world(ApiWorld::Query{{"tty", "true"}});
    const auto& start = world.asked<node::ExecStart>();
    CHECK(start.task == "server");
    CHECK(start.argv == std::vector<std::string>{"/bin/sh", "-c", "x"});
    CHECK(start.terminal.has_value());
    CHECK(world.sent.empty());
    world.start();
    CHECK(std::holds_alternative<ToClient::AcceptWebSocket>(world.sent.front().what));
    CHECK(world.question_as<node::AskPeer>().peer == sample_peer().who.id);
    CHECK(world.listens() == 1);
}

TEST_CASE("output goes to the client, the next is asked for when it has left, the end has a code") {
    Terminal world;
    world.start();
    world.reply(output(0, "hi"));
    CHECK(world.streamed(world.client) == R"({"stdout":{"data":"aGk="}})");
    CHECK(world.questions.empty());
    world.input(ApiCore::Written{world.client});
    CHECK(world.asked<node::ExecRead>().offset == 2);
    world.reply(output(2, "", std::nullopt));
    CHECK_MESSAGE(world.asked<node::ExecRead>().offset == 2, "nothing came: asked again at once");
    world.reply(output(2, "", 3));
    CHECK(world.streamed(world.client)
              .ends_with(R"({"stdout":{"close":true}}{"stderr":{"close":true}})"
                         R"({"exited":true,"result":{"exit_code":3}})"));
    CHECK(world.ended(world.client));
    CHECK_MESSAGE(world.asked_for<node::ExecStop>(), "the far side may forget it");
    CHECK(world.core.under_way() == 0);
}

TEST_CASE("what is typed is sent in order, one part at a time, and nothing piles up") {
    Terminal world;
    world.start();
    world.says(R"({"stdin":{"data":"YWI="}})");
    CHECK(world.listens() == 2);
    world.says(R"({"stdin":{"data":"Yw==","close":true}})");
    REQUIRE(world.questions.size() == 2);  // the read, and one write
    const auto write_of = [&] {
        return std::get<node::ExecWrite>(std::get<node::AskPeer>(world.questions.back().what).what);
    };
    CHECK(to_text(write_of().data) == "ab");
    CHECK_FALSE(write_of().close);
    world.reply_second(said(node::ExecTaken{1}));
    CHECK(write_of().offset == 1);
    CHECK(to_text(write_of().data) == "bc");
    CHECK(write_of().close);
    world.reply_second(said(node::ExecTaken{3}));
    CHECK(world.questions.size() == 1);
    const std::size_t before = world.listens();
    world.says(R"({"stdin":{"data":")" + std::string(node::kExecInputMax / 3 * 4 + 4, 'A') +
               R"("}})");
    CHECK_MESSAGE(world.listens() == before, "enough waits");
}

TEST_CASE("the size of the client's window is passed on, and a heartbeat is nothing") {
    Terminal world(ApiWorld::Query{{"tty", "true"}});
    world.start();
    world.says("{}");
    CHECK(world.questions.size() == 1);
    world.says(R"({"tty_size":{"height":50,"width":132}})");
    REQUIRE(world.questions.size() == 2);
    const auto& ask = std::get<node::AskPeer>(world.questions.back().what);
    CHECK(std::get<node::ExecWrite>(ask.what).size == node::ExecSize{50, 132});
}

TEST_CASE("when the client goes, the command is ended") {
    Terminal world;
    world.start();
    world.input(ApiCore::Gone{world.client});
    CHECK(world.cancelled.size() == 1);
    CHECK(world.core.under_way() == 0);
    world.questions.erase(world.questions.begin());
    CHECK(world.asked_for<node::ExecStop>());
}

TEST_CASE("a session that breaks says why, and so does one that cannot begin") {
    Terminal world;
    world.start();
    world.reply(Error{Errc::unavailable, "the peer that runs the allocation did not answer"});
    CHECK(world.broken(world.client));
    Terminal none;
    none.reply(Error{Errc::not_found, "find executable \"nope\": not there"});
    CHECK(none.response(none.client).status == 404);
    CHECK(none.core.under_way() == 0);
    Terminal garbage;
    garbage.start();
    garbage.says("no json");
    CHECK(garbage.broken(garbage.client));
}

TEST_CASE("exec requests that are refused") {
    ApiWorld world;
    CHECK(world.response(world.get(kPath, {{"command", R"(["sh"])"}})).status == 400);
    for (const char* command : {"", "sh", "[]", "[1]", R"({"a":"b"})"}) {
        CAPTURE(command);
        CHECK(world.response(world.upgrade(kPath, {{"command", command}})).status == 400);
    }
    const ExchangeId other = world.upgrade(kPath, {{"command", R"(["sh"])"}, {"task", "cook"}});
    world.reply(sample_answer());
    CHECK(world.response(other).body == "unknown task name \"cook\"; it has: server");
}

}  // namespace gaggle
