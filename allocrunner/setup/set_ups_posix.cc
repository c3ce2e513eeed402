#include <poll.h>
#include <pthread.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <condition_variable>
#include <cstring>
#include <mutex>
#include <thread>
#include <utility>
#include <variant>

#include "allocrunner/setup/set_up_work.h"
#include "allocrunner/setup/set_ups.h"

namespace gaggle::setup {

namespace {

struct Begin {
    Plan plan;
    SetUpKind kind = SetUpKind::first;
    std::uint64_t run = 0;
};
using Asked = std::variant<Begin, TaskKey, AllocId, CatalogueSource>;

/// What workers have rendered, until the thread takes it. Theirs, too: a worker may come late.
struct Mailbox {
    UniqueFd bell;
    std::mutex mutex;
    std::vector<RenderDone> rendered;  ///< at most one a task

    void wake() const {
        const std::uint64_t one = 1;
        [[maybe_unused]] const ssize_t done = write(bell.get(), &one, sizeof one);  // never full
    }
    void push(RenderDone done) {
        {
            const std::lock_guard lock(mutex);
            rendered.push_back(std::move(done));
        }
        wake();
    }
    std::vector<RenderDone> take() {
        const std::lock_guard lock(mutex);
        return std::exchange(rendered, {});
    }
};

TimePoint read_clock() {
    timespec now{};
    clock_gettime(CLOCK_BOOTTIME, &now);
    return TimePoint(Duration(now.tv_sec * 1'000'000LL + now.tv_nsec / 1000));
}

}  // namespace

struct SetUps::Impl {
    Impl(SetUpsConfig config, SetUpsEvents events, Workers workers)
        : work(std::move(config), std::move(events),
               [this, workers = std::move(workers)](RenderOrder order) {
                   const AllocId alloc = order.plan->key.alloc;
                   const auto what = std::make_shared<RenderOrder>(std::move(order));
                   const auto piece = [to = mailbox, what] { to->push(setup::carry_out(*what)); };
                   workers ? workers(alloc, piece) : piece();
               }) {}

    void push(Asked command) {
        {
            std::unique_lock lock(mutex);
            if (std::holds_alternative<CatalogueSource>(command))  // only the newest counts
                std::erase_if(queue, [](const Asked& one) {
                    return std::holds_alternative<CatalogueSource>(one);
                });
            else  // whoever asks may wait
                room.wait(lock, [&] { return queue.size() < kCommandsMax || stopping; });
            if (stopping) return;
            queue.push_back(std::move(command));
        }
        mailbox->wake();
    }

    void run() {
        pthread_setname_np(pthread_self(), "setup");
        for (;;) {
            std::vector<Asked> commands;
            {
                const std::lock_guard lock(mutex);
                if (stopping) return;
                commands = std::exchange(queue, {});
            }
            room.notify_all();
            for (Asked& command : commands) carry_out(command);
            for (RenderDone& done : mailbox->take()) work.rendered(read_clock(), std::move(done));
            work.step(read_clock());
            wait();
        }
    }

    void carry_out(Asked& command) {
        const TimePoint now = read_clock();
        if (auto* begin = std::get_if<Begin>(&command))
            work.begin(now, std::move(begin->plan), begin->kind, begin->run);
        else if (const auto* key = std::get_if<TaskKey>(&command))
            work.end(*key);
        else if (const auto* alloc = std::get_if<AllocId>(&command))
            work.end(*alloc);
        else
            work.services(std::move(std::get<CatalogueSource>(command)));
    }

    void wait() const {
        std::vector<pollfd> all{{mailbox->bell.get(), POLLIN, 0}};
        for (const int fd : work.descriptors()) all.push_back({fd, POLLIN, 0});
        const auto next = work.next_wakeup();
        timespec left{};
        if (next) {
            const auto span = std::max<Duration>(*next - read_clock(), 0us).count();
            left = {span / 1'000'000, (span % 1'000'000) * 1000};
        }
        ppoll(all.data(), all.size(), next ? &left : nullptr, nullptr);
        std::uint64_t rung = 0;
        if ((all[0].revents & POLLIN) != 0) [[maybe_unused]]
            const ssize_t done = read(mailbox->bell.get(), &rung, sizeof rung);
    }

    const std::shared_ptr<Mailbox> mailbox = std::make_shared<Mailbox>();
    SetUpWork work;  ///< of the thread alone
    std::mutex mutex;
    std::vector<Asked> queue;
    std::condition_variable room;  ///< there is some in the queue
    bool stopping = false;
    std::thread thread;
};

SetUps::SetUps(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
SetUps::~SetUps() { stop(); }

Result<std::unique_ptr<SetUps>> SetUps::open(SetUpsConfig config, SetUpsEvents events,
                                             Workers workers) {
    auto impl = std::make_unique<Impl>(std::move(config), std::move(events), std::move(workers));
    impl->mailbox->bell.reset(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
    if (!impl->mailbox->bell)
        return Error{Errc::io, std::string("make an eventfd: ") + std::strerror(errno)};
    impl->thread = std::thread([raw = impl.get()] { raw->run(); });
    return std::unique_ptr<SetUps>(new SetUps(std::move(impl)));
}

void SetUps::begin(Plan plan, SetUpKind kind, std::uint64_t run) {
    impl_->push(Begin{std::move(plan), kind, run});
}
void SetUps::end(const TaskKey& key) { impl_->push(key); }
void SetUps::end(const AllocId& alloc) { impl_->push(alloc); }
void SetUps::services(CatalogueSource source) { impl_->push(std::move(source)); }

void SetUps::stop() {
    {
        const std::lock_guard lock(impl_->mutex);
        impl_->stopping = true;
    }
    impl_->room.notify_all();
    impl_->mailbox->wake();
    if (impl_->thread.joinable()) impl_->thread.join();
}

}  // namespace gaggle::setup
