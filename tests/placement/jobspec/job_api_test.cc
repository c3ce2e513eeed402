#include "placement/jobspec/job_api.h"

#include "base/wire.h"
#include "tests/placement/jobspec/text.h"

namespace gaggle {

using namespace jobtest;

namespace {

/// Everything that a job file can say in this version.
const char* const kFull = R"(
job "full" {
  name        = "all of it"
  namespace   = "team"
  region      = "north"
  type        = "service"
  priority    = 70
  all_at_once = true
  datacenters = ["dc1", "dc-*"]
  node_pool   = "large"
  constraint {
    attribute = "${attr.kernel.name}"
    value     = "linux"
  }
  affinity {
    attribute = "${node.class}"
    value     = "fast"
    weight    = -20
  }
  spread {
    attribute = "${node.datacenter}"
    weight    = 30
    target "dc1" {
      percent = 70
    }
  }
  meta {
    a = "b"
  }
  update {
    canary = 1
  }
  group "g" {
    count = 3
    network {
      mode     = "bridge"
      mbits    = 10
      hostname = "web.internal"
      dns {
        servers  = ["10.0.0.53"]
        searches = ["internal"]
        options  = ["ndots:2"]
      }
      port "dynamic" {
        to = 80
      }
      port "same" {
        to = -1
      }
      port "fixed" {
        static = 8080
      }
    }
    ephemeral_disk {
      sticky   = true
      migrate  = true
      size     = 500
      replicas = 2
    }
    disconnect {
      lost_after = "1h"
      replace    = false
      reconcile  = "keep_original"
    }
    service {
      name = "web"
      port = "fixed"
      tags = ["x", "y"]
      canary_tags = ["c"]
      address = "${attr.unique.network.ip-address}"
      task = "t"
      meta {
        k = "v"
      }
      check_restart {
        limit = 3
        grace = "90s"
      }
      check {
        name     = "alive"
        type     = "http"
        protocol = "https"
        path     = "/health"
        method   = "POST"
        interval = "10s"
        timeout  = "1500ms"
        header {
          Accept = ["a", "b"]
        }
        body                     = "ping"
        tls_skip_verify          = true
        tls_server_name          = "web.internal"
        initial_status           = "warning"
        success_before_passing   = 2
        failures_before_critical = 4
      }
      check {
        type    = "script"
        command = "/bin/true"
        args    = ["-x"]
        check_restart {
          limit           = 5
          ignore_warnings = true
        }
      }
    }
    shutdown_delay = "3s"
    task "t" {
      driver       = "raw_exec"
      user         = "nobody"
      leader       = true
      kill_timeout = "9s"
      kill_signal  = "SIGHUP"
      config {
        command = "/bin/true"
        args    = ["a", 1, 2.5, true]
        inner {
          x = null
        }
      }
      env {
        A = "b"
      }
      resources {
        cpu        = 200
        memory     = 128
        memory_max = 256
        secrets    = 4
      }
      artifact {
        source      = "https://localhost/a.tar.gz"
        destination = "local/a"
        mode        = "dir"
        chown       = true
        insecure    = true
        options {
          archive = "tar.gz"
        }
        headers {
          X-Key = "k"
        }
      }
      template {
        data                 = "{{ env \"A\" }}"
        destination          = "local/a.conf"
        change_mode          = "script"
        splay                = "2s"
        perms                = "600"
        uid                  = 1000
        gid                  = 1001
        once                 = true
        left_delimiter       = "<<"
        right_delimiter      = ">>"
        error_on_missing_key = true
        change_script {
          command       = "/bin/true"
          args          = ["x"]
          timeout       = "7s"
          fail_on_error = true
        }
        wait {
          min = "2s"
        }
      }
      template {
        source        = "local/a/env.tpl"
        destination   = "secrets/env"
        env           = true
        change_mode   = "noop"
        change_signal = "sighup"
      }
      dispatch_payload {
        file = "input.json"
      }
      logs {
        max_files     = 3
        max_file_size = 4
        disabled      = false
      }
      restart {
        attempts = 7
        delay    = "1s"
      }
    }
    task "second" {
      driver = "raw_exec"
      lifecycle {
        hook    = "prestart"
        sidecar = true
      }
    }
  }
}
)";

}  // namespace

