#include "gctl/cli/commands.h"

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
constexpr const char* kNode = "b2b2b2b2-0000-4000-8000-000000000003";

std::string eval_json(const std::string& status, const std::string& rest = "") {
    return R"({"ID":")" + std::string(kEval) + R"(","Status":")" + status +
           R"(","JobID":"web","TriggeredBy":"job-register","Type":"service","Priority":50)" + rest +
           "}";
}

std::string alloc_json(const std::string& client, const std::string& rest = "") {
    return R"({"ID":")" + std::string(kAlloc) + R"(","NodeID":")" + kNode +
           R"(","NodeName":"alpha","Name":"web.g[0]","JobID":"web","TaskGroup":"g",)" +
           R"("EvalID":")" + kEval + R"(","DesiredStatus":"run","ClientStatus":")" + client +
           R"(","CreateTime":1699999995000000000,"ModifyTime":1699999998000000000)" + rest + "}";
}

bool has(const std::string& text, const std::string& part) {
    return text.find(part) != std::string::npos;
}

}  // namespace

TEST_CASE("job run registers, and tells what becomes of it") {
    FakeAgent agent;
    FakeMachine machine(agent.address());
    machine.files["web.nomad"] = kJobFile;
    const std::string eval = "/v1/evaluation/" + std::string(kEval);
    agent.on("POST /v1/jobs", {R"({"EvalID":")" + std::string(kEval) + R"(","Warnings":""})"});
    agent.on("GET " + eval, {eval_json("pending"), eval_json("complete")});
    agent.on("GET " + eval + "/allocations",
             {"[]", "[" + alloc_json("pending") + "]",
              "[" + alloc_json("running", R"(,"ClientDescription":"Tasks are running")") + "]"});
    const Ran ran = machine.run({"job", "run", "web.nomad"});
    CHECK(ran.err.empty());
    CHECK(ran.code == 0);
    CHECK(ran.out ==
          "==> 2023-11-14T22:13:20Z: Monitoring evaluation \"1f0c3a52\"\n"
          "    2023-11-14T22:13:20Z: Evaluation triggered by job \"web\"\n"
          "    2023-11-14T22:13:20Z: Allocation \"a1a1a1a1\" created: node \"alpha\", group \"g\"\n"
          "    2023-11-14T22:13:20Z: Evaluation status changed: \"pending\" -> \"complete\"\n"
          "==> 2023-11-14T22:13:20Z: Evaluation \"1f0c3a52\" finished with status \"complete\"\n"
          "    2023-11-14T22:13:20Z: Allocation \"a1a1a1a1\" status changed: \"pending\" -> "
          "\"running\" (Tasks are running)\n");
    CHECK(has(agent.calls()[0], "POST /v1/jobs {\"Job\":{"));
    CHECK(has(agent.calls()[0], "\"ID\":\"web\""));
    CHECK(!has(agent.calls()[0], "EnforceIndex"));
}

TEST_CASE("job run ends with 2 when something waits for room, with 1 when an allocation failed") {
    FakeAgent agent;
    FakeMachine machine(agent.address());
    machine.files["web.nomad"] = kJobFile;
    const std::string eval = "/v1/evaluation/" + std::string(kEval);
    agent.on("POST /v1/jobs", {R"({"EvalID":")" + std::string(kEval) + R"("})"});
    agent.on(
        "GET " + eval,
        {eval_json("complete", R"(,"BlockedEval":"cccccccc-1","FailedTGAllocs":{"g":{)"
                               R"("NodesEvaluated":3,"NodesExhausted":3,"CoalescedFailures":4,)"
                               R"("DimensionExhausted":{"memory":3}}})")});
    agent.on("GET " + eval + "/allocations", {"[]"});
    const Ran waits = machine.run({"job", "run", "web.nomad"});
    CHECK(waits.code == 2);
    CHECK(has(waits.out,
              "Task Group \"g\" (failed to place 5 allocations):\n"
              "      * Resources exhausted on 3 nodes\n"
              "      * Dimension \"memory\" exhausted on 3 nodes\n"));
    CHECK(has(waits.out, "Evaluation \"cccccccc\" waiting for additional capacity"));

    agent.on("GET " + eval, {eval_json("complete")});
    agent.on("GET " + eval + "/allocations", {"[" + alloc_json("failed") + "]"});
    agent.on("GET /v1/job/web/evaluations", {"[]"});
    CHECK(machine.run({"job", "run", "web.nomad"}).code == 1);

    agent.on("GET " + eval, {eval_json("pending")});
    const Ran endless = machine.run({"job", "run", "web.nomad"});
    CHECK(endless.code == 1);
    CHECK(has(endless.err, "still \"pending\" after 5m00s"));
    CHECK(machine.paused >= 4min);
}

