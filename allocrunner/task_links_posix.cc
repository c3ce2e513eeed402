#include <pthread.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <map>
#include <mutex>
#include <optional>
#include <set>
#include <thread>
#include <vector>

#include "allocrunner/check_probe.h"
#include "allocrunner/task_links.h"
#include "base/log.h"

namespace gaggle::allocrunner {

namespace {

constexpr int kEventsMax = 64;
constexpr Duration kReapAgain = 50ms;  // a shim ends a moment after its last word

TimePoint boot_clock() {
    timespec time{};
    clock_gettime(CLOCK_BOOTTIME, &time);
    return TimePoint(std::chrono::seconds(time.tv_sec) +
                     std::chrono::duration_cast<Duration>(std::chrono::nanoseconds(time.tv_nsec)));
}

struct Link {
    AllocId alloc;
    std::string alloc_dir;
    std::string task;
    LiveShim shim;
    FrameReader reader;
};

struct Probe {
    CheckProbe probe;
    TimePoint deadline;
};

}  // namespace

WallTime wall_clock() {
    timespec time{};
    clock_gettime(CLOCK_REALTIME, &time);
    return {time.tv_sec * 1'000'000'000LL + time.tv_nsec};
}

TaskExit exit_of(const shim::Record& record) {
    TaskExit exit{.code = record.code,
                  .signal = record.signal,
                  .out_of_memory = false,
                  .at = {record.finished},
                  .message = {}};
    if (record.log_bytes_lost > 0)
        exit.message = std::to_string(record.log_bytes_lost) +
                       " bytes of its output could not be written (full disk?)";
    return exit;
}

struct TaskLinks::Impl {
    std::function<void(Input)> deliver;
    UniqueFd epoll;
    UniqueFd wake;
    std::thread thread;

    std::mutex mutex;  // guards what follows
    bool stopping = false;
    std::uint64_t last_key = 0;  ///< 0 is `wake`
    std::map<std::uint64_t, Link> links;
    std::map<std::uint64_t, Probe> probes;
    std::set<std::pair<TimePoint, std::uint64_t>> deadlines;  ///< of probes
    std::set<std::int64_t> ending;                            ///< shims to be waited for

    bool add(int fd, std::uint64_t key, std::uint32_t events) {
        epoll_event event{};
        event.events = events;
        event.data.u64 = key;
        return epoll_ctl(epoll.get(), EPOLL_CTL_ADD, fd, &event) == 0;
    }

    void nudge() {
        const std::uint64_t one = 1;
        if (write(wake.get(), &one, sizeof one) < 0) log::debug("wake links: {}", errno);
    }

    Link* find(const AllocId& alloc, const std::string& task) {
        for (auto& [key, link] : links)
            if (link.alloc == alloc && link.task == task) return &link;
        return nullptr;
    }

    int wait_ms() {
        const std::lock_guard lock(mutex);
        std::optional<Duration> wait;
        if (!ending.empty()) wait = kReapAgain;
        if (!deadlines.empty()) {
            const Duration left = std::max(Duration(0), deadlines.begin()->first - boot_clock());
            wait = wait ? std::min(*wait, left) : left;
        }
        return wait ? static_cast<int>(wait->count() / 1'000 + 1) : -1;
    }

    /// What a link that is ready has to say; an exit when it is over.
    std::optional<TaskExit> read_link(Link& link) {
        std::uint8_t bytes[512];
        const ssize_t got = read(link.shim.socket.get(), bytes, sizeof bytes);
        if (got < 0 && (errno == EAGAIN || errno == EINTR)) return std::nullopt;
        if (got > 0) {
            link.reader.feed(BytesView(bytes, static_cast<std::size_t>(got)));
            for (auto frame = link.reader.next(); frame && *frame; frame = link.reader.next()) {
                if ((*frame)->kind != shim::Kind::state) continue;
                const auto record = record_of((*frame)->payload);
                if (record && record->state == shim::RecordState::exited) return exit_of(*record);
            }
            return std::nullopt;
        }
        // The shim went without a word: it was killed, or it wrote down how the task ended.
        const auto record = read_record(link.alloc_dir, link.task);
        if (record && record->run == link.shim.record.run &&
            record->state == shim::RecordState::exited)
            return exit_of(*record);
        kill_left_behind(link.shim.record);
        return TaskExit{.code = 0,
                        .signal = SIGKILL,
                        .out_of_memory = false,
                        .at = wall_clock(),
                        .message = "its supervisor gctl-shim was killed, and the task with it"};
    }

    void on_link(std::uint64_t key, std::vector<Input>& out) {
        const auto found = links.find(key);
        if (found == links.end()) return;
        Link& link = found->second;
        const auto exit = read_link(link);
        if (!exit) return;
        const std::uint64_t run = link.shim.record.run;
        out.push_back({wall_clock(), TaskExited{link.alloc, link.task, run, *exit}});
        if (link.shim.shim_pid > 0) ending.insert(link.shim.shim_pid);
        links.erase(found);
    }

    void finish_probe(std::map<std::uint64_t, Probe>::iterator probe, const ProbeResult& result,
                      std::vector<Input>& out) {
        const RunCheck& check = probe->second.probe.check();
        out.push_back(
            {wall_clock(), CheckDone{check.alloc, check.check, result.ok, result.output}});
        deadlines.erase({probe->second.deadline, probe->first});
        probes.erase(probe);
    }

    void on_probe(std::uint64_t key, std::vector<Input>& out) {
        const auto found = probes.find(key);
        if (found == probes.end()) return;
        CheckProbe& probe = found->second.probe;
        const auto result = probe.advance();
        if (result) return finish_probe(found, *result, out);
        epoll_event event{};
        event.events = probe.wants_to_read() ? EPOLLIN : EPOLLOUT;
        event.data.u64 = key;
        epoll_ctl(epoll.get(), EPOLL_CTL_MOD, probe.fd(), &event);
    }

    void time_out_probes(std::vector<Input>& out) {
        const TimePoint present = boot_clock();
        while (!deadlines.empty() && deadlines.begin()->first <= present) {
            const auto probe = probes.find(deadlines.begin()->second);
            finish_probe(probe, probe->second.probe.timed_out(), out);
        }
    }

    void reap() {
        for (auto pid = ending.begin(); pid != ending.end();) {
            const pid_t gone = waitpid(static_cast<pid_t>(*pid), nullptr, WNOHANG);
            pid = gone != 0 ? ending.erase(pid) : std::next(pid);
        }
    }

    void run() {
        for (;;) {
            epoll_event events[kEventsMax];
            const int ready = epoll_wait(epoll.get(), events, kEventsMax, wait_ms());
            std::vector<Input> out;
            {
                const std::lock_guard lock(mutex);
                if (stopping) return;
                for (int at = 0; at < ready; ++at) {
                    const std::uint64_t key = events[at].data.u64;
                    std::uint64_t nudges = 0;
                    if (key == 0 && read(wake.get(), &nudges, sizeof nudges) < 0) continue;
                    on_link(key, out);
                    on_probe(key, out);
                }
                time_out_probes(out);
                reap();
            }
            for (Input& input : out) deliver(std::move(input));
        }
    }
};

TaskLinks::TaskLinks(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
TaskLinks::~TaskLinks() { stop(); }

Result<std::unique_ptr<TaskLinks>> TaskLinks::open(std::function<void(Input)> deliver) {
    auto impl = std::make_unique<Impl>();
    impl->deliver = std::move(deliver);
    impl->epoll.reset(epoll_create1(EPOLL_CLOEXEC));
    impl->wake.reset(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
    if (!impl->epoll || !impl->wake || !impl->add(impl->wake.get(), 0, EPOLLIN))
        return Error{Errc::io, "watch tasks: make an epoll set: " + std::string(strerror(errno))};
    impl->thread = std::thread([raw = impl.get()] {
        ::pthread_setname_np(::pthread_self(), "links");
        raw->run();
    });
    return std::unique_ptr<TaskLinks>(new TaskLinks(std::move(impl)));
}

void TaskLinks::watch(const AllocId& alloc, const std::string& alloc_dir, const std::string& task,
                      LiveShim shim) {
    const std::lock_guard lock(impl_->mutex);
    const std::uint64_t key = ++impl_->last_key;
    const int fd = shim.socket.get();
    impl_->links.emplace(key, Link{alloc, alloc_dir, task, std::move(shim), {}});
    // Without memory for that in the kernel nothing else would work either.
    INVARIANT(impl_->add(fd, key, EPOLLIN));
}

void TaskLinks::signal(const AllocId& alloc, const std::string& task, std::int32_t number) {
    const std::lock_guard lock(impl_->mutex);
    const Link* link = impl_->find(alloc, task);
    const Result<void> sent = link ? send_signal(link->shim.socket.get(), number) : Result<void>();
    if (!sent) log::warn("signal task {}: {}", task, sent.error().detail);
}

void TaskLinks::kill(const AllocId& alloc, const std::string& task) {
    const std::lock_guard lock(impl_->mutex);
    const Link* link = impl_->find(alloc, task);
    const Result<void> sent = link ? send_kill(link->shim.socket.get()) : Result<void>();
    if (!sent) log::warn("kill task {}: {}", task, sent.error().detail);
}

void TaskLinks::check(const RunCheck& check) {
    std::optional<ProbeResult> decided;
    {
        const std::lock_guard lock(impl_->mutex);
        const std::uint64_t key = ++impl_->last_key;
        const TimePoint deadline = boot_clock() + check.timeout;
        Probe& probe = impl_->probes.emplace(key, Probe{CheckProbe(check), deadline}).first->second;
        decided = probe.probe.begin();
        const std::uint32_t events = probe.probe.wants_to_read() ? EPOLLIN : EPOLLOUT;
        if (!decided && !impl_->add(probe.probe.fd(), key, events))
            decided = ProbeResult{false, std::string("watch the check: ") + strerror(errno)};
        if (decided)
            impl_->probes.erase(key);
        else
            impl_->deadlines.insert({deadline, key});
    }
    if (decided)
        return impl_->deliver(
            {wall_clock(), CheckDone{check.alloc, check.check, decided->ok, decided->output}});
    impl_->nudge();  // its deadline may be the next
}

void TaskLinks::stop() {
    {
        const std::lock_guard lock(impl_->mutex);
        impl_->stopping = true;
    }
    impl_->nudge();
    if (impl_->thread.joinable()) impl_->thread.join();
    impl_->links.clear();
    impl_->probes.clear();
}

}  // namespace gaggle::allocrunner