TEST_CASE("a job comes back from the API's JSON as it went") {
    for (const std::string& text :
         {std::string(kFull), job_with(""), job_with("", "", "type = \"batch\""),
          job_with("", "", "type = \"system\""), job_with("", "", "type = \"sysbatch\"")}) {
        const Job job = good(text);
        const std::string shown = job_to_api_json(job);
        const auto again = job_from_api_json(shown);
        REQUIRE_MESSAGE(again.ok(), shown);
        CHECK(*again == job);
        CHECK(job_to_api_json(*again) == shown);
        const auto wrapped = job_from_api_json("{\"Job\":" + shown + ", \"EnforceIndex\": false}");
        REQUIRE(wrapped.ok());
        CHECK(*wrapped == job);
    }
}

TEST_CASE("a job comes back from the wire as it went, config of the deepest kind included") {
    std::string deep = "1";
    for (std::size_t i = 1; i < kConfigNestingMax; ++i)
        deep = i % 2 == 0 ? "[" + deep + "]" : "[{ a = " + deep + " }]";
    for (const std::string& text :
         {std::string(kFull), job_with("config {\n b = [[[[[[[[[[[[[[{}]]]]]]]]]]]]]]\n}"),
          job_with("config {\n b = [[[[{c = [{d = [{e = [{f = 1}]}]}]}]]]]\n}")}) {
        const Job job = good(text);
        const auto again = decode<Job>(encode(job), "job",
                                       Limits{.fields = Fields::exact, .depth = kJobWireDepth});
        REQUIRE(again.ok());
        CHECK(*again == job);
    }
    CHECK(bad(job_with("config {\n b = " + deep + "\n}")).find("nested deeper than 16 levels") !=
          std::string::npos);
}

