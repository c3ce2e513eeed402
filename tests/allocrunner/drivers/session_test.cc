// Commands inside running tasks, what tasks use, and what a killed supervisor leaves.
#include <doctest/doctest.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include <algorithm>
#include <chrono>
#include <functional>

#include "allocrunner/drivers/cgroups.h"
#include "allocrunner/drivers/spec_file.h"
#include "tests/allocrunner/drivers/stage.h"
#include "tests/allocrunner/needs.h"

namespace gaggle::allocrunner {

namespace {

std::string words(const ExecOutput& part) { return std::string(part.out.begin(), part.out.end()); }

/// All output until `ends` is in it or the command has ended.
std::string read_until(ExecSession& session, const std::string& ends) {
    std::string all;
    for (int round = 0; round < 400; ++round) {
        const auto part = session.read(50ms);
        REQUIRE(part.ok());
        all += words(*part);
        if (part->exit_code || all.find(ends) != std::string::npos) break;
    }
    return all;
}

ExecEnd run_inside(DriverStage& stage, std::vector<std::string> argv, Duration timeout = 20s) {
    auto session = stage.driver().exec(stage.started(), {.argv = std::move(argv)});
    INFO((session.ok() ? std::string() : session.error().detail));
    REQUIRE(session.ok());
    auto end = run_to_end(std::move(*session), timeout, 1'000);
    REQUIRE(end.ok());
    return *end;
}

const std::string kDrivers[] = {"raw_exec", "exec"};

/// A number of seconds to sleep that no other process of this machine sleeps.
std::string rare_number() {
    static int used = 0;
    return std::to_string(1'000'000'000 + getpid() * 100 + ++used);
}

/// Whether somebody sleeps so long, as the task sees it.
bool sleeps(DriverStage& stage, const std::string& number) {
    const std::string pattern = "[" + number.substr(0, 1) + "]" + number.substr(1);
    return run_inside(stage, {"sh", "-c", "pgrep -fc '" + pattern + "' || true"}).output != "0\n";
}

/// An agent that starts a command inside the task and is killed while that runs.
void start_inside_and_be_killed(DriverStage& stage, const std::vector<std::string>& argv,
                                const std::string& number) {
    const pid_t agent = fork();
    if (agent == 0) {
        stage.start_agent_again();  // not the one that this process goes on with
        const auto session = stage.driver().exec(stage.started(), {.argv = argv});
        for (;;) pause();
    }
    CHECK(eventually([&] { return sleeps(stage, number); }));
    kill(agent, SIGKILL);
    waitpid(agent, nullptr, 0);
}

/// Once for each driver that works here, with a task that sleeps.
void beside_each_task(const std::function<void(DriverStage&)>& body) {
    for (const std::string& driver : kDrivers) {
        CAPTURE(driver);
        DriverStage stage(driver);
        if (!stage.usable()) continue;
        stage.start({"/bin/sleep", "1000"});
        body(stage);
    }
}

}  // namespace

TEST_CASE("a command runs beside its task, with its environment, directory and user") {
    beside_each_task([&](DriverStage& stage) {
        const ExecEnd end = run_inside(stage, {"sh", "-c", "echo $COLOUR; id -un; exit 3"});
        CHECK(end.output ==
              std::string("green\n") + (stage.driver().has_own_root() ? "nobody\n" : "root\n"));
        CHECK(end.exit_code == 3);
        CHECK(run_inside(stage, {"sh", "-c", "echo bad >&2; kill -9 $$"}).exit_code == 137);
        const auto missing = stage.driver().exec(stage.started(), {.argv = {"no-such-thing"}});
        REQUIRE(!missing.ok());
        CHECK(missing.error().detail.find("find executable \"no-such-thing\"") !=
              std::string::npos);
    });
}

TEST_CASE("a command that takes too long is killed with all that it started, its task is not") {
    beside_each_task([&](DriverStage& stage) {
        const std::string number = rare_number();
        const ExecEnd end =
            run_inside(stage, {"sh", "-c", "sleep " + number + " & sleep " + number}, 300ms);
        CHECK(end.timed_out);
        CHECK(eventually([&] { return !sleeps(stage, number); }));
        CHECK(is_alive(stage.live().record.pid));
    });
}

TEST_CASE("a command has nothing of the agent's but its own input and output") {
    // As Asio's sockets are: open in every child that does not see to it.
    const int listening = socket(AF_INET, SOCK_STREAM, 0);
    REQUIRE(listening > STDERR_FILENO);
    beside_each_task([&](DriverStage& stage) {
        const std::string script = "for fd in /proc/$$/fd/*; do readlink $fd; done";
        const std::string open = run_inside(stage, {"sh", "-c", script}).output;
        CAPTURE(open);
        CHECK(open.find("socket") == std::string::npos);
        CHECK(std::count(open.begin(), open.end(), '\n') == 3);
    });
    close(listening);
}

TEST_CASE("a command does not outlive its agent, or the next agent ends it") {
    beside_each_task([&](DriverStage& stage) {
        const std::string number = rare_number();
        start_inside_and_be_killed(stage, {"sleep", number}, number);
        stage.start_agent_again();
        stage.driver().collect([&] { return std::vector<StartedTask>{stage.started()}; });
        CHECK(eventually([&] { return !sleeps(stage, number); }));
        for (const auto& entry : std::filesystem::directory_iterator(stage.dir() + "/driver/main"))
            CHECK_FALSE(entry.path().filename().string().starts_with("exec."));
    });
}

TEST_CASE("input goes in, and its end is told") {
    beside_each_task([&](DriverStage& stage) {
        auto session = stage.driver().exec(stage.started(), {.argv = {"cat"}});
        REQUIRE(session.ok());
        CHECK(*(*session)->write(as_bytes("hello\n")) == 6);
        CHECK(read_until(**session, "hello\n") == "hello\n");
        (*session)->close_input();
        const auto end = run_to_end(std::move(*session), 20s, 100);
        REQUIRE(end.ok());
        CHECK(end->exit_code == 0);
    });
}

TEST_CASE("a terminal is a terminal, and has the size that is asked for") {
    beside_each_task([&](DriverStage& stage) {
        // runc sets the size a moment after it has started the command.
        const std::string script =
            "test -t 0 || exit 9; while [ \"$(stty size)\" != '30 90' ]; do sleep 0.02; done; "
            "trap 'stty size; exit 4' WINCH; echo ready; while :; do sleep 0.02; done";
        const ExecRequest request{.argv = {"sh", "-c", script},
                                  .env = {{"TERM", "xterm"}},
                                  .terminal = TerminalSize{30, 90}};
        auto session = stage.driver().exec(stage.started(), request);
        REQUIRE(session.ok());
        CHECK(read_until(**session, "ready").find("ready") != std::string::npos);
        (*session)->resize({.rows = 40, .columns = 120});
        CHECK(read_until(**session, "40 120").find("40 120") != std::string::npos);
        std::optional<std::int64_t> code;
        CHECK(eventually([&] {
            const auto part = (*session)->read(50ms);
            code = part.ok() ? part->exit_code : std::nullopt;
            return code.has_value();
        }));
        CHECK(code == 4);
    });
}

TEST_CASE("what a task uses is measured with all its processes") {
    for (const std::string& driver : kDrivers) {
        CAPTURE(driver);
        DriverStage stage(driver);
        if (!stage.usable()) continue;
        stage.start({"/bin/sh", "-c", "sleep 1000 & while :; do :; done"});
        CHECK(eventually([&] {
            const auto usage = stage.driver().usage(stage.started());
            return usage.ok() && usage->processes == 2 && usage->used > 0 &&
                   usage->user_nanoseconds + usage->system_nanoseconds > 20'000'000;
        }));
        stage.stop();
        CHECK(eventually([&] { return !stage.driver().usage(stage.started()).ok(); }));
    }
}

TEST_CASE("a task whose supervisor is killed leaves nobody, also outside of its session") {
    DriverStage stage("raw_exec");
    const std::string number = rare_number();
    stage.start({"/bin/sh", "-c", "setsid sleep " + number + " & wait"});
    REQUIRE(eventually([&] { return sleeps(stage, number); }));
    kill(static_cast<pid_t>(stage.live().shim_pid), SIGKILL);
    SUBCASE("the next run") {
        waitpid(static_cast<pid_t>(stage.live().shim_pid), nullptr, 0);
        stage.start({"/bin/sleep", "1000"});
    }
    SUBCASE("the end of the allocation") {
        REQUIRE(stage.driver().clean_up(stage.started()).ok());
        CHECK(stage.leftovers().empty());
    }
    if (geteuid() == 0) CHECK(eventually([&] { return !sleeps(stage, number); }));
}

TEST_CASE("a kill reaches those who fork faster than they can be counted") {
    if (!is_root()) return;
    DriverStage stage("raw_exec");
    const std::string chain = stage.dir() + "/main/chain";
    std::ofstream(chain) << "#!/bin/sh\nsetsid \"$0\" $1 &\n";
    chmod(chain.c_str(), 0755);
    const std::string number = rare_number();
    stage.start({"/bin/sh", "-c", "./chain " + number + "; exec sleep 1000"});
    REQUIRE(eventually([&] { return sleeps(stage, number); }));
    REQUIRE(send_kill(stage.live().socket.get()).ok());
    CHECK(stage.wait_for_exit().signal == SIGKILL);
    for (int look = 0; look < 5; ++look) CHECK_FALSE(sleeps(stage, number));
}

TEST_CASE("what a command inside leaves behind ends with its task" *
          doctest::skip(geteuid() != 0)) {
    DriverStage stage("raw_exec");
    stage.start({"/bin/sleep", "1000"});
    const std::string number = rare_number();
    const std::string script = "setsid sleep " + number + " >/dev/null 2>&1 &";
    REQUIRE(run_inside(stage, {"sh", "-c", script}).exit_code == 0);
    REQUIRE(eventually([&] { return sleeps(stage, number); }));
    stage.stop();
    CHECK(eventually([&] { return !sleeps(stage, number); }));
    CHECK(stage.leftovers().empty());
}

TEST_CASE("a task's control group is found where it was made, whatever was mounted since" *
          doctest::skip(geteuid() != 0)) {
    const Cgroups cgroups = read_cgroups();
    const auto pids = cgroups.trees.find("pids");
    const bool both = !cgroups.unified.empty() && pids != cgroups.trees.end();
    if (!is_met(both, "cgroup2 beside the controller pids of version 1")) return;
    DriverStage stage("raw_exec");
    stage.start({"/bin/sleep", "1000"});
    REQUIRE(stage.leftovers().size() == 1);
    // As if version 2 had not been there when the task was started.
    const std::string name =
        stage.leftovers().front().substr(stage.leftovers().front().rfind('/') + 1);
    const std::string group = pids->second + "/gaggle/" + name;
    std::filesystem::create_directories(group);
    const std::string number = rare_number();
    const std::string script =
        "echo 0 > " + group + "/cgroup.procs; setsid sleep " + number + " >/dev/null 2>&1 &";
    REQUIRE(run_inside(stage, {"sh", "-c", script}).exit_code == 0);
    REQUIRE(eventually([&] { return sleeps(stage, number); }));
    stage.stop();
    CHECK(stage.leftovers().empty());
    CHECK(eventually([&] { return !sleeps(stage, number); }));
}

TEST_CASE("a task's control group goes with the groups that the task made inside of it" *
          doctest::skip(geteuid() != 0)) {
    DriverStage stage("raw_exec");
    stage.start({"/bin/sleep", "1000"});
    REQUIRE(stage.leftovers().size() == 1);
    const std::string inner = stage.leftovers().front() + "/inner";
    std::filesystem::create_directories(inner + "/most");
    const std::string number = rare_number();
    const std::string script =
        "echo 0 > " + inner + "/most/cgroup.procs; setsid sleep " + number + " >/dev/null 2>&1 &";
    REQUIRE(run_inside(stage, {"sh", "-c", script}).exit_code == 0);
    REQUIRE(eventually([&] { return sleeps(stage, number); }));
    kill(static_cast<pid_t>(stage.live().shim_pid), SIGKILL);
    waitpid(static_cast<pid_t>(stage.live().shim_pid), nullptr, 0);
    SUBCASE("the next run") {
        stage.start({"/bin/sleep", "1000"});
        CHECK_FALSE(std::filesystem::exists(inner));
    }
    SUBCASE("the end of the allocation") {
        REQUIRE(stage.driver().clean_up(stage.started()).ok());
        CHECK(stage.leftovers().empty());
    }
    CHECK(eventually([&] { return !sleeps(stage, number); }));
}

}  // namespace gaggle::allocrunner
