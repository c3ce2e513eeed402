// What `job run` says of groups that wait, were lost or failed, and `job status` of dispatched
// jobs; job files in JSON.
#include <algorithm>

#include "tests/gctl/cli/fake_agent.h"

namespace gaggle::cli {

namespace {

constexpr const char* kJobFile =
    "job \"web\" {\n"
    "  group \"g\" {\n"
    "    task \"t\" {\n"
    "      driver = \"raw_exec\"\n"
    "      config { command = \"/bin/sleep\" }\n"
    "    }\n"
    "  }\n"
    "}\n";

constexpr const char* kEval = "1f0c3a52-0000-4000-8000-000000000001";
constexpr const char* kAlloc = "a1a1a1a1-0000-4000-8000-000000000002";

std::string eval_json(const std::string& status, const std::string& rest = "") {
    return R"({"ID":")" + std::string(kEval) + R"(","Status":")" + status +
           R"(","JobID":"web","TriggeredBy":"job-register","Type":"service","Priority":50)" + rest +
           "}";
}

std::string alloc_json(const std::string& client, const std::string& rest = "") {
    return R"({"ID":")" + std::string(kAlloc) + R"(","NodeName":"alpha","Name":"web.g[0]",)" +
           R"("JobID":"web","TaskGroup":"g","DesiredStatus":"run","ClientStatus":")" + client +
           "\"" + rest + "}";
}

bool has(const std::string& text, const std::string& part) {
    return text.find(part) != std::string::npos;
}

}  // namespace

TEST_CASE("job run says until when a group waits for its reschedule delay") {
    FakeAgent agent;
    FakeMachine machine(agent.address());
    machine.files["web.nomad"] = kJobFile;
    const std::string eval = "GET /v1/evaluation/" + std::string(kEval);
    const std::string next = "dddddddd-0000-4000-8000-000000000009";
    const std::string due = R"({"ID":")" + next + R"(","Status":"pending","JobID":"web",)" +
                            R"("WaitUntil":"2023-11-14T22:14:00.5Z"})";
    const std::string failed = alloc_json("failed", R"(,"FollowupEvalID":")" + next + "\"");
    const std::string told =
        "Allocation \"a1a1a1a1\" of group \"g\" failed; by its reschedule policy it is replaced no "
        "earlier than 2023-11-14T22:14:00Z\n";
    agent.on("POST /v1/jobs", {R"({"EvalID":")" + std::string(kEval) + R"("})"});
    agent.on(eval, {eval_json("complete", R"(,"NextEval":")" + next + "\"")});
    agent.on("GET /v1/evaluation/" + next, {due});
    agent.on(eval + "/allocations", {"[]"});
    agent.on("GET /v1/job/web/allocations", {"[" + failed + "]"});
    agent.on("GET /v1/job/web/evaluations", {"[" + due + "]"});
    const Ran again = machine.run({"job", "run", "web.nomad"});
    CHECK(again.err == "");
    CHECK(again.code == 2);
    CHECK(has(again.out, told));
    CHECK(has(again.out, "Evaluation \"dddddddd\" will try again at 2023-11-14T22:14:00Z\n"));

    agent.on(eval, {eval_json("complete")});
    agent.on(eval + "/allocations", {"[" + failed + "]"});
    const Ran fails = machine.run({"job", "run", "web.nomad"});
    CHECK(fails.code == 1);
    CHECK(has(fails.out, told));

    agent.on("GET /v1/jobs", {R"([{"ID":"web"}])"});
    agent.on("GET /v1/job/web", {R"({"ID":"web"})"});
    agent.on("GET /v1/job/web/summary", {"{}"});
    CHECK(has(machine.run({"job", "status", "web"}).out,
              "Future Rescheduling Attempts\n"
              "Task Group  Eval ID   Eval Time\n"
              "g           dddddddd  2023-11-14T22:14:00Z\n"));
}

