#include <doctest/doctest.h>

#include "allocrunner/drivers/capabilities.h"
#include "allocrunner/drivers/container_name.h"
#include "allocrunner/drivers/drivers.h"
#include "allocrunner/drivers/oci_bundle.h"
#include "allocrunner/drivers/spec_file.h"
#include "base/rng.h"
#include "placement/jobspec/value_json.h"
#include "tests/allocrunner/scratch.h"
#include "tests/golden.h"

namespace gaggle::allocrunner {

namespace {

Value text(const std::string& value) { return Value{value}; }

/// `exec user=postgres cap_add=net_raw ...`: the config.json of such a task.
std::string bundle(const golden::Directive& asked) {
    Value::Map config{{"command", text("env")}, {"args", Value{Value::List{text("-0")}}}};
    for (const char* option : {"pid_mode", "ipc_mode", "work_dir"})
        if (asked.has(option)) config[option] = text(asked.get(option));
    for (const char* option : {"cap_add", "cap_drop"})
        if (asked.has(option)) config[option] = Value{Value::List{text(asked.get(option))}};
    TaskContext context{.task = "main", .task_dir = "/data/alloc/1/main"};
    context.user = asked.get("user");
    context.env = {{"PATH", "/usr/bin:/bin"}};
    context.resources.cpu = MegaHertz{asked.number("cpu", 100)};
    context.resources.memory = MegaBytes{asked.number("memory", 64)};
    context.resources.memory_max = MegaBytes{asked.number("memory_max", 0)};
    if (asked.has("network"))
        context.network = {.netns = "/run/netns/1",
                           .hostname = "web",
                           .resolv_file = "/data/alloc/1/network/resolv.conf",
                           .hosts_file = "/data/alloc/1/network/hosts",
                           .hostname_file = ""};
    const auto spec = known_driver("exec")->spec(config, context);
    if (!spec) return spec.error().detail;
    const auto allowed = capabilities_of(
        asked.has("cap_add") ? std::vector{asked.get("cap_add")} : std::vector<std::string>{},
        asked.has("cap_drop") ? std::vector{asked.get("cap_drop")} : std::vector<std::string>{},
        {"net_raw"});
    if (!allowed) return allowed.error().detail;
    BundleFacts facts{.executable = "/usr/bin/env",
                      .alloc_dir = "/data/alloc/1",
                      .host_dirs = {"/bin", "/usr"},
                      .account = {.uid = 65534, .gid = 65534, .groups = {65534}},
                      .superuser = false,
                      .capabilities = *allowed,
                      .ambient = {},
                      .cgroup = "/gaggle/main-1",
                      .cpus = asked.get("cpus"),
                      .cgroup_v2 = asked.has("v2")};
    if (spec->user == "root") {
        facts.account = {.uid = 0, .gid = 0, .groups = {0}};
        facts.superuser = true;
    }
    if (asked.has("cap_add")) facts.ambient = *named_capabilities({asked.get("cap_add")});
    const Value whole = oci_config(*spec, facts);
    if (!asked.has("show")) return value_to_json(whole, JsonLayout::indented);
    const Value* part = &whole;
    std::istringstream path(asked.get("show"));
    for (std::string key; std::getline(path, key, '.');)
        part = &std::get<Value::Map>(part->data).at(key);
    return value_to_json(*part);
}

}  // namespace

TEST_CASE("a task of driver exec becomes an OCI bundle") {
    golden::run_folder("bundle", [] { return golden::Handler(bundle); });
}

TEST_CASE("a wrong config of driver exec is refused with what would be right") {
    struct Row {
        Value::Map config;
        const char* says;
    };
    for (const auto& row :
         {Row{{}, "option command must be a string that is not empty"},
          Row{{{"command", text("a")}, {"pid_mode", text("shared")}},
              "option pid_mode must be \"private\" or \"host\""},
          Row{{{"command", text("a")}, {"work_dir", text("local")}},
              "option work_dir must be an absolute path"},
          Row{{{"command", text("a")}, {"cap_add", Value{Value::List{text("fly")}}}},
              "\"fly\" is no capability of Linux"},
          Row{{{"command", text("a")}, {"image", text("redis")}}, "unknown option image"}}) {
        CAPTURE(row.says);
        const auto spec = known_driver("exec")->spec(row.config, {});
        REQUIRE(!spec.ok());
        CHECK(spec.error().code == Errc::invalid);
        CHECK(spec.error().detail.find(row.says) != std::string::npos);
    }
}

TEST_CASE("capabilities begin with a short list; more must be allowed") {
    const auto of = [](const char* add, const char* drop, std::vector<std::string> allowed) {
        std::vector<std::string> added;
        std::vector<std::string> dropped;
        if (*add != '\0') added.emplace_back(add);
        if (*drop != '\0') dropped.emplace_back(drop);
        return capabilities_of(added, dropped, allowed);
    };
    CHECK(*of("", "", {}) == default_capabilities());
    CHECK(of("", "", {})->count("CAP_NET_RAW") == 0);
    CHECK(of("", "all", {})->empty());
    CHECK(*of("chown", "all", {}) == Capabilities{"CAP_CHOWN"});
    CHECK(of("net_raw", "", {}).error().code == Errc::denied);
    CHECK(of("CAP_NET_RAW", "", {"net_raw"})->count("CAP_NET_RAW") == 1);
    CHECK(of("sys_admin", "", {"all"})->count("CAP_SYS_ADMIN") == 1);
    CHECK(of("all", "", {"net_raw"}).error().code == Errc::denied);
    CHECK(of("", "fly", {}).error().code == Errc::invalid);
}

TEST_CASE("a command inside has a terminal of the asked size from its first moment") {
    TaskSpec spec;
    const auto process = [&](const std::optional<TerminalSize>& terminal) {
        return value_to_json(oci_process(spec, {}, {"sh"}, {}, terminal));
    };
    const std::string shown = process(TerminalSize{.rows = 30, .columns = 100});
    CHECK(shown.find(R"("consoleSize":{"height":30,"width":100})") != std::string::npos);
    CHECK(shown.find(R"("terminal":true)") != std::string::npos);
    CHECK(process({}).find("consoleSize") == std::string::npos);
}

TEST_CASE("a container is named after its task, whatever the task is called") {
    const auto name = [](const char* task) {
        return container_name({.alloc = "1-2", .alloc_dir = "", .task = task});
    };
    CHECK(name("web") == "web-1-2");
    CHECK(name("web.v1_x-y") == "web.v1_x-y-1-2");
    CHECK(name("-web") != "-web-1-2");
    CHECK(name("wéb").starts_with("x"));
    CHECK(name("wéb") != name("wèb"));
}

TEST_CASE("a spec lies beside its task, and damage is noticed") {
    const ScratchDir scratch;
    const TaskLocation at{.alloc = "1", .alloc_dir = scratch.path(), .task = "main"};
    CHECK(find_started(at).error().code == Errc::not_found);
    TaskSpec spec;
    spec.driver = "exec";
    spec.argv = {"/bin/sh"};
    spec.config = {{"args", Value{Value::List{text("x")}}}};
    spec.network.netns = "/run/netns/1";
    REQUIRE(save_spec(at, spec).ok());
    CHECK(find_started(at)->spec == spec);
    const std::string path = driver_dir(at) + "/spec";
    struct stat about {};
    REQUIRE(stat(path.c_str(), &about) == 0);
    CHECK((about.st_mode & 0777) == 0600);
    Rng rng(7);
    const std::string whole = text_of(path);
    for (int round = 0; round < 300; ++round) {
        std::string bytes = whole;
        bytes[rng.below(bytes.size())] ^= static_cast<char>(1 + rng.below(255));
        bytes.resize(bytes.size() - rng.below(3));
        std::ofstream(path, std::ios::binary) << bytes;
        (void)find_started(at).ok();  // either, but it comes back
    }
    std::filesystem::resize_file(path, 3);
    CHECK(!find_started(at).ok());
    const auto damaged = all_started("1", scratch.path());
    REQUIRE(damaged.ok());
    REQUIRE(damaged->size() == 1);
    CHECK(damaged->front().spec.driver.empty());
    CHECK(all_started("1", scratch.path() + "/none")->empty());
    std::filesystem::remove(path);
    std::filesystem::create_directory(path);  // which opens, but cannot be read
    REQUIRE(!all_started("1", scratch.path()).ok());
    CHECK(all_started("1", scratch.path()).error().code == Errc::io);
}

}  // namespace gaggle::allocrunner
