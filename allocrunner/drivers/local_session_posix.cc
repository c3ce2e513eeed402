#include <fcntl.h>
#include <linux/close_range.h>
#include <poll.h>
#include <pty.h>
#include <sched.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>

#include "allocrunner/drivers/cgroups.h"
#include "allocrunner/drivers/local_session.h"
#include "base/unique_fd.h"

namespace gaggle::allocrunner {

namespace {

constexpr std::size_t kReadBytes = 64U << 10U;
constexpr char kEndOfTransmission = 4;  // what a terminal takes for the end of input

/// The two ends of each stream; of a terminal, `in` and `out` are the same device.
struct Streams {
    UniqueFd ours_in, ours_out, ours_err;
    UniqueFd its_in, its_out, its_err;
};

std::string why() { return std::strerror(errno); }

Result<Streams> open_terminal(TerminalSize size) {
    Streams out;
    const winsize window{size.rows, size.columns, 0, 0};
    int master = -1;
    int slave = -1;
    if (openpty(&master, &slave, nullptr, nullptr, &window) != 0)
        return {Errc::io, "open a terminal: " + why()};
    out.ours_out.reset(master);
    out.its_out.reset(slave);
    fcntl(master, F_SETFD, FD_CLOEXEC);
    fcntl(slave, F_SETFD, FD_CLOEXEC);
    out.ours_in.reset(fcntl(master, F_DUPFD_CLOEXEC, 0));
    out.its_in.reset(fcntl(slave, F_DUPFD_CLOEXEC, 0));
    out.its_err.reset(fcntl(slave, F_DUPFD_CLOEXEC, 0));
    if (!out.ours_in || !out.its_in || !out.its_err) return {Errc::io, "open a terminal: " + why()};
    return out;
}

Result<Streams> open_pipes() {
    Streams out;
    const auto open = [](UniqueFd& reads, UniqueFd& writes) {
        int ends[2];
        if (pipe2(ends, O_CLOEXEC) != 0) return false;
        reads.reset(ends[0]);
        writes.reset(ends[1]);
        return true;
    };
    if (!open(out.its_in, out.ours_in) || !open(out.ours_out, out.its_out) ||
        !open(out.ours_err, out.its_err))
        return {Errc::io, "make pipes: " + why()};
    return out;
}

/// What the child needs, prepared before the fork: after it nothing may be allocated.
struct Image {
    std::vector<const char*> argv;
    std::vector<std::string> variables;
    std::vector<const char*> envp;
    UniqueFd netns;
    UniqueFd group;  ///< its cgroup.procs
};

/// As the supervisor has the task itself do (shim/start_posix.cc).
bool enter(const SessionProcess& process, const Image& image) {
    const TaskNetwork& network = process.network;
    if (image.netns && setns(image.netns.get(), CLONE_NEWNET) != 0) return false;
    if (!network.hostname.empty() &&
        (unshare(CLONE_NEWUTS) != 0 ||
         sethostname(network.hostname.data(), network.hostname.size()) != 0))
        return false;
    bool private_mounts = false;
    const auto show = [&](const std::string& file, const char* at) {
        if (file.empty()) return true;
        if (!private_mounts &&
            (unshare(CLONE_NEWNS) != 0 || mount("", "/", nullptr, MS_REC | MS_SLAVE, nullptr) != 0))
            return false;
        private_mounts = true;
        return mount(file.c_str(), at, nullptr, MS_BIND, nullptr) == 0;
    };
    return show(network.resolv_file, "/etc/resolv.conf") &&
           show(network.hosts_file, "/etc/hosts") && show(network.hostname_file, "/etc/hostname");
}

[[noreturn]] void become(const SessionProcess& process, const Image& image, const Streams& streams,
                         int report, pid_t parent) {
    const auto give_up = [&] {
        const int error = errno;
        if (write(report, &error, sizeof error) < 0) _exit(126);
        _exit(127);
    };
    setsid();
    // As for the task itself (shim/start_posix.cc), no group is no reason not to run.
    if (image.group && ::write(image.group.get(), "0", 1) < 0) errno = 0;
    if (process.terminal && ioctl(streams.its_in.get(), TIOCSCTTY, 0) != 0) give_up();
    if (!enter(process, image)) give_up();
    if (const auto& account = process.account) {
        // The plain system calls: the library's would ask threads that are not here any more.
        if (syscall(SYS_setgroups, account->groups.size(), account->groups.data()) != 0 ||
            syscall(SYS_setgid, account->gid) != 0 || syscall(SYS_setuid, account->uid) != 0)
            give_up();
    }
    if (!process.work_dir.empty() && chdir(process.work_dir.c_str()) != 0) give_up();
    if (dup2(streams.its_in.get(), 0) < 0 || dup2(streams.its_out.get(), 1) < 0 ||
        dup2(streams.its_err.get(), 2) < 0)
        give_up();
    // Nothing of the agent's goes on: no socket of its API, which others could listen to, and no
    // command after the agent is gone. (Switching users would clear the latter.) Whoever starts a
    // session keeps it on that thread.
    if (close_range(STDERR_FILENO + 1, ~0U, CLOSE_RANGE_CLOEXEC) != 0) give_up();
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != parent) _exit(126);
    sigset_t none;
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, nullptr);
    for (int number = 1; number < NSIG; ++number) signal(number, SIG_DFL);
    execve(process.executable.c_str(), const_cast<char* const*>(image.argv.data()),
           const_cast<char* const*>(image.envp.data()));
    give_up();
    _exit(127);
}

