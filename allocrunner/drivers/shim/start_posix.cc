#include "allocrunner/drivers/shim/start_posix.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/mount.h>
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

/// Without it, what leaves the task's session and loses its supervisor would not be found again;
/// that alone is no reason not to run.
void enter_group(const char* group) {
    char path[kPathMax];
    if (group[0] == '\0' || !Text(path).add(group).add("/cgroup.procs").fits()) return;
    const int fd = open(path, O_WRONLY | O_CLOEXEC);
    if (fd < 0) return;
    if (write(fd, "0", 1) < 0) errno = 0;
    close(fd);
}

void switch_user(const Start& start, int report) {
    if ((start.header.flags & kSwitchUser) == 0) return;
    if (setgroups(start.header.groups, start.groups) != 0 || setgid(start.header.gid) != 0 ||
        setuid(start.header.uid) != 0)
        give_up(report, Step::user);
}

/// The namespace of the allocation's network, and what a host name and name servers of its own
/// need: namespaces for them alone.
bool enter_network(const Start& start) {
    if (start.netns[0] != '\0') {
        const int netns = open(start.netns, O_RDONLY | O_CLOEXEC);
        if (netns < 0 || setns(netns, CLONE_NEWNET) != 0) return false;
        close(netns);
    }
    const char* const name = start.hostname;
    if (name[0] != '\0' &&
        (unshare(CLONE_NEWUTS) != 0 || sethostname(name, std::strlen(name)) != 0))
        return false;
    bool private_mounts = false;
    for (int at = 0; at < 3; ++at) {
        if (start.network_files[at][0] == '\0') continue;
        if (!private_mounts &&
            (unshare(CLONE_NEWNS) != 0 || mount("", "/", nullptr, MS_REC | MS_SLAVE, nullptr) != 0))
            return false;
        private_mounts = true;
        if (mount(start.network_files[at], kNetworkFiles[at], nullptr, MS_BIND, nullptr) != 0)
            return false;
    }
    return true;
}

/// In the child, until it is the task.
[[noreturn]] void become_task(const Start& start, int out, int err, int report, pid_t parent) {
    setsid();
    if ((start.header.flags & kSetOomScore) != 0) set_oom_score(start.header.oom_score_adj, report);
    enter_group(start.group);
    if (!enter_network(start)) give_up(report, Step::network);
    switch_user(start, report);
    if (chdir(start.work_dir) != 0) give_up(report, Step::directory);
    // A task whose supervisor is killed must not run on unwatched. (Switching users clears this.)
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != parent) _exit(126);
    if (!be_ordinary(start.header, out, err)) give_up(report, Step::pipe);
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
    for (const char** text :
         {&out.executable, &out.work_dir, &out.log_prefix, &out.record_file, &out.netns,
          &out.hostname, &out.network_files[0], &out.network_files[1], &out.network_files[2],
          &out.pid_file, &out.oom_file, &out.group})
        if ((*text = take_string(next, end)) == nullptr) return false;
    struct List {
        char*** texts;
        std::uint32_t count;
    };
    for (const List& list :
         {List{&out.argv, out.header.argc}, List{&out.start_argv, out.header.start_argc},
          List{&out.remove_argv, out.header.remove_argc}, List{&out.envp, out.header.envc}})
        if ((*list.texts = take_strings(next, end, list.count)) == nullptr) return false;
    const bool container = out.header.launch == LaunchKind::container;
    const std::uint32_t least = out.header.launch == LaunchKind::engine ? 2 : 1;
    if (container && (out.header.start_argc == 0 || out.header.remove_argc == 0)) return false;
    return out.header.argc >= least && next == end;
}

void kill_group(const char* group) {
    char path[kPathMax];
    if (group[0] == '\0' || !Text(path).add(group).add("/cgroup.kill").fits()) return;
    const int fd = open(path, O_WRONLY | O_CLOEXEC);
    if (fd < 0) return;
    if (write(fd, "1", 1) < 0) errno = 0;
    close(fd);
}

bool Pipes::open(bool logs) {
    return !logs || (pipe2(out, O_CLOEXEC) == 0 && pipe2(err, O_CLOEXEC) == 0);
}

void Pipes::close_its_ends() const {
    for (const int fd : {out[1], err[1]})
        if (fd >= 0) close(fd);
}

bool be_ordinary(const StartHeader& header, int out, int err) {
    rlimit files{};
    getrlimit(RLIMIT_NOFILE, &files);
    files.rlim_cur = header.nofile_soft;
    if (header.nofile_soft > 0 && setrlimit(RLIMIT_NOFILE, &files) != 0) return false;
    const int null = open("/dev/null", O_RDWR | O_CLOEXEC);
    if (dup2(null, 0) < 0 || dup2(out < 0 ? null : out, 1) < 0 || dup2(err < 0 ? null : err, 2) < 0)
        return false;
    sigset_t none;
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, nullptr);
    for (const int ignored : kIgnored) signal(ignored, SIG_DFL);
    return true;
}

pid_t launch(const Start& start, int& out_pipe, int& err_pipe, NotStarted& why) {
    Pipes pipes;
    int report[2] = {-1, -1};
    if (!pipes.open((start.header.flags & kNoLogs) == 0) || pipe2(report, O_CLOEXEC) != 0) {
        why = {errno, static_cast<std::uint32_t>(Step::pipe)};
        return -1;
    }
    const pid_t self = getpid();
    const pid_t pid = fork();
    if (pid == 0) become_task(start, pipes.out[1], pipes.err[1], report[1], self);
    if (pid < 0) {
        why = {errno, static_cast<std::uint32_t>(Step::fork)};
        return -1;
    }
    pipes.close_its_ends();
    close(report[1]);
    ssize_t got = 0;
    do got = read(report[0], &why, sizeof why);
    while (got < 0 && errno == EINTR);
    close(report[0]);
    out_pipe = pipes.out[0];
    err_pipe = pipes.err[0];
    return got == 0 ? pid : -1;  // the pipe closed at execve without a word: it runs
}

}  // namespace gaggle::allocrunner::shim