TEST_CASE("a job that no replica could read again is refused") {
    const std::string large(kJobWireBytesMax, 'x');
    const std::string hint = "; move large texts into files that the task reads\n";
    CHECK(bad(job_with("user = \"" + large + "\""))
              .starts_with("test.nomad:2:1: error: the job is too large to be kept: decode job: "));
    std::string many;
    for (int i = 0; i < 70'000; ++i) many += "1,";
    CHECK(bad(job_with("config {\n a = [" + many + "]\n}")).ends_with(hint));
}

TEST_CASE("the API's shape: names, nanoseconds, null for nothing") {
    const JobMeta meta{.status = "running",
                       .version = 3,
                       .stable = true,
                       .create_index = 10,
                       .modify_index = 12,
                       .job_modify_index = 11,
                       .submit_time = {1'700'000'000'000'000'000}};
    const auto value = value_from_json(job_to_api_json(good(kFull), &meta));
    REQUIRE(value.ok());
    const auto& job = std::get<Value::Map>(value->data);
    const auto at = [&](std::initializer_list<const char*> path) {
        const Value* here = &*value;
        for (const char* step : path) {
            if (const auto* list = std::get_if<Value::List>(&here->data))
                here = &list->at(std::stoul(step));
            else
                here = &std::get<Value::Map>(here->data).at(step);
        }
        return json(*here);
    };
    CHECK(at({"ID"}) == "\"full\"");
    CHECK(at({"Status"}) == "\"running\"");
    CHECK(at({"Version"}) == "3");
    CHECK(at({"Stable"}) == "true");
    CHECK(at({"Stop"}) == "false");
    CHECK(at({"CreateIndex"}) == "10");
    CHECK(at({"JobModifyIndex"}) == "11");
    CHECK(at({"SubmitTime"}) == "1700000000000000000");
    CHECK(at({"Periodic"}) == "null");
    CHECK(at({"Constraints"}) ==
          R"([{"LTarget":"${attr.kernel.name}","Operand":"=","RTarget":"linux"}])");
    CHECK(at({"Spreads", "0", "SpreadTarget"}) == R"([{"Percent":70,"Value":"dc1"}])");
    CHECK(at({"TaskGroups", "0", "EphemeralDisk"}) ==
          R"({"Migrate":true,"Replicas":2,"SizeMB":500,"Sticky":true})");
    CHECK(at({"TaskGroups", "0", "Networks", "0", "ReservedPorts", "0", "Value"}) == "8080");
    CHECK(at({"TaskGroups", "0", "Networks", "0", "DynamicPorts", "0", "Label"}) == "\"dynamic\"");
    CHECK(at({"TaskGroups", "0", "Networks", "0", "DynamicPorts", "0", "To"}) == "80");
    CHECK(at({"TaskGroups", "0", "Services", "0", "Checks", "0", "Timeout"}) == "1500000000");
    CHECK(at({"TaskGroups", "0", "Update", "Canary"}) == "1");
    CHECK(at({"TaskGroups", "0", "Tasks", "0", "KillTimeout"}) == "9000000000");
    CHECK(at({"TaskGroups", "0", "Tasks", "0", "RestartPolicy", "Attempts"}) == "7");
    CHECK(at({"TaskGroups", "0", "Tasks", "0", "Config", "args"}) == R"(["a",1,2.5,true])");
    CHECK(at({"TaskGroups", "0", "Tasks", "1", "Config"}) == "null");
    CHECK(at({"TaskGroups", "0", "Networks", "0", "DNS"}) ==
          R"({"Options":["ndots:2"],"Searches":["internal"],"Servers":["10.0.0.53"]})");
    CHECK(at({"TaskGroups", "0", "Services", "0", "Checks", "0", "Header"}) ==
          R"({"Accept":["a","b"]})");
    CHECK(at({"TaskGroups", "0", "Tasks", "0", "Artifacts", "0"}) ==
          R"({"Chown":true,"GetterHeaders":{"X-Key":"k"},"GetterInsecure":true,)"
          R"("GetterMode":"dir","GetterOptions":{"archive":"tar.gz"},)"
          R"("GetterSource":"https://localhost/a.tar.gz","RelativeDest":"local/a"})");
    CHECK(at({"TaskGroups", "0", "Tasks", "0", "Templates", "0", "ChangeScript"}) ==
          R"({"Args":["x"],"Command":"/bin/true","FailOnError":true,"Timeout":7000000000})");
    CHECK(at({"TaskGroups", "0", "Tasks", "0", "Templates", "0", "Wait"}) ==
          R"({"Max":8000000000,"Min":2000000000})");
    CHECK(at({"TaskGroups", "0", "Tasks", "0", "Templates", "1", "ChangeSignal"}) == "\"SIGHUP\"");
    CHECK(at({"TaskGroups", "0", "Tasks", "0", "Templates", "1", "Uid"}) == "null");
    CHECK(at({"TaskGroups", "0", "Tasks", "0", "DispatchPayload"}) == R"({"File":"input.json"})");
    CHECK(at({"TaskGroups", "0", "Tasks", "0", "Lifecycle"}) == "null");
    CHECK(at({"TaskGroups", "0", "Tasks", "1", "Lifecycle"}) ==
          R"({"Hook":"prestart","Sidecar":true})");
    CHECK(at({"TaskGroups", "0", "Tasks", "1", "Env"}) == "null");
    CHECK(at({"TaskGroups", "0", "Tasks", "1", "Resources", "MemoryMB"}) == "300");
    // Every name that Nomad 1.1.2 shows for a job is there.
    for (const char* name :
         {"Affinities",     "AllAtOnce",    "ConsulNamespace",   "ConsulToken", "Datacenters",
          "Dispatched",     "Meta",         "ModifyIndex",       "Multiregion", "Name",
          "Namespace",      "NomadTokenID", "ParameterizedJob",  "ParentID",    "Payload",
          "Priority",       "Region",       "StatusDescription", "Type",        "Update",
          "VaultNamespace", "VaultToken"}) {
        CAPTURE(name);
        CHECK(job.contains(name));
    }
}

TEST_CASE("JSON from Nomad: unknown fields are ignored, empty ones too, defaults filled in") {
    const auto job =
        job_from_api_json(R"({"Job": {"ID": "x", "Type": "", "Name": null, "Surprise": 1,
        "Periodic": null, "VaultToken": "t", "Namespace": "",
        "TaskGroups": [{"Name": "g", "Count": null, "Consul": {"Namespace": ""}, "Volumes": {},
            "EphemeralDisk": {"SizeMB": 150},
            "Tasks": [{"Name": "t", "Driver": "raw_exec", "KillSignal": "",
                       "KillTimeout": 7000000000,
                       "Templates": [{"EmbeddedTmpl": "x", "DestPath": "local/x", "Uid": -1,
                                      "ChangeMode": "", "VaultGrace": 5}],
                       "Lifecycle": {"Hook": "", "Sidecar": false}, "Identity": {"Name": "default"},
                       "Constraints": [{"Operand": "distinct_hosts"}]}]}]}})");
    REQUIRE_MESSAGE(job.ok(), job.error().detail);
    CHECK(job->name == "x");
    CHECK(job->type == JobType::service);
    CHECK(job->name_space == "default");
    CHECK(job->groups.at(0).count == 1);
    CHECK(job->groups[0].disk.size.value == 150);
    CHECK(job->groups[0].tasks.at(0).kill_timeout == 7s);
    CHECK(job->groups[0].tasks[0].kill_signal == "SIGINT");
    CHECK(job->groups[0].tasks[0].constraints.at(0).right == "true");
    CHECK(!job->groups[0].tasks[0].lifecycle);
    CHECK(job->groups[0].tasks[0].templates.at(0) ==
          Template{.data = "x", .destination = "local/x"});
}