class LocalSession : public ExecSession {
  public:
    LocalSession(Streams streams, pid_t pid, const SessionProcess& process)
        : in_(std::move(streams.ours_in)),
          out_(std::move(streams.ours_out)),
          err_(std::move(streams.ours_err)),
          pid_(pid),
          ended_(static_cast<int>(syscall(SYS_pidfd_open, pid, 0))),
          terminal_(process.terminal.has_value()),
          pid_file_(process.pid_file),
          pid_group_(process.pid_group),
          scratch_(process.scratch) {
        for (const int fd : {in_.get(), out_.get(), err_.get()})
            if (fd >= 0) fcntl(fd, F_SETFL, O_NONBLOCK);
    }

    ~LocalSession() override {
        if (pid_ > 0) {
            if (!pid_file_.empty()) kill_in_group(pid_group_, pid_file_);
            kill(-pid_, SIGKILL);
            kill(pid_, SIGKILL);
            waitpid(pid_, nullptr, 0);
        }
        std::error_code ignored;
        if (!scratch_.empty()) std::filesystem::remove_all(scratch_, ignored);
    }

    Result<ExecOutput> read(Duration patience) override {
        ExecOutput out;
        if (pid_ <= 0) return {Errc::invalid, "read from a command that has ended"};
        pollfd waits[3] = {
            {out_.get(), POLLIN, 0}, {err_.get(), POLLIN, 0}, {ended_.get(), POLLIN, 0}};
        const auto ms = std::chrono::ceil<std::chrono::milliseconds>(patience).count();
        if (poll(waits, 3, static_cast<int>(ms)) < 0 && errno != EINTR)
            return {Errc::io, "wait for a command: " + why()};
        take(out_, out.out);
        take(err_, out.err);
        if (!out.out.empty() || !out.err.empty()) return out;  // the end comes when all is read
        if ((waits[2].revents & POLLIN) == 0) return out;
        int status = 0;
        if (waitpid(pid_, &status, 0) == pid_)
            out.exit_code = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
        else
            out.exit_code = 128;
        pid_ = 0;
        return out;
    }

    Result<std::size_t> write(BytesView bytes) override {
        if (!in_ || bytes.empty()) return bytes.size();
        const ssize_t done = ::write(in_.get(), bytes.data(), bytes.size());
        if (done >= 0) return static_cast<std::size_t>(done);
        if (errno == EAGAIN || errno == EINTR) return std::size_t{0};
        return bytes.size();  // it reads no more
    }

    void close_input() override {
        if (!terminal_) return in_.reset();
        if (::write(in_.get(), &kEndOfTransmission, 1) < 0) in_.reset();
    }

    void resize(TerminalSize size) override {
        const winsize window{size.rows, size.columns, 0, 0};
        if (terminal_) ioctl(out_.get(), TIOCSWINSZ, &window);
    }

