#include <pthread.h>

#include <condition_variable>
#include <deque>
#include <map>
#include <mutex>
#include <optional>
#include <thread>
#include <vector>

#include "allocrunner/state_saver.h"

namespace gaggle::allocrunner {

struct StateSaver::Impl {
    using Key = std::pair<AllocId, SealedFile>;
    struct Wish {
        Bytes bytes;
        std::vector<std::function<void()>> then;
    };

    std::string alloc_root;
    std::function<void(const AllocId&, std::string)> failed;
    std::mutex mutex;
    std::condition_variable changed;
    std::map<Key, Wish> waiting;
    std::deque<Key> urgent;  ///< keys of `waiting` with a `then`, and some that wait no more
    std::deque<Key> turn;    ///< keys of `waiting`, and some that wait no more
    std::optional<Key> writing;
    bool stopping = false;
    std::thread thread;

    void run() {
        std::unique_lock lock(mutex);
        for (;;) {
            changed.wait(lock, [&] { return stopping || !turn.empty() || !urgent.empty(); });
            std::deque<Key>& queue = urgent.empty() ? turn : urgent;
            if (queue.empty()) return;
            const Key key = queue.front();
            queue.pop_front();
            auto found = waiting.extract(key);
            if (found.empty()) continue;
            writing = key;
            lock.unlock();
            write(key, found.mapped());
            lock.lock();
            writing.reset();
            changed.notify_all();
        }
    }

    void write(const Key& key, const Wish& wish) {
        const Result<void> saved =
            save_sealed(alloc_root + "/" + to_string(key.first), key.second, wish.bytes);
        if (!saved && saved.error().code != Errc::not_found)
            failed(key.first, saved.error().detail);
        for (const auto& then : wish.then) then();
    }
};

StateSaver::StateSaver(std::string alloc_root,
                       std::function<void(const AllocId&, std::string)> failed)
    : impl_(std::make_unique<Impl>()) {
    impl_->alloc_root = std::move(alloc_root);
    impl_->failed = std::move(failed);
    impl_->thread = std::thread([impl = impl_.get()] {
        ::pthread_setname_np(::pthread_self(), "states");
        impl->run();
    });
}

StateSaver::~StateSaver() { stop(); }

void StateSaver::save(const AllocId& alloc, SealedFile which, Bytes bytes,
                      std::function<void()> then) {
    const std::lock_guard lock(impl_->mutex);
    const Impl::Key key{alloc, which};
    const auto [wish, is_new] = impl_->waiting.try_emplace(key);
    wish->second.bytes = std::move(bytes);
    if (is_new) impl_->turn.push_back(key);
    if (then) {
        if (wish->second.then.empty()) impl_->urgent.push_back(key);
        wish->second.then.push_back(std::move(then));
    }
    impl_->changed.notify_all();
}

void StateSaver::forget(const AllocId& alloc, SealedFile which) {
    std::unique_lock lock(impl_->mutex);
    const Impl::Key key{alloc, which};
    impl_->waiting.erase(key);
    impl_->changed.wait(lock, [&] { return impl_->writing != key; });
}

void StateSaver::forget(const AllocId& alloc) {
    for (const SealedFile which : {SealedFile::order, SealedFile::state}) forget(alloc, which);
}

void StateSaver::stop() {
    {
        const std::lock_guard lock(impl_->mutex);
        impl_->stopping = true;
        impl_->changed.notify_all();
    }
    if (impl_->thread.joinable()) impl_->thread.join();
}

}  // namespace gaggle::allocrunner