TEST_CASE("job run follows a lost allocation, and ends with 2 when nothing takes its place") {
    FakeAgent agent;
    FakeMachine machine(agent.address());
    machine.files["web.nomad"] = kJobFile;
    const std::string eval = "GET /v1/evaluation/" + std::string(kEval);
    const std::string why = "static port 80 is held there by nginx (pid 5), which is not Gaggle's";
    const std::string lost =
        R"({"ID":")" + std::string(kAlloc) +
        R"(","Name":"web.g[0]","JobID":"web","TaskGroup":"g",)" +
        R"("DesiredStatus":"stop","ClientStatus":"lost","CreateIndex":7,"DesiredDescription":")" +
        why + R"("})";
    const std::string after = R"({"ID":"eeeeeeee-1","Name":"web.g[0]","JobID":"web",)"
                              R"("TaskGroup":"g","NodeName":"beta","DesiredStatus":"run",)"
                              R"("ClientStatus":"running","CreateIndex":9})";
    agent.on("POST /v1/jobs", {R"({"EvalID":")" + std::string(kEval) + R"("})"});
    agent.on(eval, {eval_json("complete")});
    agent.on(eval + "/allocations", {"[" + lost + "]"});
    agent.on("GET /v1/job/web/evaluations", {"[" + eval_json("pending") + "]", "[]"});
    agent.on("GET /v1/job/web/allocations", {"[" + lost + "," + after + "]"});
    const Ran moved = machine.run({"job", "run", "web.nomad"});
    CHECK(moved.err == "");
    CHECK(moved.code == 0);
    CHECK(has(moved.out, "-> \"lost\" (" + why + ")"));
    CHECK(has(moved.out, "Allocation \"eeeeeeee\" created: node \"beta\", group \"g\""));

    agent.on("GET /v1/job/web/evaluations",
             {"[" +
              eval_json("blocked", R"(,"FailedTGAllocs":{"g":{"NodesEvaluated":1,)"
                                   R"("NodesExhausted":1}})") +
              "]"});
    agent.on("GET /v1/job/web/allocations", {"[" + lost + "]"});
    const Ran gone = machine.run({"job", "run", "web.nomad"});
    CHECK(gone.code == 2);
    CHECK(
        has(gone.out, "Allocation \"a1a1a1a1\" is lost, and nothing has taken its place: " + why));
    CHECK(has(gone.out, "* Resources exhausted on 1 node\n"));
}

TEST_CASE("job run asks about the job once a round, however many allocations were lost") {
    FakeAgent agent;
    FakeMachine machine(agent.address());
    machine.files["web.nomad"] = kJobFile;
    const std::string eval = "GET /v1/evaluation/" + std::string(kEval);
    std::string lost;
    for (int index = 0; index < 20; ++index)
        lost += std::string(lost.empty() ? "" : ",") + R"({"ID":"a)" + std::to_string(index) +
                R"(","Name":"web.g[)" + std::to_string(index) + R"(]","JobID":"web",)" +
                R"("TaskGroup":"g","ClientStatus":"lost","CreateIndex":7})";
    agent.on("POST /v1/jobs", {R"({"EvalID":")" + std::string(kEval) + R"("})"});
    agent.on(eval, {eval_json("complete")});
    agent.on(eval + "/allocations", {"[" + lost + "]"});
    const std::string evals = "GET /v1/job/web/evaluations";
    const std::string allocs = "GET /v1/job/web/allocations";
    agent.on(evals, {"[" + eval_json("pending") + "]", "[]"});
    agent.on(allocs, {"[" + lost + "]"});
    CHECK(machine.run({"job", "run", "web.nomad"}).code == 2);
    const std::vector<std::string> calls = agent.calls();
    CHECK(std::count(calls.begin(), calls.end(), allocs) == 1);
    CHECK(std::count(calls.begin(), calls.end(), evals) == 2);
}

TEST_CASE("job status of a parameterized job counts what was dispatched from it") {
    FakeAgent agent;
    FakeMachine machine(agent.address());
    agent.on("GET /v1/jobs", {R"([{"ID":"sum"},
        {"ID":"sum/dispatch-1-a","ParentID":"sum","Status":"dead","SubmitTime":1699999000000000000},
        {"ID":"sum/dispatch-2-b","ParentID":"sum","Status":"running",
         "SubmitTime":1699999995000000000}])"});
    agent.on("GET /v1/job/sum", {R"({"ID":"sum","Name":"sum","Type":"batch","Status":"running",
        "ParentID":"","ParameterizedJob":{"Payload":"optional"}})"});
    agent.on("GET /v1/job/sum/summary",
             {R"({"Children":{"Pending":1,"Running":20,"Dead":3},"Summary":{"g":{}}})"});
    agent.on("GET /v1/job/sum/evaluations", {"[]"});
    agent.on("GET /v1/job/sum/allocations", {"[]"});
    const Ran shown = machine.run({"job", "status", "sum"});
    CHECK(shown.code == 0);
    CHECK(has(shown.out,
              "Parameterized Job Summary\nPending  Running  Dead\n"
              "1        20       3\n"));
    CHECK(has(shown.out, "Parameterized = true\n"));
    CHECK(has(shown.out,
              "Dispatched Jobs\nID                Status   Submitted\n"
              "sum/dispatch-2-b  running  5s ago\n"
              "sum/dispatch-1-a  dead     16m40s ago\n"));
    CHECK_FALSE(has(shown.out, "Allocations"));
}

