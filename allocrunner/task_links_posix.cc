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
#include <utility>
#include <vector>

#include "allocrunner/check_probe.h"
#include "allocrunner/drivers/cores.h"
#include "allocrunner/task_links.h"
#include "base/log.h"

namespace gaggle::allocrunner {

namespace {

constexpr int kEventsMax = 64;
constexpr Duration kReapAgain = 50ms;  // a shim ends a moment after its last word
constexpr Duration kCallAgain = 1s;    // a shim that could not be called

TimePoint boot_clock() {
    timespec time{};
    clock_gettime(CLOCK_BOOTTIME, &time);
    return TimePoint(std::chrono::seconds(time.tv_sec) +
                     std::chrono::duration_cast<Duration>(std::chrono::nanoseconds(time.tv_nsec)));
}

struct Link {
    TaskPlace place;
    ShimCall call;
    std::int64_t shim_pid = 0;  ///< to be waited for when it is this process's child; else 0
    shim::Record record;
    bool heard = true;
    std::optional<TimePoint> told_to_kill;  ///< and has not said a word since
    std::set<std::int32_t> signals;         ///< to be sent once it is called
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
                  .out_of_memory = (record.flags & shim::kOutOfMemory) != 0,
                  .at = {record.finished},
                  .message = {}};
    if ((record.flags & shim::kEngineLost) != 0)
        exit.message = "its container vanished from the engine; how it ended is not known";
    if (record.log_bytes_lost > 0)
        exit.message += (exit.message.empty() ? "" : "; ") + std::to_string(record.log_bytes_lost) +
                        " bytes of its output could not be written (full disk?)";
    return exit;
}

struct TaskLinks::Impl {
    std::function<void(Input)> deliver;
    Duration deaf_after = kShimDeafAfter;
    UniqueFd epoll;
    UniqueFd wake;
    std::thread thread;

    std::mutex mutex;  // guards what follows
    bool stopping = false;
    std::uint64_t last_key = 0;  ///< 0 is `wake`
    std::map<std::uint64_t, Link> links;
    std::map<std::pair<AllocId, std::string>, std::uint64_t> keys;  ///< of links, the newest each
    std::map<std::uint64_t, Probe> probes;
    std::set<std::pair<TimePoint, std::uint64_t>> deadlines;  ///< of probes
    std::set<std::int64_t> ending;                            ///< shims to be waited for
    std::optional<TimePoint> call_again;                      ///< some link has no socket
    // To be killed by the thread, without the lock: that looks at every process of the machine.
    std::set<std::string> deaf;               ///< shims, by title
    std::vector<shim::Record> left_behind;    ///< by shims that went without a word

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
        const auto key = keys.find({alloc, task});
        return key == keys.end() ? nullptr : &links.at(key->second);
    }