TEST_CASE("job run: detached, guarded by an index, printed only") {
    FakeAgent agent;
    FakeMachine machine(agent.address());
    machine.files["web.nomad"] = kJobFile;
    agent.on("POST /v1/jobs", {R"({"EvalID":")" + std::string(kEval) + R"("})"});
    const Ran detached = machine.run({"job", "run", "-detach", "-check-index", "7", "web.nomad"});
    CHECK(detached.code == 0);
    CHECK(detached.out ==
          "Job registration successful\nEvaluation ID: " + std::string(kEval) + "\n");
    CHECK(has(agent.calls()[0], "\"EnforceIndex\":true"));
    CHECK(has(agent.calls()[0], "\"JobModifyIndex\":7"));

    const Ran printed = machine.run({"job", "run", "-output", "web.nomad"});
    CHECK(has(printed.out, "{\n  \"Job\": {"));
    CHECK(agent.calls().size() == 1);
}

TEST_CASE("a job file with errors is shown and not submitted") {
    FakeAgent agent;
    FakeMachine machine(agent.address());
    machine.files["bad.nomad"] = "job \"web\" {\n  grup \"g\" {}\n  typ = \"batch\"\n}\n";
    const Ran ran = machine.run({"job", "run", "bad.nomad"});
    CHECK(ran.code == 1);
    CHECK(has(ran.err, "bad.nomad:2:3: error: "));
    CHECK(has(ran.err, "  3 |   typ = \"batch\"\n    |   ^\n"));
    CHECK(has(ran.err, "nothing was submitted"));
    CHECK(agent.calls().empty());
    CHECK(machine.run({"job", "plan", "bad.nomad"}).code == 255);
    CHECK(machine.run({"job", "validate", "bad.nomad"}).code == 1);
    const Ran missing = machine.run({"job", "run", "none.nomad"});
    CHECK(has(missing.err, "read none.nomad: No such file or directory"));
}

TEST_CASE("what a driver or a template would refuse is shown in the file, and not submitted") {
    FakeAgent agent;
    FakeMachine machine(agent.address());
    machine.files["bad.nomad"] = R"(job "web" {
  group "g" {
    task "t" {
      driver = "raw_exec"
      config { comand = "/bin/true" }
      template {
        destination = "local/a"
        data        = "{{ foo }"
      }
    }
  }
})";
    for (const char* command : {"run", "plan", "validate"}) {
        CAPTURE(command);
        const Ran ran = machine.run({"job", command, "bad.nomad"});
        CHECK(ran.code != 0);
        CHECK(has(ran.err, "bad.nomad:5:7: error: config of driver raw_exec: unknown option "));
        CHECK(has(ran.err, "bad.nomad:6:7: error: template of destination \"local/a\": "));
    }
    CHECK(agent.calls().empty());
    machine.files["new.nomad"] =
        "job \"web\" {\n group \"g\" {\n task \"t\" {\n  driver = \"quantum\"\n  }\n }\n}\n";
    const Ran warned = machine.run({"job", "validate", "new.nomad"});
    CHECK(warned.code == 0);
    CHECK(has(warned.err, "new.nomad:4:3: warning: driver \"quantum\" is not known"));
}

