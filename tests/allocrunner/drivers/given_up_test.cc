// A command inside a task that is given up: who is killed for it, and who is not.
#include <doctest/doctest.h>
#include <poll.h>
#include <signal.h>
#include <sys/socket.h>
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

namespace {

/// A process that leads a session of its own and gives back what it is sent.
class Bystander {
  public:
    Bystander() {
        REQUIRE(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends_) == 0);
        pid_ = fork();
        if (pid_ != 0) return;
        setsid();
        close(ends_[0]);
        for (char byte = 0; read(ends_[1], &byte, 1) == 1;)
            if (write(ends_[1], &byte, 1) != 1) break;
        _exit(0);
    }
    ~Bystander() {
        kill(pid_, SIGKILL);
        waitpid(pid_, nullptr, 0);
        for (const int fd : ends_) close(fd);
    }
    Bystander(const Bystander&) = delete;
    Bystander& operator=(const Bystander&) = delete;

    pid_t pid() const { return pid_; }
    /// Who was killed a moment ago does not, though he may not be gone yet.
    bool answers() {
        char byte = 'x';
        pollfd wait{ends_[0], POLLIN, 0};
        return send(ends_[0], &byte, 1, MSG_NOSIGNAL) == 1 && poll(&wait, 1, 1'000) == 1 &&
               read(ends_[0], &byte, 1) == 1;
    }

  private:
    int ends_[2] = {-1, -1};
    pid_t pid_ = 0;
};

/// A control group with this process in it; false where we may not make one.
bool put_into_group(const std::string& dir, pid_t pid) {
    if (geteuid() != 0 || mkdir(dir.c_str(), 0755) != 0) {
        MESSAGE("not run: the rest needs root and control groups");
        return false;
    }
    std::ofstream(dir + "/cgroup.procs") << pid;
    return true;
}

}  // namespace

TEST_CASE("who has the id of a command by now is left alone") {
    Bystander other;
    const ScratchDir scratch;
    const std::string file = scratch.path() + "/pid";
    std::ofstream(file) << other.pid();
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
    CHECK(other.answers());
    process.pid_group = "/gaggle-test." + std::to_string(other.pid());
    const std::string dir = holding_dir(read_cgroups(), process.pid_group);
    if (!put_into_group(dir, other.pid())) return;
    CHECK(start_session(process).ok());
    CHECK_FALSE(other.answers());
    CHECK(end_group(dir).ok());
}

TEST_CASE("a command's process is killed only if it is the container's") {
    FakeEngine engine;
    const std::string id(64, 'e');
    Bystander other;
    engine.on("POST /exec/e1/start", [](int connection, const std::string&) {
        FakeEngine::say(connection, "HTTP/1.1 101 UPGRADED\r\nUpgrade: tcp\r\n\r\n");
    });
    engine.answer("GET /exec/e1/json", 200,
                  R"({"Running":true,"ContainerID":")" + id + R"(","Pid":)" +
                      std::to_string(other.pid()) + "}");
    REQUIRE(start_engine_session(engine.socket(), "e1", false).ok());  // given up at once
    CHECK(engine.was_asked("GET /exec/e1/json"));
    CHECK(other.answers());
    const std::string dir = holding_dir(read_cgroups(), "/" + id);
    if (!put_into_group(dir, other.pid())) return;
    REQUIRE(start_engine_session(engine.socket(), "e1", false).ok());
    CHECK_FALSE(other.answers());
    CHECK(end_group(dir).ok());
}

}  // namespace gaggle::allocrunner