    int wait_ms() {
        const std::lock_guard lock(mutex);
        std::optional<Duration> wait;
        if (!ending.empty()) wait = kReapAgain;
        const auto not_after = [&](TimePoint due) {
            const Duration left = std::max(Duration(0), due - boot_clock());
            wait = wait ? std::min(*wait, left) : left;
        };
        if (!deadlines.empty()) not_after(deadlines.begin()->first);
        if (call_again) not_after(*call_again);
        return wait ? static_cast<int>(wait->count() / 1'000 + 1) : -1;
    }

    void watch(Link link) {
        const std::uint64_t key = ++last_key;
        keys[{link.place.alloc, link.place.task}] = key;
        listen_to(key, links.emplace(key, std::move(link)).first->second);
        if (call_again) nudge();  // it may be due before what the thread waits for
    }

    /// From here on what the link's shim says is heard; a link without a socket is called later.
    void listen_to(std::uint64_t key, const Link& link) {
        // Without memory for that in the kernel nothing else would work either.
        if (link.call.socket) INVARIANT(add(link.call.socket.get(), key, EPOLLIN));
        if (!link.call.socket && !call_again) call_again = boot_clock() + kCallAgain;
    }

    /// What a link that is ready has to say; an exit when it is over.
    std::optional<TaskExit> read_link(Link& link, std::vector<Input>& out) {
        std::uint8_t bytes[512];
        const ssize_t got = read(link.call.socket.get(), bytes, sizeof bytes);
        if (got < 0 && (errno == EAGAIN || errno == EINTR)) return std::nullopt;
        if (got <= 0) return last_word(link);
        FrameReader& reader = link.call.reader;
        reader.feed(BytesView(bytes, static_cast<std::size_t>(got)));
        for (auto frame = reader.next(); frame && *frame; frame = reader.next()) {
            link.told_to_kill.reset();
            if ((*frame)->kind != shim::Kind::state) continue;
            const auto record = record_of((*frame)->payload);
            if (!record) continue;
            link.record = *record;
            const TaskPlace& at = link.place;
            if (!std::exchange(link.heard, true))
                out.push_back(
                    {wall_clock(), TaskStarted{at.alloc, at.task, record->run, record->pid,
                                               own_cores(at.alloc_dir, at.task)}});
            if (record->state == shim::RecordState::exited) return exit_of(*record);
        }
        return std::nullopt;
    }

    /// For a shim that went without a word: it was killed, or it wrote down how the task ended.
    TaskExit last_word(Link& link) {
        const auto record = read_record(link.place.alloc_dir, link.place.task);
        if (record && !link.heard) link.record = *record;
        if (record && record->run == link.record.run && record->state == shim::RecordState::exited)
            return exit_of(*record);
        left_behind.push_back(link.record);
        return TaskExit{.code = 0,
                        .signal = SIGKILL,
                        .out_of_memory = false,
                        .at = wall_clock(),
                        .message = "its supervisor gctl-shim was killed, and the task with it"};
    }

    void end_link(std::map<std::uint64_t, Link>::iterator ended, const TaskExit& exit,
                  std::vector<Input>& out) {
        const Link& link = ended->second;
        const TaskPlace& at = link.place;
        out.push_back({wall_clock(), TaskExited{at.alloc, at.task, link.record.run, exit}});
        if (link.shim_pid > 0) ending.insert(link.shim_pid);
        const auto key = keys.find({at.alloc, at.task});
        if (key != keys.end() && key->second == ended->first) keys.erase(key);
        links.erase(ended);
    }

    void on_link(std::uint64_t key, std::vector<Input>& out) {
        const auto found = links.find(key);
        if (found == links.end() || !found->second.call.socket) return;
        const auto exit = read_link(found->second, out);
        if (exit) end_link(found, *exit, out);
    }

    void call_those_not_reached(std::vector<Input>& out) {
        if (!call_again || boot_clock() < *call_again) return;
        call_again.reset();
        for (auto next = links.begin(); next != links.end();) {
            const auto at = next++;
            Link& link = at->second;
            if (link.call.socket) continue;
            link.call = call_shim(link.place.alloc_dir, link.place.task);
            if (link.call.reach == ShimReach::gone) {
                end_link(at, last_word(link), out);
                continue;
            }
            listen_to(at->first, link);
            send_signals(link);
            if (link.told_to_kill) kill(link);
        }
    }

    void send_signals(Link& link) {
        if (!link.call.socket) return;
        for (const std::int32_t number : std::exchange(link.signals, {})) {
            const Result<void> sent = send_signal(link.call.socket.get(), number);
            if (!sent) log::warn("signal task {}: {}", link.place.title(), sent.error().detail);
        }
    }

    void kill(Link& link) {
        const TimePoint now = boot_clock();
        if (!link.told_to_kill) link.told_to_kill = now;
        if (now - *link.told_to_kill >= deaf_after) {
            log::error("task {}: its supervisor does not hear that it shall be killed, and is "
                       "killed itself",
                       link.place.title());
            deaf.insert(link.place.title());
            return nudge();
        }
        if (!link.call.socket) return;  // it is told once it is called
        Result<void> sent = send_kill(link.call.socket.get());
        if (sent) sent = send_hello(link.call.socket.get());  // to be answered, if it hears
        if (!sent) log::warn("kill task {}: {}", link.place.title(), sent.error().detail);
    }

    void finish_probe(std::map<std::uint64_t, Probe>::iterator probe, const ProbeResult& result,
                      std::vector<Input>& out) {
        const RunCheck& check = probe->second.probe.check();
        out.push_back(
            {wall_clock(),
             CheckDone{check.alloc, check.check, result.ok, result.output, result.warning,
                       result.code}});
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
            std::set<std::string> shims;
            std::vector<shim::Record> left;
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
                call_those_not_reached(out);
                reap();
                shims.swap(deaf);
                left.swap(left_behind);
            }
            kill_shims(shims);
            kill_left_behind(left);  // before anybody hears that the tasks have ended
            for (Input& input : out) deliver(std::move(input));
        }
    }
};

TaskLinks::TaskLinks(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
TaskLinks::~TaskLinks() { stop(); }

Result<std::unique_ptr<TaskLinks>> TaskLinks::open(std::function<void(Input)> deliver,
                                                   Duration deaf_after) {
    auto impl = std::make_unique<Impl>();
    impl->deliver = std::move(deliver);
    impl->deaf_after = deaf_after;
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

void TaskLinks::watch(TaskPlace place, LiveShim shim) {
    ShimCall call{ShimReach::reached, std::move(shim.socket), {}};
    const std::lock_guard lock(impl_->mutex);
    impl_->deliver({wall_clock(),
                    TaskStarted{place.alloc, place.task, shim.record.run, shim.record.pid,
                                own_cores(place.alloc_dir, place.task)}});
    impl_->watch({std::move(place), std::move(call), shim.shim_pid, shim.record, true});
}

void TaskLinks::watch(TaskPlace place, ShimCall call, const shim::Record& record, bool heard) {
    const std::lock_guard lock(impl_->mutex);
    impl_->watch({std::move(place), std::move(call), 0, record, heard});
}

void TaskLinks::signal(const AllocId& alloc, const std::string& task, std::int32_t number) {
    const std::lock_guard lock(impl_->mutex);
    Link* link = impl_->find(alloc, task);
    if (link == nullptr) return;
    link->signals.insert(number);
    impl_->send_signals(*link);
}

void TaskLinks::kill(const AllocId& alloc, const std::string& task) {
    const std::lock_guard lock(impl_->mutex);
    Link* link = impl_->find(alloc, task);
    if (link != nullptr) impl_->kill(*link);
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
    impl_->keys.clear();
    impl_->probes.clear();
}

}  // namespace gaggle::allocrunner
