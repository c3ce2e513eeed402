#include "allocrunner/task_env.h"

#include <doctest/doctest.h>

#include "allocrunner/interpolate.h"
#include "base/rng.h"

namespace gaggle::allocrunner {

namespace {

Host host() {
    Host host;
    host.id = "11111111-2222-4333-8444-555555555555";
    host.name = "shop-7";
    host.datacenter = "berlin";
    host.ip = "10.0.0.7";
    host.alloc_root = "/var/lib/gaggle/alloc";
    host.attributes = {{"kernel.name", "linux"}};
    host.meta = {{"rack", "r2"}};
    host.environment = {{"PATH", "/usr/bin:/bin"}, {"NOMAD_DC", "not from the agent"}};
    return host;
}

Order order() {
    Order order;
    order.alloc = *parse_id<AllocId>("0a1b2c3d-0000-4000-8000-000000000001");
    order.name = "redis.db[2]";
    order.job = {.id = "redis", .name = "redis", .name_space = "prod", .region = "eu", .meta = {}};
    order.job.meta = {{"owner", "job"}, {"tier", "job"}};
    order.group.name = "db";
    order.group.meta = {{"tier", "group"}, {"gaggle.replicas", "2"}};
    order.index = 2;
    order.generation = Generation{77};
    order.ports = {{"db", 23456, 0}, {"web-ui", 8080, 80}};
    return order;
}

Task task() {
    Task task;
    task.name = "server";
    task.meta = {{"owner", "task"}};
    task.resources.cpu = MegaHertz{250};
    task.resources.memory = MegaBytes{64};
    task.env = {{"LISTEN", "${NOMAD_ADDR_db}"}, {"PATH", "/opt/bin"}};
    return task;
}

Environment environment() {
    const TaskDirs dirs = task_dirs(host(), order().alloc, task().name);
    return task_environment(host(), order(), task(), dirs, {});
}

}  // namespace

TEST_CASE("a task finds Nomad's variables") {
    const std::string root = "/var/lib/gaggle/alloc/0a1b2c3d-0000-4000-8000-000000000001";
    const std::map<std::string, std::string> rows{
        {"NOMAD_ALLOC_ID", "0a1b2c3d-0000-4000-8000-000000000001"},
        {"NOMAD_SHORT_ALLOC_ID", "0a1b2c3d"},
        {"NOMAD_ALLOC_NAME", "redis.db[2]"},
        {"NOMAD_ALLOC_INDEX", "2"},
        {"NOMAD_TASK_NAME", "server"},
        {"NOMAD_GROUP_NAME", "db"},
        {"NOMAD_JOB_ID", "redis"},
        {"NOMAD_NAMESPACE", "prod"},
        {"NOMAD_REGION", "eu"},
        {"NOMAD_ALLOC_DIR", root + "/alloc"},
        {"NOMAD_TASK_DIR", root + "/server/local"},
        {"NOMAD_SECRETS_DIR", root + "/server/secrets"},
        {"NOMAD_CPU_LIMIT", "250"},
        {"NOMAD_MEMORY_LIMIT", "64"},
        {"NOMAD_PORT_db", "23456"},
        {"NOMAD_HOST_PORT_db", "23456"},
        {"NOMAD_IP_db", "10.0.0.7"},
        {"NOMAD_ADDR_db", "10.0.0.7:23456"},
        {"NOMAD_PORT_web_ui", "80"},
        {"NOMAD_HOST_PORT_web_ui", "8080"},
        {"NOMAD_ADDR_web_ui", "10.0.0.7:8080"},
        {"NOMAD_META_owner", "task"},
        {"NOMAD_META_OWNER", "task"},
        {"NOMAD_META_tier", "group"},
        {"NOMAD_META_gaggle.replicas", "2"},
        {"GAGGLE_GENERATION", "77"},
    };
    const Environment env = environment();
    for (const auto& [name, value] : rows) {
        CAPTURE(name);
        REQUIRE(env.count(name) == 1);
        CHECK(env.at(name) == value);
    }
    CHECK(env.count("NOMAD_MEMORY_MAX_LIMIT") == 0);
}

TEST_CASE("the limit of a task with cores is their part of the machine") {
    Host machine = host();
    Task whole = task();
    whole.resources.cpu = MegaHertz{0};
    whole.resources.cores = 2;
    const auto limit = [&](const Task& one) {
        return task_environment(machine, order(), one, {}, {}).at("NOMAD_CPU_LIMIT");
    };
    CHECK(limit(whole) == "0");  // nothing is known of the machine
    machine.cpu = MegaHertz{10'001};
    machine.cores = 4;
    CHECK(limit(whole) == "5000");
    CHECK(limit(task()) == "250");
}

TEST_CASE("later sources win: built-ins over the agent's environment, the task's env over all") {
    const Environment env = environment();
    CHECK(env.at("NOMAD_DC") == "berlin");
    CHECK(env.at("PATH") == "/opt/bin");
    CHECK(env.at("LISTEN") == "10.0.0.7:23456");
}

TEST_CASE("an IPv6 address is bracketed where a port follows, and only there") {
    Host v6 = host();
    v6.ip = "fd00::7";
    const Environment env =
        task_environment(v6, order(), task(), task_dirs(v6, order().alloc, "server"), {});
    CHECK(env.at("NOMAD_IP_db") == "fd00::7");
    CHECK(env.at("NOMAD_ADDR_db") == "[fd00::7]:23456");
}

TEST_CASE("known names are filled in, unknown ones stay") {
    const Names names = interpolation_names(host(), environment());
    struct Row {
        const char* text;
        const char* result;
    };
    for (const auto& row : {
             Row{"", ""},
             Row{"plain $HOME {x}", "plain $HOME {x}"},
             Row{"${NOMAD_PORT_db}", "23456"},
             Row{"${ NOMAD_PORT_db }", "23456"},
             Row{"--bind ${NOMAD_IP_db}:${NOMAD_PORT_db}.", "--bind 10.0.0.7:23456."},
             Row{"${attr.kernel.name}/${meta.rack}/${node.datacenter}", "linux/r2/berlin"},
             Row{"${node.unique.name} ${node.region}", "shop-7 eu"},
             Row{"${env[\"PATH\"]} ${env.PATH}", "/opt/bin /opt/bin"},
             Row{"${meta[\"rack\"]}", "r2"},
             Row{"${nobody.knows} ${meta.rack}", "${nobody.knows} r2"},
             Row{"$${NOMAD_PORT_db}", "${NOMAD_PORT_db}"},
             Row{"open ${NOMAD_PORT_db", "open ${NOMAD_PORT_db"},
             Row{"${}", "${}"},
         }) {
        CAPTURE(row.text);
        CHECK(interpolate(row.text, names) == row.result);
    }
}

TEST_CASE("interpolation reaches every string of a value and nothing else") {
    const Names names{{"a", "1"}};
    const Value before{Value::Map{{"${a}", Value{Value::List{Value{"x${a}"}, Value{true}}}}}};
    const Value after{Value::Map{{"${a}", Value{Value::List{Value{"x1"}, Value{true}}}}}};
    CHECK(interpolate(before, names) == after);
}

TEST_CASE("text without end, or made of dollars and braces, is harmless") {
    Rng rng(5);
    const std::string_view alphabet = "$${}[]\"a.";
    for (int round = 0; round < 20'000; ++round) {
        std::string text;
        for (std::uint64_t left = rng.below(24); left > 0; --left)
            text += alphabet[rng.below(alphabet.size())];
        CHECK(interpolate(text, {{"a", "b"}}).size() <= text.size());
    }
}

}  // namespace gaggle::allocrunner