TEST_CASE("job plan tells the change, the places and the way to submit exactly that") {
    FakeAgent agent;
    FakeMachine machine(agent.address());
    machine.files["web.nomad"] = kJobFile;
    agent.on("POST /v1/job/web/plan", {R"({"JobModifyIndex":9,"Warnings":"","FailedTGAllocs":null,
                  "Annotations":{"DesiredTGUpdates":{"g":{"Place":1,"Ignore":2}}},
                  "Diff":{"Type":"Edited","ID":"web","TaskGroups":[{"Type":"Edited","Name":"g",
                    "Fields":[{"Type":"Edited","Name":"Count","Old":"2","New":"3",
                               "Annotations":["forces create"]}],
                    "Updates":{"create":1,"ignore":2},"Tasks":null}]},
                  "Placements":[{"Name":"web.g[2]","NodeID":"b2b2b2b2-0","NodeName":"alpha"}]})"});
    const Ran ran = machine.run({"job", "plan", "web.nomad"});
    CHECK(ran.code == 1);
    CHECK(ran.out ==
          "+/- Job: \"web\"\n"
          "+/-   Task Group: \"g\" (1 create, 2 ignore)\n"
          "+/-     Count: \"2\" => \"3\" (forces create)\n"
          "\n"
          "Scheduler dry-run:\n"
          "- All tasks successfully allocated.\n"
          "- g: 1 allocation created\n"
          "- g: 2 allocations unchanged\n"
          "- web.g[2] would run on alpha (b2b2b2b2)\n"
          "\n"
          "Job Modify Index: 9\n"
          "To submit the job only if nobody changes it meanwhile, run:\n\n"
          "gctl job run -check-index 9 web.nomad\n");
    agent.on("POST /v1/job/web/plan", {R"({"Diff":{"Type":"None","ID":"web"},
        "Annotations":{"DesiredTGUpdates":{"g":{"Ignore":3}}}})"});
    CHECK(machine.run({"job", "plan", "web.nomad"}).code == 0);
    agent.on("POST /v1/job/web/plan", {"!500 no majority"});
    CHECK(machine.run({"job", "plan", "web.nomad"}).code == 255);
}

TEST_CASE("job status") {
    FakeAgent agent;
    FakeMachine machine(agent.address());
    agent.on("GET /v1/jobs", {"[]"});
    CHECK(has(machine.run({"job", "status"}).out, "No running jobs"));
    agent.on("GET /v1/jobs", {R"([{"ID":"web","Type":"service","Priority":50,"Status":"running",
        "SubmitTime":1699999800000000000}])"});
    CHECK(machine.run({"job", "status"}).out ==
          "ID   Type     Priority  Status   Submitted\n"
          "web  service  50        running  3m20s ago\n");
    agent.on("GET /v1/job/web", {R"({"ID":"web","Name":"web","Type":"service","Status":"running",
        "Priority":50,"Version":1,"Datacenters":["*"],"Namespace":"default","SubmitTime":0})"});
    agent.on("GET /v1/job/web/summary", {R"({"Summary":{"g":{"Queued":1,"Running":2}}})"});
    agent.on("GET /v1/job/web/evaluations", {"[" + eval_json("blocked", R"(,"FailedTGAllocs":
        {"g":{"NodesEvaluated":1,"NodesExhausted":1,"DimensionExhausted":{"cpu":1}}})") +
                                             "]"});
    agent.on("GET /v1/job/web/allocations",
             {"[" + alloc_json("running", R"(,"JobVersion":1)") + "," +
              R"({"ID":"old","JobVersion":0,"DesiredStatus":"stop","ClientStatus":"complete"}])"});
    const Ran one = machine.run({"job", "status", "w"});
    CHECK(one.code == 0);
    CHECK(has(one.out, "g           1       0         2        0       0         0\n"));
    CHECK(
        has(one.out, "Placement Failure\nTask Group \"g\":\n  * Resources exhausted on 1 node\n"));
    CHECK(has(one.out,
              "a1a1a1a1  b2b2b2b2  alpha      g           1        run      running  "
              "5s ago   2s ago\n"));
    CHECK(has(one.out, "1 allocation of earlier versions not shown"));
    CHECK(has(machine.run({"job", "status", "-all-allocs", "web"}).out, "old "));
    agent.on("GET /v1/job/web/evaluations", {"[" + eval_json("complete", R"(,"FailedTGAllocs":
        {"g":{"NodesEvaluated":1,"NodesExhausted":1,"DimensionExhausted":{"cpu":1}}})") +
                                             "]"});
    CHECK_FALSE(has(machine.run({"job", "status", "web"}).out, "Placement Failure"));
}

