#include <fcntl.h>
#include <linux/close_range.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "allocrunner/setup/fetch_process.h"
#include "base/wire.h"

namespace gaggle::setup {

namespace {

constexpr std::size_t kLineMax = 64U << 10U;

Error failure(const std::string& what) { return {Errc::io, what + ": " + std::strerror(errno)}; }

Result<UniqueFd> file_of(const Bytes& bytes) {
    UniqueFd fd(memfd_create("fetch-order", MFD_CLOEXEC));
    if (!fd) return failure("make room for the order to gctl-fetch");
    const ssize_t written = write(fd.get(), bytes.data(), bytes.size());
    if (written != static_cast<ssize_t>(bytes.size()) || lseek(fd.get(), 0, SEEK_SET) != 0)
        return failure("write the order to gctl-fetch");
    return fd;
}

/// In the child, between fork and exec: only what is safe there.
[[noreturn]] void become(const char* program, int input, int output, pid_t parent) {
    setpgid(0, 0);  // so that git and its children die with it
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    sigset_t none;
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, nullptr);
    signal(SIGPIPE, SIG_DFL);
    // None of the agent's sockets goes on to git or ssh.
    if (getppid() == parent && dup2(input, STDIN_FILENO) >= 0 && dup2(output, STDOUT_FILENO) >= 0 &&
        close_range(STDERR_FILENO + 1, ~0U, CLOSE_RANGE_CLOEXEC) == 0) {
        const char* const arguments[] = {"gctl-fetch", nullptr};
        execv(program, const_cast<char* const*>(arguments));
    }
    _exit(127);
}

}  // namespace

Result<FetchProcess> FetchProcess::start(const std::string& program, const FetchOrder& order) {
    if (access(program.c_str(), X_OK) != 0)
        return Error{Errc::not_found, "start " + program + ": " + std::strerror(errno) +
                                          "; is gctl-fetch installed beside gctl?"};
    const UniqueFd input = TRY(file_of(encode(order)));
    int ends[2];
    if (pipe2(ends, O_CLOEXEC | O_NONBLOCK) != 0) return failure("make a pipe to gctl-fetch");
    FetchProcess out;
    out.output_.reset(ends[0]);
    const UniqueFd theirs(ends[1]);
    fcntl(theirs.get(), F_SETFL, 0);  // the program may wait for us, we never for it
    const pid_t parent = getpid();
    const pid_t pid = fork();
    if (pid < 0) return failure("start " + program);
    if (pid == 0) become(program.c_str(), input.get(), theirs.get(), parent);
    setpgid(pid, pid);  // whoever is first
    out.pid_.value = pid;
    return out;
}

FetchProcess::~FetchProcess() {
    if (pid_.value == 0) return;
    kill(-pid_.value, SIGKILL);
    kill(pid_.value, SIGKILL);
    while (waitpid(pid_.value, nullptr, 0) < 0 && errno == EINTR) {
    }
}

std::vector<FetchLine> FetchProcess::read() {
    std::vector<FetchLine> out;
    char part[4096];
    for (;;) {
        const ssize_t got = ::read(output_.get(), part, sizeof part);
        if (got < 0 && errno == EINTR) continue;
        if (got == 0 || (got < 0 && errno != EAGAIN)) ended_ = true;
        if (got <= 0) return out;
        partial_.append(part, static_cast<std::size_t>(got));
        for (std::size_t end = partial_.find('\n'); end != std::string::npos;
             end = partial_.find('\n')) {
            if (auto line = fetch_line(std::string_view(partial_).substr(0, end)))
                out.push_back(std::move(*line));
            partial_.erase(0, end + 1);
        }
        if (partial_.size() > kLineMax) partial_.clear();
    }
}

}  // namespace gaggle::setup
