#include <doctest/doctest.h>

#include "allocrunner/drivers/drivers.h"
#include "allocrunner/drivers/find_executable.h"
#include "tests/allocrunner/scratch.h"

namespace gaggle::allocrunner {

namespace {

Value text(const char* value) { return Value{std::string(value)}; }

TaskContext context() {
    TaskContext context;
    context.task = "main";
    context.task_dir = "/alloc/x/main";
    context.env = {{"PATH", "/usr/bin:/bin"}, {"AWS_PROFILE", "secret"}};
    context.logs = {.files_max = 2, .file_size = MegaBytes{3}};
    return context;
}

}  // namespace

TEST_CASE("a config becomes a process") {
    const Value::Map config{{"command", text("env")},
                            {"args", Value{Value::List{text("-i"), text("")}}},
                            {"denied_envvars", Value{Value::List{text("AWS_PROFILE")}}},
                            {"oom_score_adj", Value{std::int64_t{500}}}};
    const auto spec = known_driver("raw_exec")->spec(config, context());
    REQUIRE(spec.ok());
    CHECK(spec->argv == std::vector<std::string>{"env", "-i", ""});
    CHECK(spec->env == std::map<std::string, std::string>{{"PATH", "/usr/bin:/bin"}});
    CHECK(spec->work_dir == "/alloc/x/main");
    CHECK(spec->oom_score_adj == 500);
    CHECK(spec->logs == LogSpec{.files_max = 2, .file_bytes = 3 << 20});
}

TEST_CASE("a wrong config is refused with the option's name and an example") {
    struct Row {
        Value::Map config;
        const char* says;
    };
    const Value list{Value::List{Value{true}}};
    for (const auto& row : {
             Row{{}, "option command must be a string that is not empty"},
             Row{{{"command", text("")}}, "option command must be a string that is not empty"},
             Row{{{"command", list}}, "option command must be a string that is not empty"},
             Row{{{"command", text("a")}, {"args", text("b")}},
                 "option args must be a list of strings"},
             Row{{{"command", text("a")}, {"args", list}}, "option args must be a list of strings"},
             Row{{{"command", text("a")}, {"work_dir", list}}, "option work_dir must be a string"},
             Row{{{"command", text("a")}, {"oom_score_adj", Value{std::int64_t{1001}}}},
                 "option oom_score_adj must be a whole number from -1000 to 1000"},
             Row{{{"command", text("a")}, {"image", text("redis")}}, "unknown option image"},
             Row{{{"command", text("a")}, {"work_dir", text("srv")}},
                 "option work_dir must be an absolute path"},
         }) {
        CAPTURE(row.says);
        const auto judged = known_driver("raw_exec")->spec(row.config, context());
        REQUIRE(!judged.ok());
        CHECK(judged.error().code == Errc::invalid);
        CHECK(judged.error().detail.find(row.says) != std::string::npos);
    }
}

TEST_CASE("an executable is found as Nomad finds it: local, task directory, PATH") {
    const ScratchDir scratch;
    const std::string task_dir = scratch.path();
    const auto put = [&](const std::string& path, mode_t mode) {
        std::filesystem::create_directories(std::filesystem::path(path).parent_path());
        std::ofstream(path) << "#!/bin/sh\n";
        chmod(path.c_str(), mode);
    };
    const auto found = [&](const char* command) {
        const auto path = find_executable({.command = command,
                                           .folders = {task_dir + "/local", task_dir},
                                           .path = "/nowhere:" + task_dir + "/bin",
                                           .on_host = {}});
        return path.ok() ? *path : path.error().detail;
    };
    const auto refused = [&](const char* command, const std::string& why) {
        return found(command).starts_with("find executable \"" + std::string(command) +
                                          "\": " + why);
    };
    put(task_dir + "/bin/tool", 0755);
    CHECK(found("tool") == task_dir + "/bin/tool");
    put(task_dir + "/tool", 0755);
    CHECK(found("tool") == task_dir + "/tool");
    put(task_dir + "/local/tool", 0755);
    CHECK(found("tool") == task_dir + "/local/tool");
    CHECK(found("local/tool") == task_dir + "/local/tool");
    CHECK(found("bin/tool") == task_dir + "/bin/tool");
    put(task_dir + "/local/plain", 0644);
    const std::string plain = task_dir + "/local/plain";
    CHECK(refused("plain", "there is " + plain + ", but it is not executable; give it a mode"));
    put(task_dir + "/bin/plain", 0755);  // further on, as a shell would find it
    CHECK(found("plain") == task_dir + "/bin/plain");
    CHECK(refused(plain.c_str(), "it is not executable; give it a mode"));
    CHECK(refused("local", "there is " + task_dir + "/local, but it is no file"));
    CHECK(refused("nothing", "it is neither in the task's directory nor along its PATH /nowhere:"));
    CHECK(found("/bin/sh") == "/bin/sh");
    CHECK(refused("/bin", "it is no file"));
    CHECK(refused("/bin/no-such-thing", "No such file or directory; install it on this peer"));
}

}  // namespace gaggle::allocrunner