  private:
    /// One read of what is there. A terminal whose last user is gone says EIO.
    static void take(UniqueFd& fd, Bytes& to) {
        if (!fd) return;
        to.resize(kReadBytes);
        const ssize_t got = ::read(fd.get(), to.data(), to.size());
        const int error = errno;
        to.resize(got > 0 ? static_cast<std::size_t>(got) : 0);
        if (got == 0 || (got < 0 && error != EAGAIN && error != EINTR)) fd.reset();
    }

    UniqueFd in_, out_, err_;
    pid_t pid_ = 0;  ///< 0: it has ended and was waited for
    UniqueFd ended_;
    bool terminal_ = false;
    std::string pid_file_;
    std::string pid_group_;
    std::string scratch_;
};

TimePoint steady() {
    timespec time{};
    clock_gettime(CLOCK_MONOTONIC, &time);
    return TimePoint(std::chrono::seconds(time.tv_sec) +
                     std::chrono::microseconds(time.tv_nsec / 1'000));
}

}  // namespace

Result<std::unique_ptr<ExecSession>> start_session(const SessionProcess& process) {
    Streams streams = TRY(process.terminal ? open_terminal(*process.terminal) : open_pipes());
    Image image;
    for (const std::string& arg : process.argv) image.argv.push_back(arg.c_str());
    for (const auto& [name, value] : process.env) image.variables.push_back(name + "=" + value);
    for (const std::string& variable : image.variables) image.envp.push_back(variable.c_str());
    image.argv.push_back(nullptr);
    image.envp.push_back(nullptr);
    const std::string task = "run " + process.executable + " inside the task: ";
    if (!process.network.netns.empty()) {
        image.netns.reset(open(process.network.netns.c_str(), O_RDONLY | O_CLOEXEC));
        if (!image.netns) return {Errc::io, task + "open " + process.network.netns + ": " + why()};
    }
    if (!process.group.empty())
        image.group.reset(open((process.group + "/cgroup.procs").c_str(), O_WRONLY | O_CLOEXEC));
    int report[2];
    if (pipe2(report, O_CLOEXEC) != 0) return {Errc::io, task + "make a pipe: " + why()};
    UniqueFd reads(report[0]);
    UniqueFd writes(report[1]);
    const pid_t self = getpid();
    const pid_t pid = fork();
    if (pid == 0) become(process, image, streams, report[1], self);
    if (pid < 0) return {Errc::io, task + "fork: " + why()};
    writes.reset();
    for (UniqueFd* its : {&streams.its_in, &streams.its_out, &streams.its_err}) its->reset();
    int error = 0;
    ssize_t got = 0;
    do got = read(reads.get(), &error, sizeof error);
    while (got < 0 && errno == EINTR);
    if (got != 0) {
        waitpid(pid, nullptr, 0);
        return {Errc::invalid, task + std::strerror(error)};
    }
    return std::unique_ptr<ExecSession>(new LocalSession(std::move(streams), pid, process));
}

Result<ExecEnd> run_to_end(std::unique_ptr<ExecSession> session, Duration timeout,
                           std::size_t output_max, const std::function<bool()>& cancelled) {
    constexpr Duration kAskEvery = 100ms;
    ExecEnd end;
    session->close_input();
    const TimePoint deadline = steady() + timeout;
    for (;;) {
        const Duration left = deadline - steady();
        if (left <= 0s) {
            end.timed_out = true;
            return end;  // which kills it
        }
        if (cancelled && cancelled()) return Error{Errc::unavailable, "killed: given up"};
        const ExecOutput part = TRY(session->read(cancelled ? std::min(left, kAskEvery) : left));
        for (const Bytes* bytes : {&part.out, &part.err}) {
            const std::size_t room = output_max - std::min(output_max, end.output.size());
            end.output.append(bytes->begin(), bytes->begin() + static_cast<std::ptrdiff_t>(
                                                                   std::min(room, bytes->size())));
        }
        if (!part.exit_code) continue;
        end.exit_code = *part.exit_code;
        return end;
    }
}

}  // namespace gaggle::allocrunner