TEST_CASE("bad JSON names every problem with its path") {
    const auto error = [](const std::string& text) {
        const auto job = job_from_api_json(text);
        return job.ok() ? std::string("none") : job.error().detail;
    };
    CHECK(error("").starts_with("read job: not JSON: "));
    CHECK(
        error("{\"ID\": \"x\"").starts_with("read job: not JSON: parse error at line 1, column "));
    CHECK(error("[]") == "read job from JSON: wanted an object, or one as `Job` in an object");
    CHECK(error("{\"Job\": 5}") ==
          "read job from JSON: wanted an object, or one as `Job` in an object");
    CHECK(error(R"({"ID": [], "Priority": "high", "Type": "servise",
                    "TaskGroups": [5, {
                        "Tasks": {}, "Networks": [{"DynamicPorts": [{"Value": "x"}]}]}]})") ==
          "read job from JSON: ID: wanted a string, found a list\n"
          "Type: unknown value \"servise\"; did you mean `service`?\n"
          "Priority: wanted a whole number, found \"high\"\n"
          "TaskGroups: wanted objects in the list, found a number\n"
          "TaskGroups[0].Networks[0].DynamicPorts[0].Value: wanted a whole number, found \"x\"\n"
          "TaskGroups[0].Tasks: wanted a list of objects, found an object");
    CHECK(error(R"({"Periodic": {"Enabled": true}})") ==
          "read job from JSON: Periodic: `periodic` is Nomad's, but this version of Gaggle does "
          "not run it yet");
    CHECK(error(std::string(100'000, '[')) == "read job: not JSON: nested deeper than 64 levels");
    CHECK(error(std::string(kJobSourceBytesMax + 1, ' ')).find("at most 1048576 are read") !=
          std::string::npos);
}

TEST_CASE("a job file may be the API's JSON") {
    const Job job = good("\n " + job_to_api_json(good(kFull)));
    CHECK(job == good(kFull));
    CHECK(bad("{\"ID\": \"a b\"}") ==
          "test.nomad: error: job.id: the job's id \"a b\" has a blank in it; use `-` or `_` "
          "instead\n"
          "test.nomad: error: job: the job has no group; add `group \"name\" { task ... }`\n");
}

TEST_CASE("a job that came over the wire is shown whatever its texts are") {
    Job job = good(job_with(""));
    job.name = "\xff\xfe";
    job.groups[0].tasks[0].kill_timeout = Duration::max();
    CHECK(job_to_api_json(job).find("\"Name\":\"\xef\xbf\xbd\xef\xbf\xbd\"") != std::string::npos);
}

}  // namespace gaggle
