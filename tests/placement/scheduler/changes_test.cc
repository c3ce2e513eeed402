#include "placement/scheduler/changes.h"

#include <doctest/doctest.h>

#include <functional>

#include "tests/placement/scheduler/fixtures.h"

namespace gaggle {

TEST_CASE("what makes an update destructive, and what does not") {
    using Change = std::function<void(Job&, TaskGroup&, Task&)>;
    struct Row {
        const char* why;
        Change change;
    };
    const std::vector<Row> rows = {
        {"", [](Job&, TaskGroup&, Task&) {}},
        {"",
         [](Job& job, TaskGroup& group, Task&) {
             job.priority = 80;
             group.count = 9;
         }},
        {"", [](Job&, TaskGroup& group, Task&) { group.services = {{.name = "web"}}; }},
        {"",
         [](Job&, TaskGroup& group, Task& task) {
             group.reschedule.attempts = 3;
             task.restart.attempts = 3;
         }},
        {"",
         [](Job&, TaskGroup&, Task& task) {
             task.kill_timeout = 30s;
             task.logs.file_size = {1};
         }},
        {"", [](Job&, TaskGroup& group, Task&) { group.disk.replicas = 2; }},
        {"ephemeral_disk", [](Job&, TaskGroup& group, Task&) { group.disk.size = {500}; }},
        {"ephemeral_disk", [](Job&, TaskGroup& group, Task&) { group.disk.sticky = true; }},
        {"network",
         [](Job&, TaskGroup& group, Task&) { group.networks = {{.ports = {{.label = "http"}}}}; }},
        {"number of tasks",
         [](Job&, TaskGroup& group, Task&) { group.tasks.push_back({.name = "side"}); }},
        {"task other is new", [](Job&, TaskGroup&, Task& task) { task.name = "other"; }},
        {"task web: driver", [](Job&, TaskGroup&, Task& task) { task.driver = "exec"; }},
        {"task web: user", [](Job&, TaskGroup&, Task& task) { task.user = "nobody"; }},
        {"task web: config", [](Job&, TaskGroup&, Task& task) { task.config["x"] = {true}; }},
        {"task web: env", [](Job&, TaskGroup&, Task& task) { task.env["x"] = "y"; }},
        {"task web: resources", [](Job&, TaskGroup&, Task& task) { task.resources.memory = {1}; }},
        {"task web: resources", [](Job&, TaskGroup&, Task& task) { task.resources.cores = 1; }},
        {"task web: logs", [](Job&, TaskGroup&, Task& task) { task.logs.disabled = true; }},
        {"task web: lifecycle",
         [](Job&, TaskGroup&, Task& task) { task.lifecycle = Lifecycle{.sidecar = true}; }},
        {"task web: artifacts",
         [](Job&, TaskGroup&, Task& task) { task.artifacts = {{.source = "http://a/b"}}; }},
        {"task web: templates",
         [](Job&, TaskGroup&, Task& task) { task.templates = {{.data = "x"}}; }},
        {"task web: dispatch_payload",
         [](Job&, TaskGroup&, Task& task) { task.dispatch_payload = DispatchPayload{"x"}; }},
        {"task web: meta", [](Job& job, TaskGroup&, Task&) { job.meta["x"] = "y"; }},
        {"task web: meta", [](Job&, TaskGroup& group, Task&) { group.meta["x"] = "y"; }},
    };
    const Job before = fixtures::job(1);
    for (const Row& row : rows) {
        Job after = before;
        row.change(after, after.groups.front(), after.groups.front().tasks.front());
        CAPTURE(row.why);
        CHECK(tasks_updated(before, before.groups.front(), after, after.groups.front())
                  .value_or("") == row.why);
    }
}

TEST_CASE("a task's own meta hides the same key of its group and job") {
    Job before = fixtures::job(1);
    before.groups.front().tasks.front().meta["k"] = "mine";
    Job after = before;
    after.meta["k"] = "job's";
    after.groups.front().meta["k"] = "group's";
    CHECK(!tasks_updated(before, before.groups.front(), after, after.groups.front()));
}

}  // namespace gaggle
