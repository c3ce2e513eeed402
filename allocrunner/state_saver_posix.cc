#include <pthread.h>

#include <condition_variable>
#include <deque>
#include <map>
#include <mutex>
#include <optional>
#include <thread>

#include "allocrunner/state_saver.h"

namespace gaggle::allocrunner {

struct StateSaver::Impl {
    using Key = std::pair<AllocId, SealedFile>;

    std::string alloc_root;
    std::function<void(const AllocId&, std::string)> failed;
    std::mutex mutex;
    std::condition_variable changed;
    std::map<Key, Bytes> waiting;
    std::deque<Key> turn;  ///< keys of `waiting`, and of some that were forgotten
    std::optional<AllocId> writing;
    bool stopping = false;
    std::thread thread;

    void run() {
        std::unique_lock lock(mutex);
        for (;;) {
            changed.wait(lock, [&] { return stopping || !turn.empty(); });
            if (turn.empty()) return;
            const Key key = turn.front();
            turn.pop_front();
            auto found = waiting.extract(key);
            if (found.empty()) continue;
            writing = key.first;
            lock.unlock();
            const Result<void> saved =
                save_sealed(alloc_root + "/" + to_string(key.first), key.second, found.mapped());
            if (!saved && saved.error().code != Errc::not_found)
                failed(key.first, saved.error().detail);
            lock.lock();
            writing.reset();
            changed.notify_all();
        }
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

void StateSaver::save(const AllocId& alloc, SealedFile which, Bytes bytes) {
    const std::lock_guard lock(impl_->mutex);
    const Impl::Key key{alloc, which};
    if (impl_->waiting.insert_or_assign(key, std::move(bytes)).second) impl_->turn.push_back(key);
    impl_->changed.notify_all();
}

void StateSaver::forget(const AllocId& alloc) {
    std::unique_lock lock(impl_->mutex);
    for (const SealedFile which : {SealedFile::order, SealedFile::state})
        impl_->waiting.erase({alloc, which});
    impl_->changed.wait(lock, [&] { return impl_->writing != alloc; });
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
