// What people do to one allocation, from the command line.
#include "tests/gctl/cli/fake_agent.h"

namespace gaggle::cli {

namespace {

constexpr const char* kEval = "1f0c3a52-0000-4000-8000-000000000001";
constexpr const char* kAlloc = "a1a1a1a1-0000-4000-8000-000000000002";
constexpr const char* kNext = "a1a1a1a1-0000-4000-8000-000000000003";

std::string alloc_json(const char* id, const std::string& rest = "") {
    return R"({"ID":")" + std::string(id) + R"(","Name":"web.g[0]","TaskGroup":"g",)" +
           R"("NodeName":"beta","ClientStatus":"running","DesiredStatus":"run",)" +
           R"("ModifyTime":1700000000000000000)" + rest + "}";
}

std::string eval_json(const std::string& rest = "") {
    return R"({"ID":")" + std::string(kEval) +
           R"(","Status":"complete","JobID":"web","TriggeredBy":"alloc-stop")" + rest + "}";
}

bool has(const std::string& text, const std::string& part) {
    return text.find(part) != std::string::npos;
}

/// An agent that knows one allocation.
struct Scene {
    Scene() { agent.on("GET /v1/allocations", {"[" + alloc_json(kAlloc) + "]"}); }
    FakeAgent agent;
    FakeMachine machine{agent.address()};
};

}  // namespace

TEST_CASE("alloc restart and signal say nothing when they were obeyed") {
    Scene scene;
    const std::string path = "POST /v1/client/allocation/" + std::string(kAlloc);
    for (const char* action : {"/restart", "/signal"}) scene.agent.on(path + action, {"{}"});
    struct Row {
        std::vector<std::string> words;
        std::string call;
    };
    for (const Row& row :
         {Row{{"restart", "a1a1"}, R"(/restart {"AllTasks":false,"TaskName":""})"},
          {{"restart", "a1a1", "web"}, R"(/restart {"AllTasks":false,"TaskName":"web"})"},
          {{"restart", "-task", "web", kAlloc}, R"(/restart {"AllTasks":false,"TaskName":"web"})"},
          {{"restart", "-all-tasks", kAlloc}, R"(/restart {"AllTasks":true,"TaskName":""})"},
          {{"signal", kAlloc}, R"(/signal {"Signal":"SIGKILL","Task":""})"},
          {{"signal", "-s", "SIGHUP", kAlloc, "web"},
           R"(/signal {"Signal":"SIGHUP","Task":"web"})"}}) {
        std::vector<std::string> words{"alloc"};
        words.insert(words.end(), row.words.begin(), row.words.end());
        const Ran ran = scene.machine.run(words);
        CHECK(ran.code == 0);
        CHECK(ran.out.empty());
        CHECK(ran.err.empty());
        CHECK(scene.agent.calls().back() == path + row.call);
    }
    CHECK(scene.machine.run({"alloc", "restart", "--json", kAlloc}).out == "{}\n");
    scene.agent.on(path + "/signal", {"!400 unknown signal \"SIGHPU\""});
    const Ran refused = scene.machine.run({"alloc", "signal", "-s", "SIGHPU", kAlloc});
    CHECK(refused.code == 1);
    CHECK(has(refused.err, "signal allocation a1a1a1a1: "));
    CHECK(has(refused.err, "unknown signal \"SIGHPU\""));
}

TEST_CASE("alloc stop tells of the evaluation and of what takes over") {
    Scene scene;
    const std::string stop = "POST /v1/allocation/" + std::string(kAlloc) + "/stop";
    const std::string eval = "/v1/evaluation/" + std::string(kEval);
    scene.agent.on(stop, {R"({"EvalID":")" + std::string(kEval) + R"(","Index":44})"});
    scene.agent.on("GET " + eval, {eval_json()});
    scene.agent.on("GET " + eval + "/allocations", {"[" + alloc_json(kNext) + "]"});
    const Ran ran = scene.machine.run({"alloc", "stop", "a1a1"});
    CHECK(ran.err.empty());
    CHECK(ran.code == 0);
    CHECK(scene.agent.calls().at(1) == stop + " no_shutdown_delay=false {}");
    CHECK(has(ran.out, "Allocation \"a1a1a1a1\" created: node \"beta\", group \"g\"\n"));
    CHECK(has(ran.out, "finished with status \"complete\"\n"));

    const Ran detached =
        scene.machine.run({"alloc", "stop", "-detach", "-no-shutdown-delay", kAlloc});
    CHECK(detached.out == std::string(kEval) + "\n");
    CHECK(scene.agent.calls().back() == stop + " no_shutdown_delay=true {}");
    const Ran json = scene.machine.run({"alloc", "stop", "--json", kAlloc});
    CHECK(has(json.out, "\"EvalID\": \"" + std::string(kEval) + "\""));
}

TEST_CASE("alloc stop says what is wrong, with exit code 1") {
    Scene scene;
    const Ran unknown = scene.machine.run({"alloc", "stop", "bbbb"});
    CHECK(unknown.code == 1);
    CHECK(has(unknown.err, "no allocation begins with \"bbbb\""));
    scene.agent.on("POST /v1/allocation/" + std::string(kAlloc) + "/stop",
                   {"!500 No cluster leader"});
    const Ran refused = scene.machine.run({"alloc", "stop", kAlloc});
    CHECK(refused.code == 1);
    CHECK(has(refused.err, "stop allocation a1a1a1a1: "));
    CHECK(has(refused.err, "No cluster leader"));
}

TEST_CASE("alloc status shows how often it was rescheduled, and when it may be again") {
    Scene scene;
    const std::string path = "GET /v1/allocation/" + std::string(kAlloc);
    const std::string limited = R"(,"PreviousAllocation":")" + std::string(kNext) +
                                R"(","FollowupEvalID":")" + kEval +
                                R"(","Job":{"TaskGroups":[{"Name":"g","ReschedulePolicy":
        {"Attempts":3,"Interval":600000000000,"Unlimited":false}}]},
        "RescheduleTracker":{"Events":[{"RescheduleTime":1699990000000000000},
                                       {"RescheduleTime":1699999990000000000}]})";
    scene.agent.on(path, {alloc_json(kAlloc, limited)});
    scene.agent.on("GET /v1/evaluation/" + std::string(kEval),
                   {eval_json(R"(,"WaitUntil":"2023-11-14T22:14:00.5Z")")});
    const Ran waits = scene.machine.run({"alloc", "status", kAlloc});
    CHECK(has(waits.out, "Reschedule Attempts    = 1/3\n"));  // the other is older than 10 min
    CHECK(has(waits.out, "Previous Alloc ID      = a1a1a1a1\n"));
    CHECK(has(waits.out, "Reschedule Eligibility = 2023-11-14T22:14:00Z\n"));

    scene.agent.on("GET /v1/evaluation/" + std::string(kEval),
                   {eval_json(R"(,"WaitUntil":"0001-01-01T00:00:00Z")")});
    CHECK(!has(scene.machine.run({"alloc", "status", kAlloc}).out, "Eligibility"));
    scene.agent.on(path, {alloc_json(kAlloc)});
    CHECK(!has(scene.machine.run({"alloc", "status", kAlloc}).out, "Reschedule"));
}

}  // namespace gaggle::cli
