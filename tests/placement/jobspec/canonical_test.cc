#include "tests/placement/jobspec/text.h"

namespace gaggle {

using namespace jobtest;

TEST_CASE("a service job gets the defaults of Nomad's registration") {
    const Job job = good(job_with(""));
    CHECK(job.id == "web");
    CHECK(job.name == "web");
    CHECK(job.type == JobType::service);
    CHECK(job.priority == 50);
    CHECK(job.region == "global");
    CHECK(job.name_space == "default");
    CHECK(job.node_pool == "default");
    CHECK(job.datacenters == std::vector<std::string>{"*"});
    CHECK(job.update == UpdateStrategy{});
    const TaskGroup& group = job.groups.at(0);
    CHECK(group.count == 1);
    CHECK(group.disk == EphemeralDisk{.size = {300}});
    CHECK(group.restart == RestartPolicy{.attempts = 2, .interval = 30min, .delay = 15s});
    CHECK(group.reschedule == ReschedulePolicy{.attempts = 0,
                                               .interval = 0s,
                                               .delay = 30s,
                                               .function = ReschedulePolicy::Function::exponential,
                                               .delay_max = 1h,
                                               .unlimited = true});
    CHECK(group.update == UpdateStrategy{});
    CHECK(group.migrate == MigrateStrategy{});
    CHECK(!group.disconnect);
    const Task& task = group.tasks.at(0);
    CHECK(task.resources == Resources{.cpu = {100}, .cores = 0, .memory = {300}});
    CHECK(task.logs == LogConfig{.files_max = 10, .file_size = {10}});
    CHECK(task.kill_timeout == 5s);
    CHECK(task.kill_signal == "SIGINT");
    CHECK(task.restart == group.restart);
}

TEST_CASE("the signal that stops a container is its image's, unless the job names one") {
    const auto signal = [](const std::string& driver, const std::string& more) {
        return good("job \"j\" {\n group \"g\" {\n task \"t\" {\n driver = \"" + driver + "\"\n" +
                    more + "\nconfig {\n image = \"x\"\n command = \"x\"\n }\n }\n }\n }")
            .groups[0]
            .tasks[0]
            .kill_signal;
    };
    CHECK(signal("docker", "").empty());
    CHECK(signal("docker", "kill_signal = \"SIGHUP\"") == "SIGHUP");
    CHECK(signal("exec", "") == "SIGINT");
}

TEST_CASE("the other types of jobs get theirs") {
    const Job batch = good(job_with("", "", "type = \"batch\""));
    CHECK(batch.groups[0].restart == RestartPolicy{.attempts = 3, .interval = 24h, .delay = 15s});
    CHECK(batch.groups[0].reschedule ==
          ReschedulePolicy{.attempts = 1,
                           .interval = 24h,
                           .delay = 5s,
                           .function = ReschedulePolicy::Function::constant,
                           .delay_max = 0s,
                           .unlimited = false});
    CHECK(!batch.groups[0].update);
    CHECK(!batch.groups[0].migrate);
    CHECK(!batch.update);
    const Job system = good(job_with("", "", "type = \"system\"\nupdate {\n max_parallel = 2\n}"));
    CHECK(!system.groups[0].reschedule.unlimited);
    CHECK(system.groups[0].update == UpdateStrategy{.max_parallel = 2});
}

TEST_CASE("a group's policy is laid over the job's, a task's over the group's") {
    const Job job =
        good(job_with("restart {\n attempts = 5\n}",
                      "restart {\n delay = \"1s\"\n mode = \"delay\"\n}\n"
                      "update {\n canary = 1\n}\n"
                      "reschedule {\n delay = \"10s\"\n}",
                      "update {\n max_parallel = 3\n}\nreschedule {\n max_delay = \"2m\"\n}\n"
                      "migrate {\n max_parallel = 4\n}"));
    const TaskGroup& group = job.groups[0];
    CHECK(group.restart.attempts == 2);
    CHECK(group.tasks[0].restart ==
          RestartPolicy{
              .attempts = 5, .interval = 30min, .delay = 1s, .mode = RestartPolicy::Mode::delay});
    CHECK(job.update == UpdateStrategy{.max_parallel = 3});
    CHECK(group.update == UpdateStrategy{.max_parallel = 3, .canary = 1});
    CHECK(group.reschedule.delay == 10s);
    CHECK(group.reschedule.delay_max == 2min);
    CHECK(group.migrate == MigrateStrategy{.max_parallel = 4});
}

TEST_CASE("what is made ready before a task has Nomad's defaults") {
    const Job job = good(job_with(R"(
        artifact {
          source = "https://localhost/a/b.bin"
        }
        artifact {
          source = "https://localhost/a/b.bin"
          mode   = "file"
        }
        template {
          data        = "x"
          destination = "local/x"
        }
        template {
          data          = "x"
          destination   = "local/y"
          change_mode   = "signal"
          change_signal = "sigusr1"
          change_script {
            command = "/bin/true"
          }
          wait {
            min = "3s"
          }
        })"));
    const Task& task = job.groups[0].tasks[0];
    CHECK(!task.lifecycle);
    CHECK(!task.dispatch_payload);
    CHECK(task.artifacts.at(0).destination == "local/");
    CHECK(task.artifacts.at(0).mode == Artifact::Mode::any);
    CHECK(task.artifacts.at(1).destination == "local/b.bin");
    const Template& plain = task.templates.at(0);
    CHECK(plain.change_mode == ChangeMode::restart);
    CHECK(plain.splay == 5s);
    CHECK(plain.perms == "0644");
    CHECK(plain.left_delimiter == "{{");
    CHECK(!plain.uid);
    CHECK(!plain.wait);
    const Template& signalled = task.templates.at(1);
    CHECK(signalled.change_signal == "SIGUSR1");
    CHECK(signalled.change_script == ChangeScript{.command = "/bin/true"});
    CHECK(signalled.wait == TemplateWait{.min = 3s, .max = 12s});
}

TEST_CASE("a check has its service's check_restart, and a script the task it stands in") {
    const Job job = good(job_with(R"(
        service {
          check_restart {
            limit = 3
            grace = "30s"
          }
          check {
            type    = "script"
            command = "/bin/true"
          }
          check {
            type = "tcp"
            port = 80
            check_restart {
              limit           = 9
              ignore_warnings = true
            }
          }
        })",
                                  R"(
        service {
          task = "t"
          check {
            type    = "script"
            command = "/bin/true"
          }
          check {
            type = "tcp"
            port = 80
          }
        })"));
    const auto& checks = job.groups[0].tasks[0].services.at(0).checks;
    CHECK(checks.at(0).task == "t");
    CHECK(checks.at(0).check_restart == CheckRestart{.limit = 3, .grace = 30s});
    CHECK(checks.at(1).task.empty());
    CHECK(checks.at(1).check_restart ==
          CheckRestart{.limit = 9, .grace = 30s, .ignore_warnings = true});
    const auto& grouped = job.groups[0].services.at(0).checks;
    CHECK(grouped.at(0).task == "t");
    CHECK(!grouped.at(0).check_restart);
    CHECK(grouped.at(1).task.empty());
}

TEST_CASE("constraints have short forms") {
    struct Row {
        std::string written;
        Constraint meant;
    };
    for (const Row& row :
         {Row{"attribute = \"a\"\nvalue = 5", {"a", "=", "5"}},
          {"attribute = \"a\"\noperator = \"!=\"\nvalue = \"b\"", {"a", "!=", "b"}},
          {"attribute = attr.os.name\nregexp = \"deb.*\"", {"${attr.os.name}", "regexp", "deb.*"}},
          {"attribute = \"a\"\nversion = \">= 1\"", {"a", "version", ">= 1"}},
          {"attribute = \"a\"\nsemver = \">= 1\"", {"a", "semver", ">= 1"}},
          {"attribute = \"a\"\nset_contains = \"x,y\"", {"a", "set_contains", "x,y"}},
          {"attribute = \"a\"\nset_contains_all = \"x\"", {"a", "set_contains_all", "x"}},
          {"attribute = \"a\"\nset_contains_any = \"x\"", {"a", "set_contains_any", "x"}},
          {"attribute = \"a\"\noperator = \"is_set\"", {"a", "is_set", ""}},
          {"distinct_hosts = true", {"", "distinct_hosts", "true"}},
          {"distinct_hosts = \"false\"", {"", "distinct_hosts", "false"}},
          {"operator = \"distinct_hosts\"", {"", "distinct_hosts", "true"}},
          {"distinct_property = \"${meta.rack}\"\nvalue = \"2\"",
           {"${meta.rack}", "distinct_property", "2"}}}) {
        CAPTURE(row.written);
        const Job job = good(job_with("", "constraint {\n" + row.written + "\n}"));
        CHECK(job.groups[0].constraints.at(0) == row.meant);
    }
}

TEST_CASE("replicas come from the block, or from meta for Nomad's tools; migrate means sticky") {
    CHECK(
        good(job_with("", "ephemeral_disk {\n migrate = true\n replicas = 2\n}")).groups[0].disk ==
        EphemeralDisk{.sticky = true, .migrate = true, .replicas = 2});
    const std::string meta = "meta = { \"gaggle.replicas\" = 3 }\n";
    CHECK(
        good(job_with("", meta + "ephemeral_disk {\n sticky = true\n}")).groups[0].disk.replicas ==
        3);
    CHECK(good(job_with("", meta + "ephemeral_disk {\n sticky = true\n replicas = 1\n}"))
              .groups[0]
              .disk.replicas == 1);
}

TEST_CASE("types are converted as Nomad does it") {
    const Job job = good(job_with(
        "env {\n A = 5\n B = true\n C = 1.5\n}\nleader = \"true\"\nkill_timeout = 20000000\n"
        "shutdown_delay = \"1h2m3.5s\"\nresources {\n cpu = \"500\"\n}",
        "count = \"2\"", "meta = { \"odd key\" = 1 }"));
    const Task& task = job.groups[0].tasks[0];
    CHECK(task.env == std::map<std::string, std::string>{{"A", "5"}, {"B", "true"}, {"C", "1.5"}});
    CHECK(task.leader);
    CHECK(task.kill_timeout == 20ms);  // a bare number is nanoseconds
    CHECK(task.shutdown_delay == 1h + 2min + 3500ms);
    CHECK(task.resources.cpu.value == 500);
    CHECK(job.groups[0].count == 2);
    CHECK(job.meta.at("odd key") == "1");
}

TEST_CASE("what is allowed but hardly meant is a warning") {
    const Parsed parsed =
        parse_job(job_with("kill_timeout = 20\nuser = nobody\nconfig {\n port = NOMAD_PORT_x\n}"),
                  "test.nomad");
    REQUIRE(parsed.job.has_value());
    CHECK(parsed.job->groups[0].tasks[0].user == "${nobody}");
    CHECK(
        to_string(parsed.diagnostics) ==
        "test.nomad:8:16: warning: `kill_timeout` in task is 20 nanoseconds; write \"20s\" where "
        "seconds are meant\n"
        "test.nomad:9:8: warning: `nobody` without quotes is kept as a reference, ${nobody}; write "
        "\"nobody\" where the word itself is meant\n");
}

TEST_CASE("a driver's config is free-form, in the shape that Nomad's drivers expect") {
    const Job job = good(job_with(R"(config {
        whole  = 5
        real   = 1.5
        exact  = 2.0
        big    = 9007199254740993
        flag   = true
        none   = null
        labels = { a = "b" }
        list   = [{ c = 1 }]
        one {
          x = 1
        }
        two {
          y = 1
        }
        two {
          y = 2
        }
        mount "bind" {
          z = "${NOMAD_TASK_DIR}"
        }
      })"));
    CHECK(
        json(Value{job.groups[0].tasks[0].config}) ==
        R"({"big":9007199254740993,"exact":2,"flag":true,"labels":[{"a":"b"}],"list":[{"c":1}],)"
        R"("mount":[{"bind":[{"z":"${NOMAD_TASK_DIR}"}]}],"none":null,"one":[{"x":1}],"real":1.5,)"
        R"("two":[{"y":1},{"y":2}],"whole":5})");
}

TEST_CASE("tasks directly in the job become groups of their own, before the others") {
    const Job job = good(
        "job \"j\" {\n group \"b\" {\n task \"t\" {\n driver = \"raw_exec\"\n}\n}\n"
        "task \"a\" {\n driver = \"raw_exec\"\n}\n}\n");
    REQUIRE(job.groups.size() == 2);
    CHECK(job.groups[0].name == "a");
    CHECK(job.groups[0].tasks.at(0).name == "a");
    CHECK(job.groups[1].name == "b");
}

TEST_CASE("services get names, and their checks too") {
    const Job job =
        good(job_with("service {\n port = \"80\"\n}\nservice {\n name = \"${JOB}-x\"\n}",
                      "service {\n port = \"80\"\n check {\n type = \"tcp\"\n}\n}"));
    CHECK(job.groups[0].services.at(0).name == "web-g");
    CHECK(job.groups[0].services[0].checks.at(0).name == "service: \"web-g\" check");
    CHECK(job.groups[0].tasks[0].services.at(0).name == "web-g-t");
    CHECK(job.groups[0].tasks[0].services.at(1).name == "web-x");
}

TEST_CASE("the label names the job; id and name may say otherwise") {
    CHECK(good("job \"a\" {\n id = \"b\"\n task \"t\" {\n driver = \"x\"\n}\n}").id == "b");
    CHECK(good("job \"a\" {\n id = \"b\"\n task \"t\" {\n driver = \"x\"\n}\n}").name == "a");
    CHECK(good("job \"a\" {\n name = \"c\"\n task \"t\" {\n driver = \"x\"\n}\n}").name == "c");
}

}  // namespace gaggle
