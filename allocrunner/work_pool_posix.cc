#include <pthread.h>

#include <condition_variable>
#include <deque>
#include <list>
#include <map>
#include <mutex>
#include <system_error>
#include <thread>
#include <utility>

#include "allocrunner/work_pool.h"
#include "base/assert.h"

namespace gaggle::allocrunner {

struct WorkPool::Impl {
    explicit Impl(WorkPoolConfig how) : config(how) {}

    /// An allocation with work.
    struct Line {
        std::deque<Piece> pieces;
        bool taken = false;  ///< one of its pieces runs, or it is in `ready`
    };
    using Threads = std::list<std::thread>;

    const WorkPoolConfig config;
    std::mutex mutex;  // guards what follows
    std::condition_variable changed;
    std::condition_variable room;
    std::condition_variable stop_asked;
    std::condition_variable left;  ///< a thread has ended
    std::map<AllocId, Line> lines;
    std::deque<AllocId> ready;  ///< lines whose next piece may run
    std::size_t waiting = 0;    ///< pieces
    std::size_t running = 0;    ///< pieces
    std::uint64_t begun = 0;    ///< pieces, ever
    bool stopping = false;
    Threads threads;
    Threads ended;  ///< to be joined

    /// False when the machine has none to give: then those that are there must do.
    bool make_thread() {
        threads.emplace_back();
        const auto self = std::prev(threads.end());
        try {
            *self = std::thread([this, self] { run(self); });
        } catch (const std::system_error&) {
            threads.erase(self);
            return false;
        }
        return true;
    }

    /// One thread more than runs pieces, so that one is there to notice that the others are stuck.
    std::size_t usual() const { return config.threads + 1; }

    /// Nothing is lost without one of the idle threads.
    bool is_spare() const { return threads.size() > usual() && threads.size() - running > 1; }

    bool all_busy() const { return running >= config.threads; }

    /// All are busy: whether they have begun nothing meanwhile.
    bool are_stuck(std::unique_lock<std::mutex>& lock) {
        const std::uint64_t before = begun;
        stop_asked.wait_for(lock, config.stuck_after, [this] { return stopping; });
        return stopping || begun == before;
    }

    void run(Threads::iterator self) {
        ::pthread_setname_np(::pthread_self(), "tasks");
        std::unique_lock lock(mutex);
        for (;;) {
            if (ready.empty() && is_spare()) break;
            changed.wait(lock, [this] { return stopping || !ready.empty(); });
            if (ready.empty()) break;
            if (all_busy() && (!are_stuck(lock) || ready.empty())) continue;
            act(lock);
        }
        ended.splice(ended.end(), threads, self);
        left.notify_one();
    }

    void act(std::unique_lock<std::mutex>& lock) {
        const AllocId alloc = ready.front();
        ready.pop_front();
        auto line = lines.find(alloc);
        const Piece piece = std::move(line->second.pieces.front());
        line->second.pieces.pop_front();
        --waiting;
        ++running;
        ++begun;
        if (running >= threads.size() && threads.size() < config.threads_max) (void)make_thread();
        room.notify_one();
        lock.unlock();
        piece();
        lock.lock();
        --running;
        if (line->second.pieces.empty())
            lines.erase(line);
        else
            ready.push_back(alloc);
    }

    void join_ended(std::unique_lock<std::mutex>& lock) {
        Threads done;
        done.splice(done.end(), ended);
        lock.unlock();
        for (std::thread& thread : done) thread.join();
        lock.lock();
    }
};

WorkPool::WorkPool(WorkPoolConfig config) : impl_(std::make_unique<Impl>(config)) {
    const std::lock_guard lock(impl_->mutex);
    for (std::size_t at = 0; at < impl_->usual(); ++at) (void)impl_->make_thread();
    INVARIANT(!impl_->threads.empty());
}

WorkPool::~WorkPool() { stop(); }

void WorkPool::push(const AllocId& alloc, Piece piece) {
    Impl& impl = *impl_;
    std::unique_lock lock(impl.mutex);
    if (!impl.ended.empty()) impl.join_ended(lock);
    if (impl.stopping) return;  // whoever still asks is being stopped too
    Impl::Line& line = impl.lines[alloc];
    line.pieces.push_back(std::move(piece));
    ++impl.waiting;
    if (std::exchange(line.taken, true)) return;
    impl.ready.push_back(alloc);
    impl.changed.notify_one();
}

void WorkPool::wait_for_room() {
    Impl& impl = *impl_;
    std::unique_lock lock(impl.mutex);
    impl.room.wait(lock, [&] { return impl.stopping || impl.waiting < impl.config.pieces_max; });
}

void WorkPool::stop() {
    Impl& impl = *impl_;
    std::unique_lock lock(impl.mutex);
    impl.stopping = true;
    impl.changed.notify_all();
    impl.room.notify_all();
    impl.stop_asked.notify_all();
    while (!impl.threads.empty() || !impl.ended.empty()) {
        impl.left.wait(lock, [&] { return impl.threads.empty() || !impl.ended.empty(); });
        impl.join_ended(lock);
    }
}

}  // namespace gaggle::allocrunner
