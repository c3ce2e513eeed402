#include "allocrunner/drivers/shim/container_posix.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstring>

namespace gaggle::allocrunner::shim {

namespace {

constexpr int kExecFailed = 127;
char path_variable[] = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
char* const kProgramEnvironment[] = {path_variable, nullptr};

/// Exit code of the program (0: it did what it should), or -errno: it could not be run, or it was
/// killed because it did not end in time.
int run_program(const StartHeader& header, char** argv, int out, int err) {
    const pid_t pid = fork();
    if (pid < 0) return -errno;
    if (pid == 0) {
        setsid();
        if (be_ordinary(header, out, err)) execve(argv[0], argv, kProgramEnvironment);
        _exit(kExecFailed);
    }
    const int ended = static_cast<int>(syscall(SYS_pidfd_open, pid, 0));
    pollfd wait{ended, POLLIN, 0};
    int ready = 0;
    do ready = poll(&wait, 1, static_cast<int>(header.patience_ms));
    while (ready < 0 && errno == EINTR);
    if (ended >= 0) close(ended);
    if (ready <= 0) {
        kill(-pid, SIGKILL);
        kill(pid, SIGKILL);
    }
    int status = 0;
    while (waitpid(pid, &status, 0) < 0 && errno == EINTR) continue;
    if (ready <= 0) return -ETIMEDOUT;
    return WIFEXITED(status) ? WEXITSTATUS(status) : -EINTR;
}

long read_small(const char* path, char* to, std::size_t size) {
    const int fd = open(path, O_RDONLY | O_CLOEXEC);
    const ssize_t got = fd < 0 ? -1 : read(fd, to, size - 1);
    if (fd >= 0) close(fd);
    to[got > 0 ? got : 0] = '\0';
    return got;
}

pid_t pid_in(const char* path) {
    char digits[32];
    return read_small(path, digits, sizeof digits) > 0 ? static_cast<pid_t>(atoi(digits)) : -1;
}

}  // namespace

pid_t create_container(const Start& start, int& out_pipe, int& err_pipe, NotStarted& why) {
    Pipes pipes;
    if (!pipes.open((start.header.flags & kNoLogs) == 0)) {
        why = {errno, static_cast<std::uint32_t>(Step::pipe)};
        return -1;
    }
    unlink(start.pid_file);
    const int made = run_program(start.header, start.argv, pipes.out[1], pipes.err[1]);
    pipes.close_its_ends();
    const pid_t pid = made == 0 ? pid_in(start.pid_file) : -1;
    if (pid <= 1) {
        why = {made == 0 ? -EPROTO : made, static_cast<std::uint32_t>(Step::create)};
        remove_container(start);
        return -1;
    }
    out_pipe = pipes.out[0];
    err_pipe = pipes.err[0];
    return pid;
}

bool begin_container(const Start& start, NotStarted& why) {
    const int begun = run_program(start.header, start.start_argv, -1, -1);
    if (begun != 0) why = {begun, static_cast<std::uint32_t>(Step::begin)};
    return begun == 0;
}

void remove_container(const Start& start) { run_program(start.header, start.remove_argv, -1, -1); }

bool ran_out_of_memory(const Start& start) {
    char text[1024];
    if (start.oom_file[0] == '\0' || read_small(start.oom_file, text, sizeof text) <= 0)
        return false;
    const char* const line = strstr(text, "oom_kill ");
    return line != nullptr && atoi(line + sizeof "oom_kill " - 1) > 0;
}

}  // namespace gaggle::allocrunner::shim