TEST_CASE("prefixes: several matches are listed, none is said, an exact id wins") {
    FakeAgent agent;
    FakeMachine machine(agent.address());
    agent.on("GET /v1/jobs", {R"([{"ID":"web"},{"ID":"web2"}])"});
    agent.on("GET /v1/job/web", {R"({"ID":"web"})"});
    CHECK(machine.run({"job", "inspect", "web"}).out ==
          "{\n  \"Job\": {\n    \"ID\": \"web\"\n  }\n}\n");
    const Ran several = machine.run({"job", "inspect", "we"});
    CHECK(several.code == 1);
    CHECK(has(several.err, "\"we\" is the beginning of 2 jobs; give more of the id:\nID"));
    CHECK(has(several.err, "web2"));
    agent.on("GET /v1/jobs", {"[]"});
    CHECK(has(machine.run({"job", "stop", "x"}).err, "no job begins with \"x\""));
}

TEST_CASE("job stop watches its evaluation") {
    FakeAgent agent;
    FakeMachine machine(agent.address());
    agent.on("GET /v1/jobs", {R"([{"ID":"a/b"}])"});
    agent.on("DELETE /v1/job/a/b", {R"({"EvalID":")" + std::string(kEval) + R"("})"});
    agent.on("GET /v1/evaluation/" + std::string(kEval), {eval_json("complete")});
    agent.on("GET /v1/evaluation/" + std::string(kEval) + "/allocations", {"[]"});
    const Ran ran = machine.run({"job", "stop", "-purge", "a/b"});
    CHECK(ran.code == 0);
    CHECK(has(ran.out, "finished with status \"complete\""));
    CHECK(agent.calls()[1] == "DELETE /v1/job/a/b no_shutdown_delay=false purge=true");
    CHECK(machine.run({"job", "stop", "-detach", "-no-shutdown-delay", "a/b"}).code == 0);
    CHECK(agent.calls().back() == "DELETE /v1/job/a/b no_shutdown_delay=true purge=false");
}

TEST_CASE("job stop asks before it stops what was named by the beginning of its id") {
    FakeAgent agent;
    FakeMachine machine(agent.address());
    agent.on("GET /v1/jobs", {R"([{"ID":"redis"}])"});
    agent.on("DELETE /v1/job/redis", {R"({"EvalID":""})"});
    const auto stopped = [&] { return agent.calls().back().starts_with("DELETE"); };
    const Ran mute = machine.run({"job", "stop", "red"});
    CHECK(mute.code == 1);
    CHECK(has(mute.err, "stop job \"redis\": \"red\" is only the beginning of its id"));
    CHECK(has(mute.err, "--yes"));
    CHECK(!stopped());
    CHECK(machine.run({"job", "stop", "-y", "red"}).code == 0);
    CHECK(stopped());

    std::string asked;
    std::string answer;
    machine.world().ask = [&](const std::string& question) {
        asked = question;
        return answer;
    };
    for (const char* no : {"", "n", "no", "yeah"}) {
        CAPTURE(no);
        answer = no;
        const Ran kept = machine.run({"job", "stop", "red"});
        CHECK(kept.code == 0);
        CHECK(kept.err == "Nothing was stopped\n");
        CHECK(!stopped());
    }
    CHECK(asked == "Are you sure you want to stop job \"redis\"? [y/N] ");
    answer = "y";
    CHECK(machine.run({"job", "stop", "red"}).code == 0);
    CHECK(stopped());
    asked.clear();
    CHECK(machine.run({"job", "stop", "redis"}).code == 0);
    CHECK(stopped());
    CHECK(asked.empty());
}

