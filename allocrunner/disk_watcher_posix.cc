#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/statvfs.h>

#include <cerrno>
#include <cmath>
#include <condition_variable>
#include <cstring>
#include <deque>
#include <mutex>
#include <thread>

#include "allocrunner/disk_notice.h"
#include "allocrunner/disk_open_files.h"
#include "allocrunner/disk_quota.h"
#include "allocrunner/disk_use.h"
#include "allocrunner/disk_walk.h"
#include "allocrunner/disk_watcher.h"
#include "allocrunner/task_links.h"
#include "base/log.h"
#include "base/unique_fd.h"

namespace gaggle::allocrunner {

namespace {

constexpr auto kPressureEvery = std::chrono::seconds(5);  ///< HostDisk, at most so often

int rounded_up(double percent) { return static_cast<int>(std::ceil(percent)); }

TimePoint steady_now() {
    return TimePoint(
        std::chrono::duration_cast<Duration>(std::chrono::steady_clock::now().time_since_epoch()));
}

}  // namespace

struct DiskWatcher::Impl {
    std::string root;  ///< without a link in it
    std::function<void(Input)> deliver;
    std::optional<DiskQuota> quota;
    std::optional<DiskNotice> notice;  ///< touched by the thread only

    mutable std::mutex mutex;
    std::condition_variable changed;
    DiskWatch core;                             ///< under the mutex
    std::deque<DiskWatch::Input> commands;      ///< under the mutex; as many as allocations
    std::map<AllocId, std::uint64_t> limits;    ///< under the mutex
    std::set<AllocId> wanted;                   ///< to be watched once limited; under the mutex
    std::map<AllocId, ProjectNumber> projects;  ///< under the mutex
    bool stopping = false;                      ///< under the mutex

    std::map<AllocId, DiskWalk> walks;  ///< of the thread, as all below
    std::optional<HostDisk> told;
    TimePoint tell_after{};
    bool owners_changed = false;
    std::thread thread;  // last: it uses the others

    explicit Impl(DiskWatchConfig config) : core(config) {}

