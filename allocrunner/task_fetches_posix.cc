#include <pthread.h>

#include <algorithm>
#include <condition_variable>
#include <deque>
#include <map>
#include <mutex>
#include <thread>
#include <utility>
#include <vector>

#include "allocrunner/task_fetches.h"

namespace gaggle::allocrunner {

struct TaskFetches::Impl {
    struct Fetch {
        Fetching what;
        std::map<Key, Waiter> waiters;
    };
    using Shared = std::shared_ptr<Fetch>;  // of the list and of the thread that runs it

    std::mutex mutex;  // guards what follows
    std::condition_variable changed;
    std::vector<Shared> fetches;  ///< that somebody waits for
    std::deque<Shared> waiting;   ///< for a thread
    std::size_t idle = 0;         ///< threads
    bool stopping = false;
    std::vector<std::thread> threads;

    /// Nobody waits for it; who needs the same from now on begins anew.
    bool is_given_up(const Shared& fetch) const { return stopping || fetch->waiters.empty(); }

    void forget(const Shared& fetch) {
        std::erase(fetches, fetch);
        std::erase(waiting, fetch);
    }

    FetchWatch watch(const Shared& fetch) {
        return {.say =
                    [this, fetch](const std::string& line) {
                        const std::lock_guard lock(mutex);
                        if (stopping) return;
                        for (const auto& [task, waiter] : fetch->waiters) waiter.say(line);
                    },
                .cancelled =
                    [this, fetch] {
                        const std::lock_guard lock(mutex);
                        return is_given_up(fetch);
                    }};
    }

    void work() {
        ::pthread_setname_np(::pthread_self(), "images");
        std::unique_lock lock(mutex);
        for (;;) {
            ++idle;
            changed.wait(lock, [this] { return stopping || !waiting.empty(); });
            --idle;
            if (stopping) return;
            const Shared fetch = std::move(waiting.front());
            waiting.pop_front();
            lock.unlock();
            const Result<void> result = fetch->what.run(watch(fetch));
            lock.lock();
            if (stopping) return;
            // Told under the lock: whoever ends his wait is sure to hear nothing afterwards.
            for (const auto& [task, waiter] : fetch->waiters) waiter.ended(result);
            forget(fetch);
        }
    }
};

TaskFetches::TaskFetches() : impl_(std::make_unique<Impl>()) {}
TaskFetches::~TaskFetches() { stop(); }

void TaskFetches::begin(const Key& task, Fetching what, Waiter waiter) {
    const std::lock_guard lock(impl_->mutex);
    if (impl_->stopping) return;
    const auto same = [&](const Impl::Shared& fetch) { return fetch->what.what == what.what; };
    const auto found = std::find_if(impl_->fetches.begin(), impl_->fetches.end(), same);
    if (found != impl_->fetches.end()) {
        (*found)->waiters[task] = std::move(waiter);
        return;
    }
    auto fetch = std::make_shared<Impl::Fetch>(Impl::Fetch{std::move(what), {}});
    fetch->waiters[task] = std::move(waiter);
    impl_->fetches.push_back(fetch);
    impl_->waiting.push_back(std::move(fetch));
    // Most peers never need one: threads are made as fetches come.
    if (impl_->idle < impl_->waiting.size() && impl_->threads.size() < kFetchThreads)
        impl_->threads.emplace_back([raw = impl_.get()] { raw->work(); });
    impl_->changed.notify_one();
}

bool TaskFetches::end(const Key& task) {
    const std::lock_guard lock(impl_->mutex);
    for (const Impl::Shared& fetch : impl_->fetches) {
        if (fetch->waiters.erase(task) == 0) continue;
        if (fetch->waiters.empty()) impl_->forget(Impl::Shared(fetch));
        return true;
    }
    return false;
}

void TaskFetches::stop() {
    {
        const std::lock_guard lock(impl_->mutex);
        impl_->stopping = true;
        impl_->changed.notify_all();
    }
    for (std::thread& thread : impl_->threads)
        if (thread.joinable()) thread.join();
}

}  // namespace gaggle::allocrunner