TEST_CASE("a job that was dispatched is not shown as parameterized") {
    FakeAgent agent;
    FakeMachine machine(agent.address());
    const std::string id = "sum/dispatch-1-a";
    agent.on("GET /v1/jobs", {R"([{"ID":")" + id + R"(","ParentID":"sum"}])"});
    const std::string path = "GET /v1/job/sum/dispatch-1-a";
    agent.on(path, {R"({"ID":")" + id + R"(","ParentID":"sum","ParameterizedJob":{}})"});
    agent.on(path + "/summary", {"{}"});
    agent.on(path + "/evaluations", {"[]"});
    agent.on(path + "/allocations", {"[]"});
    const Ran shown = machine.run({"job", "status", id});
    CHECK(shown.code == 0);
    CHECK(has(shown.out, "Parameterized = false\n"));
    CHECK(has(shown.out, "No allocations placed"));
}

TEST_CASE("job run says why an allocation failed, and where to read on") {
    FakeAgent agent;
    FakeMachine machine(agent.address());
    machine.files["web.nomad"] = kJobFile;
    const std::string eval = "GET /v1/evaluation/" + std::string(kEval);
    const std::string alloc = "GET /v1/allocation/" + std::string(kAlloc);
    agent.on("POST /v1/jobs", {R"({"EvalID":")" + std::string(kEval) + R"("})"});
    agent.on(eval, {eval_json("complete")});
    agent.on(eval + "/allocations", {"[" + alloc_json("failed") + "]"});
    agent.on("GET /v1/job/web/evaluations", {"[]"});
    const Ran unexplained = machine.run({"job", "run", "web.nomad"});
    CHECK(unexplained.code == 1);
    CHECK(has(unexplained.out, "See `gctl alloc status a1a1a1a1`\n"));

    const auto task = [](const char* name, const char* type, const char* message) {
        return "\"" + std::string(name) + R"(":{"Failed":true,"Events":[{"Type":")" + type +
               R"(","DisplayMessage":")" + message +
               R"("},{"Type":"Not Restarting","DisplayMessage":"Policy allows no restarts"}]})";
    };
    const std::string states = R"(,"TaskStates":{)";
    const std::string sibling = task("side", "Sibling Task Failed", "Task's sibling failed");
    agent.on(alloc,
             {alloc_json("failed", states + sibling + "," +
                                       task("web", "Driver Failure", "start /bin/nope: no file") +
                                       "}"),
              alloc_json("failed", states + task("t", "Terminated", "Exit Code: 3") + "}")});
    const Ran driver = machine.run({"job", "run", "web.nomad"});
    CHECK(has(driver.out,
              "-> \"failed\"\n    2023-11-14T22:13:20Z: Allocation \"a1a1a1a1\": task \"web\": "
              "Driver Failure: start /bin/nope: no file\n"));
    CHECK(driver.out.ends_with("    2023-11-14T22:13:20Z: See `gctl alloc status a1a1a1a1`\n"));
    CHECK(!has(driver.out, "side"));
    const Ran ended = machine.run({"job", "run", "web.nomad"});
    CHECK(has(ended.out, "task \"t\": Terminated: Exit Code: 3\n"));
    CHECK(has(ended.out, "and `gctl alloc logs -stderr a1a1a1a1 t`\n"));
}

TEST_CASE("a job file may be JSON, with -json and without") {
    FakeAgent agent;
    FakeMachine machine(agent.address());
    machine.files["web.nomad"] = kJobFile;
    const std::string answer = R"({"EvalID":")" + std::string(kEval) + R"("})";
    agent.on("POST /v1/jobs", {answer});
    const std::string whole = machine.run({"job", "run", "-output", "web.nomad"}).out;
    machine.files["whole.json"] = whole;
    const std::size_t inner = whole.find('{', 1);
    machine.files["bare.json"] = whole.substr(inner, whole.rfind('}') - inner);
    for (const char* file : {"whole.json", "bare.json", "web.nomad"}) {
        CAPTURE(file);
        CHECK(machine.run({"job", "validate", file}).code == 0);
        const Ran plain = machine.run({"job", "run", "-detach", file});
        CHECK_MESSAGE(plain.code == 0, plain.err);
        const Ran json = machine.run({"job", "run", "-json", file});
        CHECK(has(json.out, "\"EvalID\": \"" + std::string(kEval) + "\""));
        const auto calls = agent.calls();
        CHECK(calls.back() == calls.front());
    }
}

}  // namespace gaggle::cli
