#include "allocrunner/replica/worker_posix.h"

#include <pthread.h>

#include <chrono>
#include <condition_variable>
#include <deque>
#include <mutex>
#include <thread>

#include "allocrunner/replica/file_tree_posix.h"
#include "base/log.h"

namespace gaggle::replica {

namespace {

WallTime wall_time() {
    const auto since = std::chrono::system_clock::now().time_since_epoch();
    return {std::chrono::duration_cast<std::chrono::nanoseconds>(since).count()};
}

}  // namespace

struct CopyWorker::Impl {
    CopyWorkerConfig config;
    std::function<void(Input)> deliver;
    std::unique_ptr<FileTree> files;
    Copier copier;

    std::mutex copies;  ///< held while the holder's side of `copier` is used

    std::mutex mutex;  ///< of what follows
    std::condition_variable changed;
    std::deque<Work> queue;
    bool stopping = false;
    std::thread thread;

    Impl(CopyWorkerConfig c, std::function<void(Input)> d, std::unique_ptr<FileTree> f)
        : config(std::move(c)),
          deliver(std::move(d)),
          files(std::move(f)),
          copier(*files, config.places) {}

    std::optional<Input> carry_out(const Work& work) {
        std::unique_lock lock(copies, std::defer_lock);
        if (!Copier::is_of_source(work)) lock.lock();
        std::string problem;
        auto result = copier.carry_out(work, wall_time(), problem);
        if (!problem.empty()) log::warn("{}", problem);
        return result;
    }

    void run() {
        pthread_setname_np(pthread_self(), "copies");
        for (;;) {
            std::unique_lock lock(mutex);
            changed.wait(lock, [&] { return stopping || !queue.empty(); });
            if (stopping) return;
            const Work work = std::move(queue.front());
            queue.pop_front();
            lock.unlock();
            changed.notify_all();
            if (auto result = carry_out(work)) deliver(*std::move(result));
        }
    }
};

CopyWorker::CopyWorker(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}

Result<std::unique_ptr<CopyWorker>> CopyWorker::open(CopyWorkerConfig config,
                                                     std::function<void(Input)> deliver) {
    auto files = open_file_tree(config.root);
    if (!files) return within("keep copies", std::move(files).error());
    auto impl = std::make_unique<Impl>(std::move(config), std::move(deliver), *std::move(files));
    impl->thread = std::thread([raw = impl.get()] { raw->run(); });
    return std::unique_ptr<CopyWorker>(new CopyWorker(std::move(impl)));
}

CopyWorker::~CopyWorker() { stop(); }

Recovered CopyWorker::recover() {
    const std::lock_guard lock(impl_->copies);
    auto found = impl_->copier.recover();
    for (const std::string& problem : found.problems) log::error("{}", problem);
    return {std::move(found.copies)};
}

void CopyWorker::carry_out(Work work) {
    std::unique_lock lock(impl_->mutex);
    impl_->changed.wait(
        lock, [&] { return impl_->stopping || impl_->queue.size() < impl_->config.queue_max; });
    if (impl_->stopping) return;
    impl_->queue.push_back(std::move(work));
    lock.unlock();
    impl_->changed.notify_all();
}

Result<std::string> CopyWorker::restore(const Lineage& lineage, const AllocId& alloc) {
    const std::lock_guard lock(impl_->copies);
    return impl_->copier.restore(lineage, alloc, wall_time());
}

void CopyWorker::stop() {
    {
        const std::lock_guard lock(impl_->mutex);
        impl_->stopping = true;
    }
    impl_->changed.notify_all();
    if (impl_->thread.joinable()) impl_->thread.join();
}

}  // namespace gaggle::replica
