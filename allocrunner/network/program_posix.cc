#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstring>

#include "allocrunner/network/program.h"
#include "base/unique_fd.h"

namespace gaggle::allocrunner {

namespace {

using Clock = std::chrono::steady_clock;

Error failure(const std::string& what, int error = errno) {
    return {Errc::io, what + ": " + std::strerror(error)};
}

struct Pipe {
    UniqueFd read;
    UniqueFd write;
};

Result<Pipe> make_pipe() {
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) != 0) return failure("make a pipe");
    fcntl(ends[0], F_SETFL, O_NONBLOCK);
    return Pipe{UniqueFd(ends[0]), UniqueFd(ends[1])};
}

/// A file in memory, so that a program which does not read its input blocks nobody.
Result<UniqueFd> input_file(const std::string& text) {
    UniqueFd fd(memfd_create("input", MFD_CLOEXEC));
    if (!fd) return failure("make a file in memory");
    for (std::size_t done = 0; done < text.size();) {
        const ssize_t part = write(fd.get(), text.data() + done, text.size() - done);
        if (part < 0 && errno != EINTR) return failure("write a file in memory");
        if (part > 0) done += static_cast<std::size_t>(part);
    }
    lseek(fd.get(), 0, SEEK_SET);
    return fd;
}

std::vector<char*> pointers(std::vector<std::string>& texts) {
    std::vector<char*> out;
    for (std::string& text : texts) out.push_back(text.data());
    out.push_back(nullptr);
    return out;
}

Result<pid_t> spawn(const ProgramCall& call, int in, int out, int err) {
    std::vector<std::string> args = call.argv;
    std::vector<std::string> variables{std::string("PATH=") + kToolPath};
    for (const auto& [name, value] : call.env) variables.push_back(name + "=" + value);
    posix_spawn_file_actions_t files;
    posix_spawnattr_t how;
    posix_spawn_file_actions_init(&files);
    posix_spawnattr_init(&how);
    posix_spawn_file_actions_adddup2(&files, in, 0);
    posix_spawn_file_actions_adddup2(&files, out, 1);
    posix_spawn_file_actions_adddup2(&files, err, 2);
    posix_spawn_file_actions_addclosefrom_np(&files, 3);
    posix_spawn_file_actions_addchdir_np(&files, "/");
    sigset_t none, all;
    sigemptyset(&none);
    sigfillset(&all);
    posix_spawnattr_setsigmask(&how, &none);
    posix_spawnattr_setsigdefault(&how, &all);
    posix_spawnattr_setpgroup(&how, 0);
    posix_spawnattr_setflags(
        &how, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETPGROUP);
    pid_t pid = 0;
    const int error = posix_spawn(&pid, args[0].c_str(), &files, &how, pointers(args).data(),
                                  pointers(variables).data());
    posix_spawn_file_actions_destroy(&files);
    posix_spawnattr_destroy(&how);
    if (error != 0) return failure("run " + call.argv[0], error);
    return pid;
}

/// What is there now. False at the end of the stream.
bool drain(int fd, std::string& to) {
    char bytes[4096];
    for (;;) {
        const ssize_t got = read(fd, bytes, sizeof bytes);
        if (got < 0 && errno == EINTR) continue;
        if (got <= 0) return got < 0;
        const std::size_t room = kProgramTextMax - std::min(kProgramTextMax, to.size());
        to.append(bytes, std::min(room, static_cast<std::size_t>(got)));
    }
}

/// Until the program has ended; false when `deadline` came first.
bool wait_for(int process, Pipe& out, Pipe& err, ProgramEnd& end, Clock::time_point deadline) {
    for (;;) {
        const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - Clock::now());
        if (left.count() <= 0) return false;
        pollfd waits[] = {
            {process, POLLIN, 0}, {out.read.get(), POLLIN, 0}, {err.read.get(), POLLIN, 0}};
        if (poll(waits, 3, static_cast<int>(left.count())) < 0) continue;
        if (waits[1].revents != 0 && !drain(out.read.get(), end.out)) out.read.reset();
        if (waits[2].revents != 0 && !drain(err.read.get(), end.err)) err.read.reset();
        if (waits[0].revents == 0) continue;
        if (out.read) drain(out.read.get(), end.out);
        if (err.read) drain(err.read.get(), end.err);
        return true;
    }
}

}  // namespace

std::string describe(const ProgramEnd& end, Duration timeout) {
    const auto seconds = std::chrono::ceil<std::chrono::seconds>(timeout).count();
    if (end.timed_out) return "did not end within " + std::to_string(seconds) + " s and was killed";
    if (end.signal != 0) return "was killed by signal " + std::to_string(end.signal);
    return "exited with " + std::to_string(end.code);
}

Result<ProgramEnd> run_program(const ProgramCall& call) {
    const UniqueFd input = TRY(input_file(call.input));
    Pipe out = TRY(make_pipe());
    Pipe err = TRY(make_pipe());
    const pid_t pid = TRY(spawn(call, input.get(), out.write.get(), err.write.get()));
    out.write.reset();
    err.write.reset();
    const UniqueFd process(static_cast<int>(syscall(SYS_pidfd_open, pid, 0)));
    ProgramEnd end;
    end.timed_out =
        !process || !wait_for(process.get(), out, err, end, Clock::now() + call.timeout);
    if (end.timed_out) kill(-pid, SIGKILL);
    int status = 0;
    while (waitpid(pid, &status, 0) < 0 && errno == EINTR) continue;
    if (WIFSIGNALED(status)) end.signal = WTERMSIG(status);
    if (WIFEXITED(status)) end.code = WEXITSTATUS(status);
    return end;
}

Result<std::string> find_in_path(const std::string& name, const std::string& path) {
    for (std::size_t at = 0; at <= path.size();) {
        const std::size_t colon = std::min(path.find(':', at), path.size());
        const std::string file = path.substr(at, colon - at) + "/" + name;
        struct stat about {};
        if (colon > at && stat(file.c_str(), &about) == 0 && S_ISREG(about.st_mode) &&
            access(file.c_str(), X_OK) == 0)
            return file;
        at = colon + 1;
    }
    return {Errc::not_found, name + " is not in " + path};
}

}  // namespace gaggle::allocrunner