TEST_CASE("alloc status shows tasks, ports and how old each copy is") {
    FakeAgent agent;
    FakeMachine machine(agent.address());
    agent.on("GET /v1/allocations", {"[" + alloc_json("running") + "]"});
    agent.on("GET /v1/allocation/" + std::string(kAlloc),
             {alloc_json("running", R"(,"ClientDescription":"Tasks are running",
        "AllocatedResources":{"Shared":{"DiskMB":300,
          "Networks":[{"ReservedPorts":[{"Label":"admin"}]}],
          "Ports":[{"Label":"db","HostIP":"127.0.0.2","Value":23456,"To":0},
                   {"Label":"admin","HostIP":"::1","Value":80,"To":8080}]},
          "Tasks":{"t":{"Cpu":{"CpuShares":100},"Memory":{"MemoryMB":64}}}},
        "TaskStates":{"t":{"State":"running","StartedAt":"2023-11-14T22:13:00.5Z","Restarts":1,
          "Events":[
            {"Type":"Received","Time":1699999990000000000,"DisplayMessage":"Task received"},
            {"Type":"Started","Time":1699999999000000000,"DisplayMessage":"Task started"}]}},
        "Copies":[{"PeerID":"cccccccc-1","PeerName":"beta","Generation":7,"Version":3,"AgeMs":1500,
                   "Complete":true},
                  {"PeerID":"dddddddd-1","PeerName":"gamma","Generation":7,"Version":null,
                   "AgeMs":null,"Complete":false}],
        "Metrics":{"ScoreMetaData":[
          {"NodeID":"b2b2b2b2","NormScore":0.5,"Scores":{"binpack":0.5}}]})")});
    const Ran ran = machine.run({"alloc", "status", "A1A"});
    CHECK(ran.code == 0);
    CHECK(agent.calls()[0] == "GET /v1/allocations prefix=a1");  // even length, lower case
    CHECK(has(ran.out, "Client Description  = Tasks are running\n"));
    CHECK(has(ran.out, "db     yes      127.0.0.2:23456\n"));
    CHECK(has(ran.out, "admin  no       [::1]:80 -> 8080\n"));
    CHECK(has(ran.out, "beta     cccccccc  7.3      1.5s     complete\n"));
    CHECK(has(ran.out, "gamma    dddddddd  7.?      unknown  incomplete\n"));
    CHECK(has(ran.out, "Task \"t\" is \"running\"\n"));
    CHECK(has(ran.out, "100 MHz  64 MiB  300 MiB\n"));
    CHECK(has(ran.out, "Started At     = 2023-11-14T22:13:00Z\n"));
    CHECK(ran.out.find("Started   ") > ran.out.find("Recent Events"));
    CHECK(ran.out.find("Task started") < ran.out.find("Task received"));  // newest first
    CHECK(!has(ran.out, "Placement Metrics"));
    CHECK(has(machine.run({"alloc", "status", "-verbose", kAlloc}).out, "Placement Metrics"));
}

TEST_CASE("alloc logs asks for the stream and passes it on") {
    FakeAgent agent;
    FakeMachine machine(agent.address());
    agent.on("GET /v1/allocations", {"[" + alloc_json("running") + "]"});
    const std::string path = "/v1/allocation/" + std::string(kAlloc);
    const std::string logs = "GET /v1/client/fs/logs/" + std::string(kAlloc);
    agent.on("GET " + path, {alloc_json("running", R"(,"TaskStates":{"t":{}})")});
    agent.on(logs, {"one\ntwo\nthree\n"});
    const Ran whole = machine.run({"alloc", "logs", kAlloc});
    CHECK(whole.err == "");
    CHECK(whole.out == "one\ntwo\nthree\n");
    CHECK(agent.calls().back() ==
          logs + " follow=false offset=0 origin=start plain=true task=t type=stdout");
    CHECK(machine.run({"alloc", "logs", "-n", "2", "-stderr", kAlloc, "t"}).out == "two\nthree\n");
    CHECK(agent.calls().back() ==
          logs + " follow=false offset=512 origin=end plain=true task=t type=stderr");
    agent.on(logs, {"one\ntwo\n", R"({"Data":"b25lCnR3"}{"Data":"bwo="}{}{"Data":"dGhyZWUK"})"});
    CHECK(machine.run({"alloc", "logs", "-f", "-n", "1", kAlloc}).out == "two\nthree\n");
    CHECK(agent.calls().back() ==
          logs + " follow=true offset=256 origin=end plain=false task=t type=stdout");
    const std::string line = std::string(299, 'x') + "\n";
    agent.on(logs, {line.substr(44), line + line + line});
    CHECK(machine.run({"alloc", "logs", "-n", "1", kAlloc}).out == line);
    CHECK(agent.calls().back() ==
          logs + " follow=false offset=1024 origin=end plain=true task=t type=stdout");
    agent.on(logs, {R"({"Data":"b25lCnR3"})"});
    CHECK(machine.run({"alloc", "logs", "-f", "-n", "0", kAlloc}).out == "one\ntw");
    CHECK(machine.run({"alloc", "logs", "-n", "0", kAlloc}).out.empty());
    agent.on(logs, {"one\n", "no frames}"});
    const Ran garbled = machine.run({"alloc", "logs", "-f", "-n", "1", kAlloc});
    CHECK(garbled.code == 1);
    CHECK(has(garbled.err, "read logs of allocation a1a1a1a1: "));
    const Ran wrong = machine.run({"alloc", "logs", kAlloc, "web"});
    CHECK(has(wrong.err, "it has no task \"web\"; it has: t"));
    agent.on("GET " + path, {alloc_json("running", R"(,"TaskStates":{"a":{},"b":{}})")});
    CHECK(has(machine.run({"alloc", "logs", kAlloc}).err, "say which task; it has: a, b"));
    agent.on(logs, {"!404 alloc not found"});
    const Ran gone = machine.run({"alloc", "logs", kAlloc, "a"});
    CHECK(gone.code == 1);
    CHECK(has(gone.err, "alloc not found"));
}

TEST_CASE("nodes") {
    FakeAgent agent;
    FakeMachine machine(agent.address());
    const std::string node =
        R"({"ID":")" + std::string(kNode) +
        R"(","Name":"alpha","Datacenter":"dc1","NodeClass":"","Drain":false,)" +
        R"("SchedulingEligibility":"eligible","Status":"ready",)" + R"("Address":"127.0.0.1")";
    agent.on("GET /v1/nodes", {"[" + node + "}]"});
    CHECK(machine.run({"node", "status"}).out ==
          "ID        DC   Name   Class   Address    Drain  Eligibility  Status\n"
          "b2b2b2b2  dc1  alpha  <none>  127.0.0.1  false  eligible     ready\n");
    agent.on("GET /v1/node/" + std::string(kNode),
             {node + R"(,"NodeResources":{"Cpu":{"CpuShares":1000},"Memory":{"MemoryMB":512},
                 "Disk":{"DiskMB":2000}},"Drivers":{"raw_exec":{"Detected":true,"Healthy":true},
                 "docker":{"Detected":false,
                 "HealthDescription":"connect to it: refused"}},
                 "Attributes":{"kernel.name":"linux"}})"});
    agent.on("GET /v1/node/" + std::string(kNode) + "/allocations",
             {"[" + alloc_json("running", R"(,"AllocatedResources":{"Shared":{"DiskMB":300},
                 "Tasks":{"t":{"Cpu":{"CpuShares":100},"Memory":{"MemoryMB":64}}}})") +
              "]"});
    const Ran one = machine.run({"node", "status", "alpha"});
    CHECK(has(one.out, "Drivers      = raw_exec\n"));
    CHECK(has(one.out,
              "Drivers That Take No Tasks\nDriver  Detected  Why\n"
              "docker  false     connect to it: refused\n"));
    CHECK(has(one.out, "100/1000 MHz  64/512 MiB  300/2000 MiB\n"));
    CHECK(has(one.out, "a1a1a1a1  web     g"));
    CHECK(!has(one.out, "kernel.name"));
    CHECK(has(machine.run({"node", "status", "-verbose", "b2"}).out, "kernel.name = linux\n"));
}

