#include "tests/gctl/cli/fake_agent.h"

namespace gaggle::cli {

namespace {

bool has(const std::string& text, const std::string& part) {
    return text.find(part) != std::string::npos;
}

}  // namespace

TEST_CASE("job dispatch sends payload and meta, and watches the new job") {
    FakeAgent agent;
    FakeMachine machine(agent.address());
    machine.files["in.txt"] = std::string("a\0b", 3);
    const std::string eval = "1f0c3a52-0000-4000-8000-000000000001";
    const std::string call = "POST /v1/job/resize/dispatch";
    agent.on("GET /v1/jobs", {R"([{"ID":"resize"},{"ID":"resize/dispatch-1-0a"}])"});
    agent.on(call, {R"({"DispatchedJobID":"resize/dispatch-2-0b","EvalID":")" + eval + "\"}"});
    agent.on(
        "GET /v1/evaluation/" + eval,
        {R"({"ID":")" + eval +
         R"(","Status":"complete","JobID":"resize/dispatch-2-0b","TriggeredBy":"job-register"})"});
    agent.on("GET /v1/evaluation/" + eval + "/allocations", {"[]"});
    const Ran ran = machine.run(
        {"job", "dispatch", "-meta", "size=large", "-meta", "q=a=b", "resize", "in.txt"});
    CHECK(ran.err.empty());
    CHECK(ran.code == 0);
    CHECK(has(ran.out, "Dispatched Job ID = resize/dispatch-2-0b\n"));
    CHECK(has(ran.out, "Evaluation ID     = 1f0c3a52\n"));
    CHECK(has(ran.out, "finished with status \"complete\""));
    CHECK(agent.calls().at(1) ==
          call + R"( {"IdPrefixTemplate":"","Meta":{"q":"a=b","size":"large"},"Payload":"YQBi"})");

    const Ran detached = machine.run({"job", "dispatch", "-detach", "resize"});
    CHECK(!has(detached.out, "Monitoring"));
    CHECK(has(agent.calls().back(), R"("Payload":"")"));
    CHECK(has(machine.run({"job", "dispatch", "--json", "resize"}).out, "\"EvalID\""));
}

TEST_CASE("job dispatch says what is wrong") {
    FakeAgent agent;
    FakeMachine machine(agent.address());
    agent.on("GET /v1/jobs", {R"([{"ID":"resize"}])"});
    agent.on("POST /v1/job/resize/dispatch",
             {"!400 Payload is not provided but required by parameterized job"});
    const Ran refused = machine.run({"job", "dispatch", "resize"});
    CHECK(refused.code == 1);
    CHECK(has(refused.err, "dispatch job \"resize\": "));
    CHECK(has(refused.err, "Payload is not provided but required by parameterized job"));
    const Ran odd = machine.run({"job", "dispatch", "-meta", "size", "resize"});
    CHECK(odd.code == 1);
    CHECK(has(odd.err, "--meta \"size\" is not key=value"));
    const Ran missing = machine.run({"job", "dispatch", "resize", "nowhere"});
    CHECK(missing.code == 1);
    CHECK(has(missing.err, "read nowhere: No such file or directory"));
}

}  // namespace gaggle::cli
