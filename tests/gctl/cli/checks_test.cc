// What the checks of an allocation's services said, from the command line.
#include "tests/gctl/cli/fake_agent.h"

namespace gaggle::cli {

namespace {

constexpr const char* kAlloc = "a1a1a1a1-0000-4000-8000-000000000002";

std::string alloc_json(const std::string& state, const std::string& rest = "") {
    return R"({"ID":")" + std::string(kAlloc) + R"(","Name":"web.g[0]","TaskGroup":"g",)" +
           R"("ClientStatus":")" + state + R"(")" + rest + "}";
}

bool has(const std::string& text, const std::string& part) {
    return text.find(part) != std::string::npos;
}

}  // namespace

TEST_CASE("the checks of an allocation are shown, on its page and alone") {
    FakeAgent agent;
    FakeMachine machine(agent.address());
    agent.on("GET /v1/allocations", {"[" + alloc_json("running") + "]"});
    agent.on("GET /v1/allocation/" + std::string(kAlloc),
             {alloc_json("running", R"(,"AllocatedResources":{"Shared":{"DiskMB":300},
        "Tasks":{"t":{"Cpu":{"CpuShares":4800,"ReservedCores":[2,3]},"Memory":{"MemoryMB":64}}}},
        "Job":{"TaskGroups":[{"Name":"g","Tasks":[{"Name":"t","Services":[
          {"Name":"web","Checks":[{"Name":"up"}]}]}]}]})")});
    agent.on("GET /v1/client/allocation/" + std::string(kAlloc) + "/checks", {R"({
        "b":{"Service":"web","Task":"t","Check":"up","Mode":"healthiness","Status":"failure",
             "StatusCode":503,"Output":"503\nBusy\u001b[2J","Timestamp":1700000000},
        "a":{"Service":"all","Task":"","Check":"tcp","Mode":"healthiness","Status":"pending",
             "Output":"","Timestamp":0}})"});
    const std::string table =
        "Service  Task     Name  Mode         Status   Last Result           Output\n"
        "all      (group)  tcp   healthiness  pending  none yet              <none>\n"
        "web      t        up    healthiness  failure  2023-11-14T22:13:20Z  503 Busy [2J\n";
    CHECK(machine.run({"alloc", "checks", "a1a1"}).out == table);
    const Ran page = machine.run({"alloc", "status", "a1a1"});
    CHECK(has(page.out, "Nomad Service Checks\n" + table));
    CHECK(has(page.out, "4800 MHz (cores 2,3)"));
    CHECK(has(machine.run({"alloc", "checks", "-json", "a1a1"}).out, "\"StatusCode\": 503"));
    agent.on("GET /v1/client/allocation/" + std::string(kAlloc) + "/checks", {"{}"});
    CHECK(has(machine.run({"alloc", "checks", "a1a1"}).out, "have no checks"));
}

}  // namespace gaggle::cli
