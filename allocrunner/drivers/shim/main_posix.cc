// gctl-shim: stands between the agent and one run of one task, so that either may go without the
// other.
//
// It starts the task, copies its two pipes into rotated log files, waits for it, records how it
// ended, and meanwhile answers whichever agent is connected (shim_protocol.h). One thread, one poll
// loop, no standard library: there is one per task, and a machine may run a thousand.
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cstring>
#include <initializer_list>

#include "allocrunner/drivers/shim/container_posix.h"
#include "allocrunner/drivers/shim/engine_posix.h"
#include "allocrunner/drivers/shim/pause_posix.h"
#include "allocrunner/drivers/shim/start_posix.h"
#include "allocrunner/drivers/shim/stream_posix.h"
#include "allocrunner/drivers/shim/text.h"

namespace gaggle::allocrunner::shim {

namespace {

constexpr int kAgentsMax = 4;          // connected at a time; a fifth must wait in the backlog
constexpr int kReapAgainMs = 50;       // while descendants are killed
constexpr int kRecordAgainMs = 1'000;  // while the record cannot be written
constexpr std::size_t kRequestMax = 16;

struct Agent {
    int fd = -1;
    char bytes[kRequestMax] = {};
    std::size_t have = 0;
};

struct Shim {
    Agent agents[kAgentsMax];
    Record record;
    Stream out;
    Stream err;
    int children = -1;  // signalfd for SIGCHLD
    Start start;        // its bytes are kept unless the task is a plain process
    Engine engine;      // used with LaunchKind::engine
    bool is(LaunchKind kind) const { return start.header.launch == kind; }
};

Shim self;

// Zeroed pages: those that are never touched cost nothing.
char log_out[NAME_MAX + 1];
char log_err[NAME_MAX + 1];
char orphans[64U << 10U];
char group[kPathMax];
char record_dir[kPathMax];
char record_file[kPathMax];
char record_draft[kPathMax];

std::int64_t wall_now() {
    timespec time{};
    clock_gettime(CLOCK_REALTIME, &time);
    return time.tv_sec * 1'000'000'000LL + time.tv_nsec;
}

bool send_frame(int fd, Kind kind, const void* payload, std::uint32_t size) {
    char frame[5 + sizeof(NotStarted) + kEngineWordsMax];
    const std::uint32_t length = size + 1;
    std::memcpy(frame, &length, sizeof length);
    frame[4] = static_cast<char>(kind);
    std::memcpy(frame + 5, payload, size);
    return send(fd, frame, 5 + size, MSG_NOSIGNAL) == static_cast<ssize_t>(5 + size);
}

void drop(Agent& agent) {
    close(agent.fd);
    agent.fd = -1;
    agent.have = 0;
}

void tell(Agent& agent) {
    if (!send_frame(agent.fd, Kind::state, &self.record, sizeof self.record)) drop(agent);
}

// ---- the record on disk ----

bool write_record(bool durable) {
    seal(self.record);
    const int fd = open(record_draft, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    if (fd < 0) return false;
    bool ok = pwrite(fd, &self.record, sizeof self.record, 0) == sizeof self.record &&
              ftruncate(fd, sizeof self.record) == 0 && (!durable || fsync(fd) == 0);
    ok = close(fd) == 0 && ok && rename(record_draft, record_file) == 0;
    if (!ok || !durable) return ok;
    const int dir = open(record_dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    ok = dir >= 0 && fsync(dir) == 0;
    if (dir >= 0) close(dir);
    return ok;
}

/// Drafts have a folder of their own beside the records', <records>.new, because a task may be
/// named like anything that could be put behind another's name. False when a path is too long.
bool name_draft() {
    Text(record_dir).add(record_file);
    char* const slash = strrchr(record_dir, '/');
    if (slash == nullptr) return false;
    *slash = '\0';
    Text(record_draft).add(record_dir).add(".new");
    mkdir(record_draft, 0700);  // whether that worked shows when the draft is opened
    return Text(record_draft)
        .add(record_dir)
        .add(".new/")
        .add(record_file + (slash - record_dir) + 1)
        .fits();
}

/// Room for the next record is taken early, so that a disk that is full by then still has it.
/// 0 or an errno.
int reserve_record() {
    const int fd = open(record_draft, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    if (fd < 0) return errno;
    const int error = posix_fallocate(fd, 0, sizeof self.record);
    close(fd);
    return error;
}

// ---- the task ----

void kill_all() {
    if (self.is(LaunchKind::engine)) return self.engine.signal(SIGKILL);
    kill_group(group);
    if (self.record.pid > 0) {
        kill(static_cast<pid_t>(self.record.pid), SIGKILL);
        kill(static_cast<pid_t>(-self.record.pid), SIGKILL);
    }
}

/// What its processes left behind came to us, for we are their subreaper: a round of killing them
/// and burying all that are dead.
struct Round {
    bool buried = false;       ///< at least one
    bool left = true;          ///< some are not dead yet
    std::uint64_t denied = 0;  ///< may not be killed by us: they have become somebody else
    std::uint64_t killed = 0;
};

Round kill_orphans() {
    Round out;
    char path[64];
    Text(path).add("/proc/self/task/").add(static_cast<std::uint64_t>(getpid())).add("/children");
    const int fd = open(path, O_RDONLY | O_CLOEXEC);
    const ssize_t got = fd < 0 ? 0 : read(fd, orphans, sizeof orphans - 1);
    if (fd >= 0) close(fd);
    // A kernel that does not list children (CONFIG_PROC_CHILDREN): those in the task's own group.
    if (fd < 0) kill(static_cast<pid_t>(-self.record.pid), SIGKILL);
    orphans[got > 0 ? got : 0] = '\0';
    for (char* next = orphans; *next != '\0';) {
        char* after = nullptr;
        const long pid = strtol(next, &after, 10);
        if (after == next || *after == '\0')
            break;  // the last may be cut off; there is a next time
        ++(kill(static_cast<pid_t>(pid), SIGKILL) == 0 ? out.killed : out.denied);
        next = after;
        while (*next == ' ') ++next;
    }
    pid_t pid = 0;
    while ((pid = waitpid(-1, nullptr, WNOHANG)) > 0) out.buried = true;
    out.left = pid == 0;
    return out;
}

/// Until nobody is left, or nobody whom we may kill.
void kill_all_orphans() {
    kill_group(group);
    for (;;) {
        const Round round = kill_orphans();
        if (!round.left) return;
        if (!round.buried && round.killed == 0 && round.denied > 0) {
            char line[128];
            Text(line)
                .add("[gaggle: ")
                .add(round.denied)
                .add(" processes that the task left run as another user and cannot be killed]\n");
            return self.err.log.write(line, std::strlen(line));
        }
        pollfd waits[3] = {
            {self.children, POLLIN, 0}, {self.out.pipe, POLLIN, 0}, {self.err.pipe, POLLIN, 0}};
        poll(waits, 3, round.buried ? 0 : kReapAgainMs);
        signalfd_siginfo gone;
        while (read(self.children, &gone, sizeof gone) > 0) continue;
        self.out.copy();
        self.err.copy();
    }
}

/// True when the task's first process has ended.
bool reap() {
    bool ended = false;
    int status = 0;
    for (pid_t pid = 0; (pid = waitpid(-1, &status, WNOHANG)) > 0;) {
        if (pid != self.record.pid) continue;
        ended = true;
        self.record.code = WIFEXITED(status) ? WEXITSTATUS(status) : 0;
        self.record.signal = WIFSIGNALED(status) ? WTERMSIG(status) : 0;
    }
    return ended;
}

/// What the task leaves behind, by its kind: descendants, output, a container.
void clear_up() {
    kill_all_orphans();
    while (self.out.copy()) continue;
    while (self.err.copy()) continue;
    bool out_of_memory = false;
    if (self.is(LaunchKind::container)) {
        out_of_memory = ran_out_of_memory(self.start);
        remove_container(self.start);
    }
    if (self.is(LaunchKind::engine)) {
        self.engine.drain(self.out.log, self.err.log);
        out_of_memory = self.engine.ran_out_of_memory();
        self.engine.remove();
        self.record.code = self.engine.code();
        if (self.engine.lost()) self.record.flags |= kEngineLost;
    }
    const bool well = self.record.code == 0 && self.record.signal == 0;
    if (out_of_memory && !well) self.record.flags |= kOutOfMemory;
}

/// After the last process: its remains, record, answer.
[[noreturn]] void finish() {
    clear_up();
    self.record.state = RecordState::exited;
    self.record.finished = wall_now();
    self.record.log_bytes_lost = self.out.log.lost() + self.err.log.lost();
    // Without a record nobody would ever know: stay until it is written or an agent was told. Only
    // when its directory is gone nobody will ask.
    bool told = false;
    for (;;) {
        const bool written = write_record(true) || access(record_dir, F_OK) != 0;
        for (Agent& agent : self.agents) {
            if (agent.fd < 0) continue;
            tell(agent);
            told = told || agent.fd >= 0;
        }
        if (written || told) _exit(0);
        pollfd wait{kListenFd, POLLIN, 0};
        if (poll(&wait, 1, kRecordAgainMs) <= 0) continue;  // accept4 would wait for an agent
        if (self.agents[0].fd >= 0) drop(self.agents[0]);
        self.agents[0].fd = accept4(kListenFd, nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK);
    }
}

// ---- agents ----

void obey(Agent& agent, Kind kind, const char* payload, std::size_t size) {
    std::int32_t number = 0;
    if (kind == Kind::hello) return tell(agent);
    if (kind == Kind::kill) return kill_all();
    if (kind != Kind::signal || size != sizeof number) return drop(agent);
    std::memcpy(&number, payload, sizeof number);
    if (self.is(LaunchKind::engine)) return self.engine.signal(number);
    kill(static_cast<pid_t>(self.record.pid), number);
}

void listen_to(Agent& agent) {
    const ssize_t got = read(agent.fd, agent.bytes + agent.have, kRequestMax - agent.have);
    if (got < 0 && (errno == EAGAIN || errno == EINTR)) return;
    if (got <= 0) return drop(agent);
    agent.have += static_cast<std::size_t>(got);
    std::uint32_t length = 0;
    while (agent.fd >= 0 && agent.have >= 5) {
        std::memcpy(&length, agent.bytes, sizeof length);
        if (length < 1 || length + 4 > kRequestMax) return drop(agent);
        if (agent.have < length + 4) return;
        obey(agent, static_cast<Kind>(agent.bytes[4]), agent.bytes + 5, length - 1);
        if (agent.fd < 0) return;
        agent.have -= length + 4;
        std::memmove(agent.bytes, agent.bytes + length + 4, agent.have);
    }
}

void welcome() {
    for (Agent& agent : self.agents) {
        if (agent.fd >= 0) continue;
        agent.fd = accept4(kListenFd, nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK);
        return;
    }
}

bool read_fully(int fd, char* to, std::size_t size) {
    while (size > 0) {
        pollfd wait{fd, POLLIN, 0};
        if (poll(&wait, 1, kStartTimeoutMs) <= 0) return false;
        const ssize_t got = read(fd, to, size);
        if (got < 0 && errno == EINTR) continue;
        if (got <= 0) return false;
        to += got;
        size -= static_cast<std::size_t>(got);
    }
    return true;
}

/// The first agent's first message; ends the program when there is none.
char* receive_start(Agent& agent, std::uint32_t& size) {
    pollfd wait{kListenFd, POLLIN, 0};
    if (poll(&wait, 1, kStartTimeoutMs) <= 0) _exit(1);
    agent.fd = accept4(kListenFd, nullptr, nullptr, SOCK_CLOEXEC);
    char head[5];
    std::uint32_t length = 0;
    if (agent.fd < 0 || !read_fully(agent.fd, head, sizeof head)) _exit(1);
    std::memcpy(&length, head, sizeof length);
    if (length < 1 || length > kFrameMax || head[4] != static_cast<char>(Kind::start)) _exit(1);
    size = length - 1;
    void* room =
        mmap(nullptr, size + 1, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (room == MAP_FAILED || !read_fully(agent.fd, static_cast<char*>(room), size)) _exit(1);
    return static_cast<char*>(room);
}

[[noreturn]] void refuse(const Agent& agent, int error, Step step, const char* words = "") {
    char payload[sizeof(NotStarted) + kEngineWordsMax];
    const NotStarted why{error, static_cast<std::uint32_t>(step)};
    const std::size_t length = std::strlen(words);
    std::memcpy(payload, &why, sizeof why);
    std::memcpy(payload + sizeof why, words, length);
    send_frame(agent.fd, Kind::not_started, payload,
               static_cast<std::uint32_t>(sizeof why + length));
    _exit(0);
}

/// The task's first process, or 0 when an engine keeps it to itself.
pid_t launch_by_kind(Agent& agent) {
    NotStarted why{};
    char words[kEngineWordsMax];
    pid_t pid = -1;
    words[0] = '\0';
    switch (self.start.header.launch) {
        case LaunchKind::process:
            pid = launch(self.start, self.out.pipe, self.err.pipe, why);
            break;
        case LaunchKind::container:
            pid = create_container(self.start, self.out.pipe, self.err.pipe, why);
            if (pid > 0 && !begin_container(self.start, why)) {
                kill(pid, SIGKILL);
                remove_container(self.start);
                pid = -1;
            }
            break;
        case LaunchKind::engine:
            if (self.engine.start(self.start, why, words))
                pid = static_cast<pid_t>(self.engine.pid());
            break;
        default: why = {EINVAL, static_cast<std::uint32_t>(Step::message)};
    }
    if (pid < 0) refuse(agent, why.error, static_cast<Step>(why.step), words);
    return pid;
}

/// False with errno.
bool open_logs(const Start& start) {
    const StartHeader& header = start.header;
    const char* name = nullptr;
    const int folder = open_log_folder(start.log_prefix, name);
    if (folder < 0) return false;
    if (!Text(log_out).add(name).add("stdout.").fits() ||
        !Text(log_err).add(name).add("stderr.").fits()) {
        errno = ENAMETOOLONG;
        return false;
    }
    return self.out.log.open(folder, log_out, header.out_number, header.files_max,
                             header.file_bytes) &&
           self.err.log.open(folder, log_err, header.err_number, header.files_max,
                             header.file_bytes);
}

void start_task(Agent& agent) {
    std::uint32_t size = 0;
    char* const bytes = receive_start(agent, size);
    Start& start = self.start;
    if (!parse_start(bytes, size, start)) refuse(agent, EINVAL, Step::message);
    if (!Text(record_file).add(start.record_file).fits() || !name_draft())
        refuse(agent, ENAMETOOLONG, Step::message);
    if (const int error = reserve_record()) refuse(agent, error, Step::record);
    Text(group).add(start.group);
    const StartHeader& header = start.header;
    if ((header.flags & kNoLogs) == 0 && !open_logs(start)) refuse(agent, errno, Step::logs);
    self.record.run = header.run;
    self.record.started = wall_now();
    self.record.pid = launch_by_kind(agent);
    if (!write_record(false)) {
        const int error = errno;
        kill_all();
        if (self.is(LaunchKind::container)) remove_container(start);
        if (self.is(LaunchKind::engine)) self.engine.remove();
        refuse(agent, error, Step::record);
    }
    reserve_record();
    // A container's removal needs its arguments; of a plain process nothing is needed any more.
    if (!self.is(LaunchKind::container)) munmap(bytes, size + 1);
    for (const int fd : {self.out.pipe, self.err.pipe, agent.fd})
        if (fd >= 0) fcntl(fd, F_SETFL, O_NONBLOCK);
    tell(agent);
}

/// The task's own events: its children for the kinds that have some, else its engine's words.
void attend(const pollfd* waits) {
    if (waits[1].revents != 0) self.out.copy();
    if (waits[2].revents != 0) self.err.copy();
    if (waits[0].revents != 0) {
        signalfd_siginfo gone;
        while (read(self.children, &gone, sizeof gone) > 0) continue;
        if (reap() && !self.is(LaunchKind::engine)) finish();
    }
    if (!self.is(LaunchKind::engine)) return;
    Engine& engine = self.engine;
    if (waits[4].revents != 0) engine.on_output(self.out.log, self.err.log);
    if (waits[5].revents != 0) engine.on_waiting();
    if (waits[6].revents != 0) engine.on_signalling();
    if (engine.ended()) finish();
}

[[noreturn]] void run() {
    constexpr int kAgentsFrom = 7;
    for (;;) {
        const bool engine = self.is(LaunchKind::engine);
        const std::int64_t now = monotonic_now();
        pollfd waits[kAgentsFrom + kAgentsMax] = {
            {self.children, POLLIN, 0},           {self.out.wanted(now), POLLIN, 0},
            {self.err.wanted(now), POLLIN, 0},    {kListenFd, POLLIN, 0},
            {self.engine.output(), POLLIN, 0},    {self.engine.waiting(), POLLIN, 0},
            {self.engine.signalling(), POLLIN, 0}};
        bool full = true;
        for (int at = 0; at < kAgentsMax; ++at) {
            waits[kAgentsFrom + at] = {self.agents[at].fd, POLLIN, 0};
            full = full && self.agents[at].fd >= 0;
        }
        if (full) waits[3].fd = -1;
        int patience = engine ? self.engine.timeout_ms() : -1;
        for (const Stream* stream : {&self.out, &self.err}) {
            const int rest = stream->rest_ms(now);
            if (rest >= 0 && (patience < 0 || rest < patience)) patience = rest;
        }
        const int ready = poll(waits, kAgentsFrom + kAgentsMax, patience);
        if (ready < 0) continue;
        if (ready == 0 && engine) self.engine.on_time(self.err.log);
        for (int at = 0; at < kAgentsMax; ++at)
            if (waits[kAgentsFrom + at].revents != 0) listen_to(self.agents[at]);
        if (waits[3].revents != 0) welcome();
        attend(waits);
    }
}

}  // namespace

[[noreturn]] void main() {
    setsid();
    fcntl(kListenFd, F_SETFD, FD_CLOEXEC);
    prctl(PR_SET_CHILD_SUBREAPER, 1);
    // When the machine shuts down everybody is asked to end; the task shall be the first to.
    for (const int ignored : kIgnored) signal(ignored, SIG_IGN);
    sigset_t child;
    sigemptyset(&child);
    sigaddset(&child, SIGCHLD);
    sigprocmask(SIG_SETMASK, &child, nullptr);
    self.children = signalfd(-1, &child, SFD_CLOEXEC | SFD_NONBLOCK);
    start_task(self.agents[0]);
    run();
}

}  // namespace gaggle::allocrunner::shim

int main(int argc, char** argv) {
    if (argc == 2 && std::strcmp(argv[1], "--version") == 0) {
        printf("gctl-shim %s, protocol %u\n", GAGGLE_VERSION, gaggle::allocrunner::shim::kVersion);
        return 0;
    }
    if (argc == 3 && std::strcmp(argv[1], "--pause") == 0)
        return gaggle::allocrunner::shim::hold_network(argv[2]);
    if (fcntl(gaggle::allocrunner::shim::kListenFd, F_GETFD) < 0) {
        fprintf(stderr,
                "gctl-shim is started by gctl agent, once per task; it does nothing alone.\n");
        return 2;
    }
    gaggle::allocrunner::shim::main();
}
