#include "allocrunner/set_up_plan.h"

#include <doctest/doctest.h>

using namespace gaggle;
using namespace gaggle::allocrunner;

TEST_CASE("what is set up is interpolated where Nomad has it, and nowhere else") {
    SetUpTask work{.alloc = AllocId{}, .task = "web"};
    work.what.names = {{"NOMAD_TASK_DIR", "/local"}, {"attr.cpu.arch", "amd64"}, {"v", "1.2"}};
    work.what.env = {{"v", "1.2"}};
    work.what.name_space = "shop";
    work.what.user = "joe";
    work.what.payload = "payload ${v}";
    Task& task = work.what.task;
    Artifact artifact;
    artifact.source = "https://h/app-${v}-${attr.cpu.arch}.zip";
    artifact.destination = "${NOMAD_TASK_DIR}/app";
    artifact.options = {{"checksum", "file:https://h/${v}.sums"}};
    artifact.headers = {{"X-Arch", "${attr.cpu.arch}"}, {"X-Unknown", "${nothing}"}};
    task.artifacts = {artifact};
    Template shown;
    shown.data = "{{ env \"v\" }} ${v}";
    shown.source = "local/${v}.tpl";
    shown.destination = "${NOMAD_TASK_DIR}/x";
    shown.change_script = ChangeScript{.command = "${NOMAD_TASK_DIR}/reload", .args = {"${v}"}};
    task.templates = {shown};
    task.dispatch_payload = DispatchPayload{"${v}/input"};

    const setup::Plan plan = set_up_plan(work);
    CHECK(plan.name_space == "shop");
    CHECK(plan.user == "joe");
    CHECK(plan.env == work.what.env);
    CHECK(plan.artifacts[0].source == "https://h/app-1.2-amd64.zip");
    CHECK(plan.artifacts[0].destination == "/local/app");
    CHECK(plan.artifacts[0].options.at("checksum") == "file:https://h/1.2.sums");
    CHECK(plan.artifacts[0].headers.at("X-Arch") == "amd64");
    CHECK(plan.artifacts[0].headers.at("X-Unknown") == "${nothing}");
    CHECK(plan.templates[0].data == "{{ env \"v\" }} ${v}");
    CHECK(plan.templates[0].source == "local/1.2.tpl");
    CHECK(plan.templates[0].destination == "/local/x");
    CHECK(plan.templates[0].change_script->command == "/local/reload");
    CHECK(plan.templates[0].change_script->args == std::vector<std::string>{"1.2"});
    REQUIRE(plan.payload);
    CHECK(plan.payload->file == "1.2/input");
    CHECK(as_text(plan.payload->bytes) == "payload ${v}");
}