TEST_CASE("eval status, members and region status") {
    FakeAgent agent;
    FakeMachine machine(agent.address());
    agent.on("GET /v1/evaluations", {"[" + eval_json("complete") + "]"});
    agent.on("GET /v1/evaluation/" + std::string(kEval), {eval_json("complete")});
    CHECK(has(machine.run({"eval", "status", "1f"}).out, "TriggeredBy        = job-register\n"));
    agent.on("GET /v1/agent/members", {R"({"Members":[{"Name":"alpha.global","Addr":"127.0.0.1",
        "Port":4647,"Status":"alive","Tags":{"id":"b2b2b2b2-1","role":"voter","dc":"dc1",
        "region":"global","agent":"gone","http_addr":"127.0.0.1:4646"}}]})"});
    CHECK(has(machine.run({"members"}).out, "alive (agent gone)  voter  false "));
    agent.on("GET /v1/region", {R"({"ID":"r","Name":"global","Epoch":1,"Term":3,"LastIndex":9,
        "CommitIndex":9,"AppliedIndex":8,"Leader":"b2b2b2b2-1","HasQuorum":false,
        "Members":[{"PeerID":"b2b2b2b2-1","Name":"alpha","Number":1,"Role":"voter","Leader":true,
          "Match":9,"SilentMs":null},{"PeerID":"cccccccc-1","Name":"beta","Number":2,
          "Role":"standby","Leader":false,"Match":0,"SilentMs":2500}],
        "Missing":["beta"],"Notes":["beta is no voter yet"]})"});
    CHECK(has(machine.run({"members"}).out, "voter  true "));
    const Ran region = machine.run({"region", "status"});
    CHECK(has(region.out, "Leader   = alpha (b2b2b2b2)\n"));
    CHECK(has(region.out, "Majority = lost: nothing can be accepted\n"));
    CHECK(has(region.out, "2       beta   cccccccc  standby  false   -      2.5s ago\n"));
    CHECK(has(region.out, "Missing: beta\n"));
    CHECK(has(region.out, "- beta is no voter yet\n"));
}

