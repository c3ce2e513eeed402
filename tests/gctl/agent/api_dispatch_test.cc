#include "placement/jobspec/value_json.h"
#include "tests/gctl/agent/api_world.h"

namespace gaggle {

namespace {

/// What the region knows of a parameterized job that asks for a size.
node::Answer parameterized() {
    node::Answer answer = sample_answer();
    Job& job = answer.jobs.front().versions.rbegin()->second.job;
    job.id = job.name = "resize";
    job.type = JobType::batch;
    job.update.reset();
    job.groups.front().update.reset();
    job.groups.front().migrate.reset();
    job.parameterized = Parameterized{.meta_required = {"size"}};
    return answer;
}

}  // namespace

TEST_CASE("a dispatch registers a new job that is made from the parameterized one") {
    ApiWorld world;
    const ExchangeId client =
        world.send("POST", "/v1/job/resize/dispatch", {},
                   R"({"Payload":"YQBi","Meta":{"size":"large"},"IdPrefixTemplate":"eu"})");
    CHECK(world.question_as<node::Query>().id == "resize");
    world.reply(parameterized());
    const auto& asked = world.question_as<node::RegisterJob>();
    CHECK(asked.check_index == 0);  // it must be new
    CHECK(asked.job.parent == "resize");
    CHECK(asked.job.payload == std::string("a\0b", 3));
    CHECK(asked.job.meta.at("size") == "large");
    CHECK(asked.job.id.starts_with("resize/dispatch-eu-1700000060-"));
    const std::string id = asked.job.id;
    node::Registered done{.eval_index = 43, .index = 43};
    done.eval.bytes.fill(0xcc);
    world.reply(NodeReply(node::ApiReply::What(done)));
    const Value answer = world.json(client);
    CHECK(text_at(answer, "DispatchedJobID") == id);
    CHECK(text_at(answer, "EvalID") == "cccccccc-cccc-cccc-cccc-cccccccccccc");
    CHECK(number_at(answer, "JobCreateIndex") == 43);

    world.pass(1us);
    world.send("POST", "/v1/job/resize/dispatch", {}, R"({"Meta":{"size":"large"}})");
    world.reply(parameterized());
    CHECK(world.question_as<node::RegisterJob>().job.id != id);
}

TEST_CASE("a parameterized job's summary and its line of the list count what was dispatched") {
    for (const char* path : {"/v1/job/resize/summary", "/v1/jobs"}) {
        CAPTURE(path);
        const std::string summary = path == std::string("/v1/jobs") ? "0.JobSummary." : "";
        ApiWorld world;
        const ExchangeId client = world.get(path);
        node::Answer answer = parameterized();
        const ledger::JobKey other{"default", "other"}, mine{"default", "resize"};
        answer.children = {{.parent = other, .pending = 7},
                           {.parent = mine, .pending = 1, .running = 2, .dead = 3}};
        world.reply(answer);
        const Value shown = world.json(client);
        CHECK(number_at(shown, summary + "Children.Pending") == 1);
        CHECK(number_at(shown, summary + "Children.Running") == 2);
        CHECK(number_at(shown, summary + "Children.Dead") == 3);
    }
}

TEST_CASE("a dispatch that the job does not allow is refused in Nomad's words") {
    struct Row {
        const char* body;
        int status;
        std::string why;
    };
    for (const Row& row : {Row{"{}", 400, "Dispatch did not provide required meta keys: [size]"},
                           {R"({"Meta":{"size":"s","x":"y"}})", 400,
                            "Dispatch request included unpermitted metadata keys: [x]"}}) {
        ApiWorld world;
        const ExchangeId client = world.send("POST", "/v1/job/resize/dispatch", {}, row.body);
        world.reply(parameterized());
        CHECK(world.response(client).status == row.status);
        CHECK(world.response(client).body == row.why);
    }
    ApiWorld world;
    const ExchangeId odd = world.send("POST", "/v1/job/resize/dispatch", {}, R"({"Payload":"?"})");
    CHECK(world.response(odd).body == "Payload is not base64");
    const ExchangeId number =
        world.send("POST", "/v1/job/resize/dispatch", {}, R"({"Meta":{"size":5}})");
    CHECK(world.response(number).status == 400);

    node::Answer stopped = parameterized();
    stopped.jobs.front().versions.rbegin()->second.stopped = true;
    const ExchangeId late =
        world.send("POST", "/v1/job/resize/dispatch", {}, R"({"Meta":{"size":"s"}})");
    world.reply(stopped);
    CHECK(world.response(late).body == "Specified job \"resize\" is stopped");
}

TEST_CASE("what a dispatch makes is judged as any job is, and refused in words") {
    struct Row {
        std::string body;
        const char* why;
    };
    const std::string long_text(600'000, 'x');
    for (const Row& row :
         {Row{R"({"Meta":{"size":"s"},"IdPrefixTemplate":"a b"})", "has a blank in it"},
          Row{R"({"Meta":{"size":"s"},"IdPrefixTemplate":"a\nb"})", "has a blank in it"},
          Row{R"({"Meta":{"size":"s"},"IdPrefixTemplate":"a\u0000b"})", "has a blank in it"},
          Row{R"({"Meta":{"size":"s"},"IdPrefixTemplate":")" + std::string(5'000, 'x') + "\"}",
              "is longer than"},
          Row{R"({"Meta":{"size":")" + long_text + "\"}}", ""}}) {
        CAPTURE(row.why);
        ApiWorld world;
        const ExchangeId client = world.send("POST", "/v1/job/resize/dispatch", {}, row.body);
        world.reply(parameterized());
        REQUIRE(world.questions.empty());
        CHECK(world.response(client).status == 400);
        CHECK(world.response(client).body.find(row.why) != std::string::npos);
    }
}

TEST_CASE("a parameterized job is registered without anything to watch, and shown as one") {
    ApiWorld world;
    Job job = parameterized().jobs.front().current().job;
    job.groups.front().update.reset();
    job.groups.front().migrate.reset();
    job.update.reset();
    Object body;
    body["Job"] = job_to_api_value(job);
    const ExchangeId client =
        world.send("POST", "/v1/jobs", {}, value_to_json(val(std::move(body))));
    CHECK(world.question_as<node::RegisterJob>().job.parameterized == job.parameterized);
    node::Registered done{.index = 43};
    done.eval.bytes.fill(0xcc);
    world.reply(NodeReply(node::ApiReply::What(done)));
    CHECK(text_at(world.json(client), "EvalID").empty());

    const ExchangeId list = world.get("/v1/jobs");
    world.reply(parameterized());
    CHECK(at(world.json(list), "0.ParameterizedJob") == Value{true});
}

}  // namespace gaggle
