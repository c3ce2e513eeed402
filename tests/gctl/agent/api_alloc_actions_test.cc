// What people do to one allocation, over HTTP.
#include "tests/gctl/agent/api_world.h"

namespace gaggle {

TEST_CASE("tasks are restarted and signalled by the peer that runs them") {
    using Kind = node::CommandTask::Kind;
    struct Row {
        const char* action;
        const char* body;
        std::string task;
        Kind kind;
        std::int64_t signal;
    };
    const std::string path = "/v1/client/allocation/" + to_string(sample_alloc().id);
    for (const Row& row :
         {Row{"/restart", "{}", "", Kind::restart, 0},
          {"/restart", R"({"TaskName":"web"})", "web", Kind::restart, 0},
          {"/restart", R"({"AllTasks":true})", "", Kind::restart_all, 0},
          {"/signal", R"({"Signal":"SIGHUP"})", "", Kind::signal, 1},
          {"/signal", R"({"Signal":"hup"})", "", Kind::signal, 1},
          {"/signal", R"({"Signal":"SIGKILL","Task":"web"})", "web", Kind::signal, 9}}) {
        CAPTURE(row.body);
        ApiWorld world;
        node::Answer record = sample_answer();
        const TaskGroup& group = record.jobs.front().current().job.groups.front();
        const std::string task = row.task.empty() ? "" : group.tasks.front().name;
        std::string body = row.body;
        if (!task.empty()) body.replace(body.find("\"web\""), 5, "\"" + task + "\"");
        const ExchangeId client = world.send("POST", path + row.action, {}, body);
        world.reply(std::move(record));
        const auto& asked = world.question_as<node::AskPeer>();
        CHECK(asked.alloc == sample_alloc().id);
        const auto& command = std::get<node::CommandTask>(asked.what);
        CHECK(command.task == task);
        CHECK(command.kind == row.kind);
        CHECK(command.signal == row.signal);
        world.reply(NodeReply(node::ApiReply::What(node::PeerSaid{{}, node::Done{}})));
        CHECK(world.response(client).status == 200);
    }
}

TEST_CASE("a command that makes no sense is refused before anybody is asked") {
    const std::string path = "/v1/client/allocation/" + to_string(sample_alloc().id);
    struct Row {
        const char* action;
        const char* body;
        const char* why;
    };
    for (const Row& row : {Row{"/restart", R"({"TaskName":"web","AllTasks":true})", "not both"},
                           {"/restart", "", ""},
                           {"/signal", "{}", "must provide a signal"},
                           {"/signal", R"({"Signal":"SIGHPU"})", "did you mean SIGHUP?"},
                           {"/signal", R"({"Signal":"hpu"})", "unknown signal \"hpu\"; did you"},
                           {"/signal", R"({"Signal":"x"})", "wanted a name such as SIGHUP"}}) {
        CAPTURE(row.body);
        ApiWorld world;
        const ExchangeId client = world.send("POST", path + row.action, {}, row.body);
        CHECK(world.response(client).status == 400);
        CHECK(world.response(client).body.find(row.why) != std::string::npos);
        CHECK(world.questions.empty());
    }
    ApiWorld world;
    const ExchangeId client = world.send("POST", path + "/restart", {}, R"({"TaskName":"other"})");
    world.reply(sample_answer());
    CHECK(world.response(client).status == 404);
    CHECK(world.response(client).body == "unknown task name \"other\"; it has: server");
}

TEST_CASE("an allocation is stopped by its id, also a shortened one") {
    ApiWorld world;
    const std::string id = to_string(sample_alloc().id).substr(0, 8);
    const ExchangeId client =
        world.send("POST", "/v1/allocation/" + id + "/stop", {{"no_shutdown_delay", "true"}});
    CHECK(world.question_as<node::Query>().id == id);
    world.reply(sample_answer());
    const auto& asked = world.question_as<node::StopAlloc>();
    CHECK(asked.alloc == sample_alloc().id);
    CHECK(asked.no_shutdown_delay);
    node::Registered done{.index = 44};
    done.eval.bytes.fill(0xcc);
    world.reply(NodeReply(node::ApiReply::What(done)));
    const Value answer = world.json(client);
    CHECK(text_at(answer, "EvalID") == "cccccccc-cccc-cccc-cccc-cccccccccccc");
    CHECK(number_at(answer, "Index") == 44);
    CHECK(world.header(client, "X-Nomad-Index") == "44");
}

TEST_CASE("stopping what is not there, or with a word that is no flag, is refused") {
    ApiWorld world;
    const ExchangeId unknown = world.send("POST", "/v1/allocation/ffff/stop");
    node::Answer nothing = sample_answer();
    nothing.found = false;
    nothing.allocs.clear();
    world.reply(nothing);
    CHECK(world.response(unknown).status == 404);
    CHECK(world.response(unknown).body == "alloc not found");

    const ExchangeId odd =
        world.send("POST", "/v1/allocation/ffff/stop", {{"no_shutdown_delay", "maybe"}});
    CHECK(world.response(odd).status == 400);
    CHECK(world.questions.empty());
    const ExchangeId read = world.get("/v1/allocation/ffff/stop");
    CHECK(world.response(read).status == 405);
}

TEST_CASE("an allocation shows where its slot was before, what follows, and why it moves") {
    ApiWorld world;
    node::Answer answer = sample_answer();
    ledger::AllocRecord& alloc = answer.allocs.front();
    alloc.migrate = true;
    alloc.follow_up = sample_eval().id;
    alloc.previous = sample_alloc().id;
    alloc.reschedules = {{.when = LogTime{1s},
                          .wall = WallTime{1'700'000'000'000'000'000},
                          .previous = sample_alloc().id,
                          .peer = sample_peer().number,
                          .delay = 30s}};
    const ExchangeId client = world.get("/v1/allocation/" + to_string(alloc.id));
    world.reply(answer);
    const Value shown = world.json(client);
    CHECK(at(shown, "DesiredTransition.Migrate") == Value{true});
    CHECK(at(shown, "DesiredTransition.Reschedule") == Value{});
    CHECK(text_at(shown, "FollowupEvalID") == to_string(sample_eval().id));
    CHECK(text_at(shown, "PreviousAllocation") == to_string(sample_alloc().id));
    CHECK(text_at(shown, "RescheduleTracker.Events.0.PrevNodeID") ==
          to_string(sample_peer().who.id));
    CHECK(number_at(shown, "RescheduleTracker.Events.0.Delay") == 30'000'000'000);
}

}  // namespace gaggle