TEST_CASE("errors say what was attempted, where, why, and what to do") {
    FakeAgent agent;
    FakeMachine machine(agent.address());
    machine.world().environment["GCTL_TOKEN"] = "wrong";
    const Ran locked = machine.run({"job", "status"});
    CHECK(locked.code == 1);
    CHECK(has(locked.err, "list jobs: " + agent.address() + " refused: "));
    CHECK(has(locked.err, "--token-file DATA_DIR/http-token or GCTL_TOKEN"));
    CHECK(machine.run({"job", "status", "--token", "secret"}).err ==
          "Error: list jobs: nothing here\n");
    machine.world().environment["GCTL_TOKEN"] = "";
    CHECK(has(machine.run({"job", "status"}).err, "No token was sent: "));

    machine.world().environment["GCTL_TOKEN"] = "secret";
    agent.on("GET /v1/jobs", {"!500 no leader", "<html>"});
    CHECK(has(machine.run({"job", "status"}).err, "Error: list jobs: no leader\n"));
    CHECK(has(machine.run({"job", "status"}).err, "is not JSON: "));
    agent.on("GET /v1/jobs", {"!502 <html>Bad Gateway</html>"});
    CHECK(has(machine.run({"job", "status"}).err,
              agent.address() + " answered with status 502 and no reason; is that an agent's"));
    agent.stop();
    const Ran nobody = machine.run({"job", "status"});
    CHECK(has(nobody.err, "list jobs: connect to " + agent.address() + ": nobody listens there"));
    CHECK(has(nobody.err, "Start it with `gctl agent`"));
    CHECK(has(machine.run({"job", "status", "-address", "https://x"}).err, "plain HTTP"));
    CHECK(has(machine.run({"job", "status", "-address", "ftp://x"}).err, "http, not ftp; "));
}

TEST_CASE("--json gives the API's document and nothing else, colours only on a terminal") {
    FakeAgent agent;
    FakeMachine machine(agent.address());
    agent.on("GET /v1/jobs", {R"([{"ID":"web","Status":"running"}])"});
    CHECK(machine.run({"job", "status", "--json"}).out ==
          "[\n  {\n    \"ID\": \"web\",\n    \"Status\": \"running\"\n  }\n]\n");
    CHECK(!has(machine.run({"job", "status"}).out, "\x1b["));
    machine.world().terminal = true;
    CHECK(has(machine.run({"job", "status"}).out, "\x1b[32mrunning\x1b[0m"));
    CHECK(!has(machine.run({"job", "status", "-no-color"}).out, "\x1b["));
    machine.world().environment["TERM"] = "dumb";
    CHECK(!has(machine.run({"job", "status"}).out, "\x1b["));
    machine.world().environment["TERM"] = "xterm";
    CHECK(has(machine.run({"job", "status"}).out, "\x1b["));
    machine.world().environment["NO_COLOR"] = "1";
    CHECK(!has(machine.run({"job", "status"}).out, "\x1b["));
}

TEST_CASE("version") {
    FakeMachine machine("http://127.0.0.1:1");
    CHECK(machine.run({"version"}).out == "gctl v" GAGGLE_VERSION "\n");
    CHECK(has(machine.run({"version", "--json"}).out, "\"Version\": \"" GAGGLE_VERSION "\""));
}

}  // namespace gaggle::cli
