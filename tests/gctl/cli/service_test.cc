// `gctl service`.
#include "tests/gctl/cli/fake_agent.h"

namespace gaggle::cli {

namespace {

constexpr const char* kWeb =
    R"([{"ID":"_nomad-task-a1a1a1a1-0000-4000-8000-000000000002-group-app-web-http",)"
    R"("ServiceName":"web","Namespace":"default","NodeID":"b2b2b2b2-0000-4000-8000-000000000003",)"
    R"("Datacenter":"dc1","JobID":"site","AllocID":"a1a1a1a1-0000-4000-8000-000000000002",)"
    R"("Tags":["blue","v2"],"Address":"10.0.0.7","Port":8080,"Health":"passing"}])";

}  // namespace

TEST_CASE("service list shows names and tags") {
    FakeAgent agent;
    FakeMachine machine(agent.address());
    agent.on("GET /v1/services",
             {R"([{"Namespace":"default","Services":[{"ServiceName":"db","Tags":[]},)"
              R"({"ServiceName":"web","Tags":["blue","v2"]}]}])",
              "[]"});
    const Ran ran = machine.run({"service", "list"});
    CHECK(ran.code == 0);
    CHECK(ran.out ==
          "Service Name  Tags\n"
          "db            []\n"
          "web           [blue,v2]\n");
    CHECK(machine.run({"service", "list"}).out == "No service registrations found\n");
    agent.on("GET /v1/services",
             {R"([{"Namespace":"shop","Services":[{"ServiceName":"db","Tags":null}]}])"});
    CHECK(machine.run({"service", "list", "--namespace", "*"}).out ==
          "Service Name  Namespace  Tags\n"
          "db            shop       []\n");
}

TEST_CASE("service info shows the instances, and with --verbose all about them") {
    FakeAgent agent;
    FakeMachine machine(agent.address());
    agent.on("GET /v1/service/web", {kWeb});
    CHECK(machine.run({"service", "info", "web"}).out ==
          "Job ID  Address        Tags       Node ID   Alloc ID  Health\n"
          "site    10.0.0.7:8080  [blue,v2]  b2b2b2b2  a1a1a1a1  passing\n");
    const Ran verbose = machine.run({"service", "info", "--verbose", "web"});
    CHECK(verbose.out.find("a1a1a1a1-0000-4000-8000-000000000002-group-app-web-http") !=
          std::string::npos);
    CHECK(verbose.out.find("Datacenter   = dc1") != std::string::npos);
    CHECK(machine.run({"service", "info", "web", "--json"}).out.starts_with("["));
}

TEST_CASE("service info hands a filter on, and tells when nothing is there") {
    FakeAgent agent;
    FakeMachine machine(agent.address());
    agent.on("GET /v1/service/web", {"[]"});
    const Ran none = machine.run({"service", "info", "web"});
    CHECK(none.code == 0);
    CHECK(none.out == "No service registrations found. All names: gctl service list\n");
    machine.run({"service", "info", "web", "--filter", "Tags contains \"blue\""});
    CHECK(agent.calls().back() == "GET /v1/service/web filter=Tags contains \"blue\"");
}

}  // namespace gaggle::cli
