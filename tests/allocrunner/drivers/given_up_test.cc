// A command inside a task that is given up: who is killed for it, and who is not.
#include <doctest/doctest.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <fstream>

#include "allocrunner/drivers/cgroups.h"
#include "allocrunner/drivers/engine_session.h"
#include "allocrunner/drivers/local_session.h"
#include "tests/allocrunner/drivers/fake_engine.h"
#include "tests/allocrunner/scratch.h"

namespace gaggle::allocrunner {

TEST_CASE("who has the id of a command by now is left alone") {
    const pid_t other = fork();
    if (other == 0) {
        setsid();
        for (;;) pause();
    }
    const ScratchDir scratch;
    const std::string file = scratch.path() + "/pid";
    std::ofstream(file) << other;
    SessionProcess process{.executable = "/bin/sleep",
                           .argv = {"sleep", "1000"},
                           .env = {},
                           .work_dir = {},
                           .network = {},
                           .account = {},
                           .terminal = {},
                           .group = {},
                           .pid_file = file,
                           .pid_group = "/gaggle/no-such-group"};
    CHECK(start_session(process).ok());  // given up at once
    int status = 0;
    CHECK(waitpid(other, &status, WNOHANG) == 0);
    if (const std::string dir =
            holding_dir(read_cgroups(), "/gaggle-test." + std::to_string(other));
        geteuid() == 0 && mkdir(dir.c_str(), 0755) == 0) {
        std::ofstream(dir + "/cgroup.procs") << other;
        process.pid_group = "/gaggle-test." + std::to_string(other);
        CHECK(start_session(process).ok());
        CHECK(eventually([&] { return waitpid(other, &status, WNOHANG) == other; }));
        CHECK(end_group(dir).ok());
        return;
    }
    kill(other, SIGKILL);
    waitpid(other, &status, 0);
}

TEST_CASE("a command's process is killed only if it is the container's") {
    FakeEngine engine;
    const std::string id(64, 'e');
    const pid_t other = fork();
    if (other == 0) {
        setsid();
        for (;;) pause();
    }
    engine.on("POST /exec/e1/start", [](int connection, const std::string&) {
        FakeEngine::say(connection, "HTTP/1.1 101 UPGRADED\r\nUpgrade: tcp\r\n\r\n");
    });
    engine.answer(
        "GET /exec/e1/json", 200,
        R"({"Running":true,"ContainerID":")" + id + R"(","Pid":)" + std::to_string(other) + "}");
    REQUIRE(start_engine_session(engine.socket(), "e1", false).ok());  // given up at once
    CHECK(engine.was_asked("GET /exec/e1/json"));
    int status = 0;
    CHECK(waitpid(other, &status, WNOHANG) == 0);
    if (const std::string dir = holding_dir(read_cgroups(), "/" + id);
        geteuid() == 0 && mkdir(dir.c_str(), 0755) == 0) {
        std::ofstream(dir + "/cgroup.procs") << other;
        REQUIRE(start_engine_session(engine.socket(), "e1", false).ok());
        CHECK(eventually([&] { return waitpid(other, &status, WNOHANG) == other; }));
        CHECK(end_group(dir).ok());
        return;
    }
    kill(other, SIGKILL);
    waitpid(other, &status, 0);
}

}  // namespace gaggle::allocrunner