    void say(DiskWatch::Input command) {
        commands.push_back(std::move(command));
        changed.notify_all();
    }
    void run();
    void work(DiskWatch::Effects effects, std::unique_lock<std::mutex>& lock);
    DiskWatch::Effects take_commands(DiskWatch::Effects effects);
    DiskWatch::Looked look();
    DiskWatch::Measured measure(const DiskWatch::Measure& wanted, ProjectNumber project);
    DiskWatch::Measured walk(const DiskWatch::Measure& wanted);
    DiskWatch::OpenFiles open_files(std::set<AllocId> allocs);
    void tell_pressure(const struct statvfs& disk);
};

void DiskWatcher::Impl::run() {
    ::pthread_setname_np(::pthread_self(), "usage");
    std::unique_lock lock(mutex);
    while (!stopping) {
        const auto due = core.next_wakeup();
        INVARIANT(due.has_value());  // every answer was given
        const auto wait = std::max(*due - steady_now(), Duration::zero());
        changed.wait_for(lock, wait, [&] { return stopping || !commands.empty(); });
        if (stopping) return;
        work(core.step(steady_now(), DiskWatch::Tick{}), lock);
    }
}

/// Commands change what is watched, never what is being asked for now.
DiskWatch::Effects DiskWatcher::Impl::take_commands(DiskWatch::Effects effects) {
    while (!commands.empty()) {
        const DiskWatch::Input command = std::move(commands.front());
        commands.pop_front();
        if (const auto* forget = std::get_if<DiskWatch::Forget>(&command))
            walks.erase(forget->alloc);
        else
            owners_changed = true;
        DiskWatch::Effects more = core.step(steady_now(), command);
        for (const DiskFound& found : more.found) effects.found.push_back(found);
        effects.look = effects.look || more.look;
        effects.open_files = effects.open_files || more.open_files;
        if (more.measure) effects.measure = more.measure;
    }
    return effects;
}

/// Carries out one piece after the other, without the lock, until nothing is wanted any more.
void DiskWatcher::Impl::work(DiskWatch::Effects effects, std::unique_lock<std::mutex>& lock) {
    for (;;) {
        effects = take_commands(std::move(effects));
        for (const DiskFound& found : effects.found) deliver({wall_clock(), found});
        if (stopping || (!effects.look && !effects.open_files && !effects.measure)) return;
        std::set<AllocId> allocs;
        ProjectNumber project = 0;
        if (effects.open_files) allocs = core.watched();
        if (effects.measure && projects.contains(effects.measure->alloc))
            project = projects.at(effects.measure->alloc);
        lock.unlock();
        DiskWatch::Input answer;
        if (effects.look)
            answer = look();
        else if (effects.open_files)
            answer = open_files(std::move(allocs));
        else
            answer = measure(*effects.measure, project);
        lock.lock();
        effects = core.step(steady_now(), answer);
    }
}

DiskWatch::Looked DiskWatcher::Impl::look() {
    DiskWatch::Looked looked{.notified = notice.has_value()};
    struct statvfs disk {};
    if (::statvfs(root.c_str(), &disk) == 0) {
        looked.used = static_cast<std::uint64_t>(disk.f_blocks - disk.f_bfree) * disk.f_frsize;
        tell_pressure(disk);
    }
    if (!notice) return looked;
    if (std::exchange(owners_changed, false)) notice->forget_owners();
    DiskNotice::Changes changes = notice->take();
    looked.touched = std::move(changes.touched);
    looked.all_touched = changes.anywhere;
    return looked;
}

void DiskWatcher::Impl::tell_pressure(const struct statvfs& disk) {
    const std::uint64_t used = disk.f_blocks - disk.f_bfree;
    const HostDisk now{
        .used_percent = rounded_up(full_percent(used, disk.f_bavail)),
        .inodes_percent = rounded_up(full_percent(disk.f_files - disk.f_ffree, disk.f_ffree))};
    if (told == now || steady_now() < tell_after) return;
    told = now;
    tell_after = steady_now() + kPressureEvery;
    deliver({wall_clock(), now});
}

DiskWatch::Measured DiskWatcher::Impl::measure(const DiskWatch::Measure& wanted,
                                               ProjectNumber project) {
    if (project == 0 || !quota) return walk(wanted);
    const Result<DiskUse> use = quota->use(project);
    if (use.ok())
        return {.alloc = wanted.alloc, .entries = 1, .done = true, .exact = true, .use = *use};
    log::warn("allocation {}: {}; its directory is walked instead", to_string(wanted.alloc),
              use.error().detail);
    const std::lock_guard lock(mutex);
    projects.erase(wanted.alloc);
    return walk(wanted);
}

DiskWatch::Measured DiskWatcher::Impl::walk(const DiskWatch::Measure& wanted) {
    DiskWatch::Measured out{.alloc = wanted.alloc};
    if (wanted.anew) {
        walks.erase(wanted.alloc);
        auto begun = DiskWalk::begin(root + "/" + to_string(wanted.alloc));
        if (begun.ok()) walks.emplace(wanted.alloc, std::move(*begun));
        // A task may have removed its own directory: then it takes nothing.
        else if (begun.error().code != Errc::not_found)
            log::warn("allocation {}: {}", to_string(wanted.alloc), begun.error().detail);
    }
    const auto found = walks.find(wanted.alloc);
    out.done = found == walks.end();
    if (out.done) return out;
    const DiskWalk::Slice slice = found->second.advance(wanted.entries_max, wanted.enough);
    out.entries = slice.entries;
    out.done = slice.done;
    out.use = found->second.use();
    if (!slice.done) return out;
    if (found->second.missed() > 0)
        log::debug("allocation {}: {} directories could not be measured", to_string(wanted.alloc),
                   found->second.missed());
    walks.erase(found);
    return out;
}

DiskWatch::OpenFiles DiskWatcher::Impl::open_files(std::set<AllocId> allocs) {
    return look_at_open_files(root, allocs);
}

DiskWatcher::DiskWatcher(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
DiskWatcher::~DiskWatcher() { stop(); }

Result<std::unique_ptr<DiskWatcher>> DiskWatcher::open(const std::string& alloc_root,
                                                       std::function<void(Input)> deliver,
                                                       DiskWatchConfig config) {
    auto impl = std::make_unique<Impl>(config);
    const std::unique_ptr<char, decltype(&::free)> real(::realpath(alloc_root.c_str(), nullptr),
                                                        &::free);
    if (!real)
        return {Errc::io, "watch the disk under " + alloc_root + ": " + std::strerror(errno)};
    impl->root = real.get();
    impl->deliver = std::move(deliver);
    if (auto quota = DiskQuota::open(impl->root); quota.ok())
        impl->quota = std::move(*quota);
    else
        log::debug("{}", quota.error().detail);
    // With quota too: it tells which books to ask for.
    if (auto notice = DiskNotice::open(impl->root); notice.ok())
        impl->notice = std::move(*notice);
    else
        log::debug("{}; changes below it are looked for instead", notice.error().detail);
    impl->thread = std::thread([raw = impl.get()] { raw->run(); });
    return std::unique_ptr<DiskWatcher>(new DiskWatcher(std::move(impl)));
}

void DiskWatcher::set_limit(const AllocId& alloc, std::uint64_t limit) {
    const std::lock_guard lock(impl_->mutex);
    impl_->limits[alloc] = limit;
    if (!impl_->wanted.contains(alloc)) return;
    if (limit > 0)
        impl_->say(DiskWatch::Watch{alloc, limit});
    else
        impl_->say(DiskWatch::Forget{alloc});
}

void DiskWatcher::watch(const AllocId& alloc) {
    std::optional<ProjectNumber> project;
    if (impl_->quota) {
        const auto enrolled = impl_->quota->enrol(impl_->root + "/" + to_string(alloc));
        if (enrolled.ok())
            project = *enrolled;
        else
            log::warn("allocation {}: {}; its directory is walked instead", to_string(alloc),
                      enrolled.error().detail);
    }
    const std::lock_guard lock(impl_->mutex);
    impl_->wanted.insert(alloc);
    if (project) impl_->projects[alloc] = *project;
    const auto limit = impl_->limits.find(alloc);
    if (limit == impl_->limits.end() || limit->second == 0) return;
    impl_->say(DiskWatch::Watch{alloc, limit->second});
}

void DiskWatcher::rest(const AllocId& alloc) {
    const std::lock_guard lock(impl_->mutex);
    impl_->wanted.erase(alloc);
    impl_->say(DiskWatch::Forget{alloc});
}

void DiskWatcher::forget(const AllocId& alloc) {
    const std::lock_guard lock(impl_->mutex);
    impl_->limits.erase(alloc);
    impl_->wanted.erase(alloc);
    impl_->projects.erase(alloc);
    impl_->say(DiskWatch::Forget{alloc});
}

std::optional<DiskUse> DiskWatcher::use(const AllocId& alloc) const {
    const std::lock_guard lock(impl_->mutex);
    return impl_->core.use(alloc);
}

const char* DiskWatcher::method() const {
    return impl_->quota ? "project quota" : impl_->notice ? "notification and walk" : "walk";
}

void DiskWatcher::stop() {
    {
        const std::lock_guard lock(impl_->mutex);
        impl_->stopping = true;
        impl_->changed.notify_all();
    }
    if (impl_->thread.joinable()) impl_->thread.join();
}

}  // namespace gaggle::allocrunner
