#include "allocrunner/drivers/shim/start_posix.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

#include <cstring>
#include <initializer_list>

#include "allocrunner/drivers/shim/text.h"

namespace gaggle::allocrunner::shim {

namespace {

/// The next NUL-ended string, or nullptr when there is none.
char* take_string(char*& next, char* end) {
    char* const nul = static_cast<char*>(memchr(next, '\0', static_cast<std::size_t>(end - next)));
    if (nul == nullptr) return nullptr;
    char* const text = next;
    next = nul + 1;
    return text;
}

char** take_strings(char*& next, char* end, std::uint32_t count) {
    if (count > static_cast<std::size_t>(end - next)) return nullptr;  // each takes a byte at least
    auto** list = static_cast<char**>(calloc(count + 1, sizeof(char*)));
    for (std::uint32_t at = 0; list != nullptr && at < count; ++at) {
        list[at] = take_string(next, end);
        if (list[at] == nullptr) return nullptr;
    }
    return list;
}

[[noreturn]] void give_up(int report, Step step) {
    const NotStarted why{errno, static_cast<std::uint32_t>(step)};
    if (write(report, &why, sizeof why) < 0) _exit(126);
    _exit(127);
}

void set_oom_score(std::int32_t score, int report) {
    char digits[16];
    Text(digits).add_signed(score);
    const int fd = open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC);
    if (fd < 0 || write(fd, digits, std::strlen(digits)) < 0) give_up(report, Step::limits);
    close(fd);
}

void switch_user(const Start& start, int report) {
    if ((start.header.flags & kSwitchUser) == 0) return;
    if (setgroups(start.header.groups, start.groups) != 0 || setgid(start.header.gid) != 0 ||
        setuid(start.header.uid) != 0)
        give_up(report, Step::user);
}

/// In the child, until it is the task.
[[noreturn]] void become_task(const Start& start, int out, int err, int report, pid_t parent) {
    setsid();
    const rlimit files_now = [] {
        rlimit now{};
        getrlimit(RLIMIT_NOFILE, &now);
        return now;
    }();
    const rlimit files{start.header.nofile_soft, files_now.rlim_max};
    if (start.header.nofile_soft > 0 && setrlimit(RLIMIT_NOFILE, &files) != 0)
        give_up(report, Step::limits);
    if ((start.header.flags & kSetOomScore) != 0) set_oom_score(start.header.oom_score_adj, report);
    switch_user(start, report);
    if (chdir(start.work_dir) != 0) give_up(report, Step::directory);
    // A task whose supervisor is killed must not run on unwatched. (Switching users clears this.)
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != parent) _exit(126);
    const int null = open("/dev/null", O_RDWR | O_CLOEXEC);
    if (dup2(null, 0) < 0 || dup2(out < 0 ? null : out, 1) < 0 || dup2(err < 0 ? null : err, 2) < 0)
        give_up(report, Step::pipe);
    sigset_t none;
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, nullptr);
    for (const int ignored : kIgnored) signal(ignored, SIG_DFL);
    execve(start.executable, start.argv, start.envp);
    give_up(report, Step::execute);
}

}  // namespace

bool parse_start(char* bytes, std::size_t size, Start& out) {
    if (size < sizeof out.header) return false;
    std::memcpy(&out.header, bytes, sizeof out.header);
    char* next = bytes + sizeof out.header;
    char* const end = bytes + size;
    const std::size_t groups = std::size_t{out.header.groups} * sizeof(std::uint32_t);
    if (groups > static_cast<std::size_t>(end - next)) return false;
    auto* copy = static_cast<std::uint32_t*>(malloc(groups + 1));  // the message is not aligned
    if (copy == nullptr) return false;
    std::memcpy(copy, next, groups);
    out.groups = copy;
    next += groups;
    for (const char** text : {&out.executable, &out.work_dir, &out.log_prefix, &out.record_file})
        if ((*text = take_string(next, end)) == nullptr) return false;
    out.argv = take_strings(next, end, out.header.argc);
    out.envp = out.argv == nullptr ? nullptr : take_strings(next, end, out.header.envc);
    return out.envp != nullptr && out.header.argc > 0 && next == end;
}

pid_t launch(const Start& start, int& out_pipe, int& err_pipe, NotStarted& why) {
    int out[2] = {-1, -1};
    int err[2] = {-1, -1};
    int report[2] = {-1, -1};
    const bool logs = (start.header.flags & kNoLogs) == 0;
    if ((logs && (pipe2(out, O_CLOEXEC) != 0 || pipe2(err, O_CLOEXEC) != 0)) ||
        pipe2(report, O_CLOEXEC) != 0) {
        why = {errno, static_cast<std::uint32_t>(Step::pipe)};
        return -1;
    }
    const pid_t self = getpid();
    const pid_t pid = fork();
    if (pid == 0) become_task(start, out[1], err[1], report[1], self);
    if (pid < 0) {
        why = {errno, static_cast<std::uint32_t>(Step::fork)};
        return -1;
    }
    for (const int fd : {out[1], err[1], report[1]})
        if (fd >= 0) close(fd);
    ssize_t got = 0;
    do got = read(report[0], &why, sizeof why);
    while (got < 0 && errno == EINTR);
    close(report[0]);
    out_pipe = out[0];
    err_pipe = err[0];
    return got == 0 ? pid : -1;  // the pipe closed at execve without a word: it runs
}

}  // namespace gaggle::allocrunner::shim
