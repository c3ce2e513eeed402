// Tasks of driver exec by the real runc.
#include <doctest/doctest.h>
#include <signal.h>
#include <unistd.h>

#include <algorithm>

#include "allocrunner/drivers/cores.h"
#include "allocrunner/drivers/spec_file.h"
#include "tests/allocrunner/drivers/stage.h"

namespace gaggle::allocrunner {

TEST_CASE("a task of driver exec has its own root, processes and limits") {
    DriverStage stage("exec");
    if (!stage.usable()) return;
    std::ofstream(stage.dir() + "/main/local/mine") << "x";
    std::ofstream(stage.dir() + "/alloc/shared") << "y";
    stage.start({"/bin/sh", "-c",
                 "echo pid $$; cat /local/mine /alloc/shared; echo; ls /; id -un; "
                 "touch /usr/x /etc/x; echo z > /local/out; exit 7"});
    const shim::Record record = stage.wait_for_exit();
    CHECK(record.code == 7);
    CHECK(record.signal == 0);
    const std::string out = stage.log("stdout.0");
    CHECK(out.find("pid 1\nxy\n") == 0);
    CHECK(out.find("\nnobody\n") != std::string::npos);
    CHECK(out.find("root") == std::string::npos);  // the host's /root is not there
    CHECK(text_of(stage.dir() + "/main/local/out") == "z\n");
    CHECK(stage.log("stderr.0").find("Read-only file system") != std::string::npos);
    CHECK_FALSE(std::filesystem::exists("/usr/x"));
    CHECK(stage.leftovers().empty());
}

TEST_CASE("a task of driver exec runs as root only where the agent allows it") {
    for (const bool allowed : {false, true}) {
        CAPTURE(allowed);
        DriverSettings settings;
        settings.exec_root = allowed;
        DriverStage stage("exec", settings);
        if (!stage.usable()) return;
        for (const char* user : {"root", "0", "0:65534"}) {
            CAPTURE(user);
            stage.spec().user = user;
            if (allowed) {
                stage.start({"/usr/bin/id", "-u"});
                CHECK(stage.wait_for_exit().code == 0);
                continue;
            }
            const StartFailure failure = stage.failure({"/usr/bin/id", "-u"});
            CHECK(failure.error.find("--exec-root on") != std::string::npos);
            CHECK_FALSE(failure.may_pass);
        }
        if (allowed) CHECK(stage.log("stdout.0") == "0\n0\n0\n");
    }
}

TEST_CASE("a task of driver exec finds its program with its own eyes") {
    DriverStage stage("exec");
    if (!stage.usable()) return;
    std::filesystem::create_directories(stage.dir() + "/alloc/rel1/bin");
    std::filesystem::create_symlink("/alloc/rel1", stage.dir() + "/alloc/current");
    std::filesystem::create_symlink("../../alloc/current/bin/run", stage.dir() + "/main/local/run");
    std::filesystem::create_symlink("/local/circle", stage.dir() + "/main/local/circle");
    std::filesystem::create_symlink("/usr/bin/env", stage.dir() + "/main/local/env");
    std::ofstream(stage.dir() + "/alloc/rel1/bin/run") << "#!/bin/sh\necho it runs\n";
    chmod((stage.dir() + "/alloc/rel1/bin/run").c_str(), 0755);
    for (const char* command : {"/alloc/current/bin/run", "/local/run", "run"}) {
        CAPTURE(command);
        stage.start({command});
        CHECK(stage.wait_for_exit().code == 0);
    }
    CHECK(stage.log("stdout.0") == "it runs\nit runs\nit runs\n");
    stage.start({"/local/env", "true"});
    CHECK(stage.wait_for_exit().code == 0);
    // A link to what only the host has leads nowhere.
    std::filesystem::create_symlink(stage.dir() + "/alloc/rel1/bin/run",
                                    stage.dir() + "/main/local/host");
    for (const char* command : {"/local/circle", "/local/host", "/alloc/current/bin"}) {
        CAPTURE(command);
        const StartFailure failure = stage.failure({command});
        CHECK(failure.error.find("find executable") != std::string::npos);
        CHECK_FALSE(failure.may_pass);
    }
}

TEST_CASE("a task of driver exec that takes too much memory is killed, and that is said") {
    DriverStage stage("exec");
    if (!stage.usable()) return;
    stage.spec().resources.memory = MegaBytes{16};
    stage.start({"/bin/sh", "-c", "x=x; while :; do x=$x$x; done"});
    const shim::Record record = stage.wait_for_exit();
    CHECK((record.flags & shim::kOutOfMemory) != 0);
    CHECK((record.signal == SIGKILL || record.code != 0));
    CHECK(stage.leftovers().empty());
}

TEST_CASE("a container whose supervisor is killed is found by its name and removed") {
    DriverStage stage("exec");
    if (!stage.usable()) return;
    stage.start({"/bin/sleep", "1000"});
    const std::int64_t pid = stage.live().record.pid;
    CHECK_FALSE(stage.leftovers().empty());
    kill(static_cast<pid_t>(stage.live().shim_pid), SIGKILL);
    CHECK(is_alive(pid));
    REQUIRE(stage.driver().clean_up(stage.started()).ok());
    CHECK(eventually([&] { return !is_alive(pid); }));
    CHECK(stage.leftovers().empty());
    CHECK(stage.driver().clean_up(stage.started()).ok());  // twice does no harm
}

TEST_CASE("a runc that is missing, fails, hangs or dies is told from a task that fails") {
    struct Row {
        const char* runc;  ///< a script in its place
        const char* says;
        bool may_pass;
    };
    for (const auto& row : {
             Row{"exit 3", "runc create: exit code 3", true},
             Row{"test $3 = --log && echo '{\"msg\":\"cgroup is full\"}' > \"$4\"; exit 1",
                 "runc create: cgroup is full", true},
             Row{"test $3 = --log && echo '{\"msg\":\"exec: x: not found\"}' > \"$4\"; exit 1",
                 "runc create: exec: x: not found", false},
             Row{"test $3 = --log && echo '{\"msg\":\"open /proc/7/ns/net: no such file or "
                 "directory\"}' "
                 "> \"$4\"; exit 1",
                 "runc create: open /proc/7/ns/net: no such file or directory", true},
             Row{"kill -9 $$", "runc create: Interrupted system call", true},
             Row{"exit 0", "runc create: Protocol error", true},
             Row{"exec sleep 1000", "runc create: Connection timed out; it hangs, and was given up",
                 true},
         }) {
        CAPTURE(row.runc);
        DriverStage stage("exec");
        if (!stage.usable()) return;
        stage.replace_runc(row.runc);
        stage.patience_ms = 300;
        const StartFailure failure = stage.failure({"/bin/true"});
        CAPTURE(failure.error);
        CHECK(failure.error.find(row.says) != std::string::npos);
        CHECK(failure.may_pass == row.may_pass);
    }
    DriverStage stage("exec");
    stage.replace_runc(nullptr);
    CHECK_FALSE(stage.driver().fingerprint().detected);
}

TEST_CASE("a container that cannot be removed keeps its processors") {
    DriverStage stage("exec");
    if (!stage.usable()) return;
    stage.spec().resources.cores = 1;
    stage.start({"/bin/sleep", "1000"});
    stage.replace_runc("exit 1");
    CHECK_FALSE(stage.driver().clean_up(stage.started()).ok());
    CHECK(cpu_pool(stage.root())->reserved);
    stage.replace_runc("PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin exec runc \"$@\"");
    stage.stop();
    CHECK_FALSE(cpu_pool(stage.root())->reserved);
    CHECK(stage.leftovers().empty());
}

}  // namespace gaggle::allocrunner
