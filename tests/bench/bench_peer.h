// One peer's tasks without the rest of an agent, for benchmarks: Runner, LocalTasks, gctl-shim,
// real disk.
#pragma once

#include <fmt/core.h>
#include <stdlib.h>
#include <time.h>

#include <condition_variable>
#include <deque>
#include <filesystem>
#include <memory>
#include <mutex>
#include <optional>

#include "allocrunner/agent_environment.h"
#include "allocrunner/local_tasks.h"
#include "allocrunner/runner.h"
#include "base/hash.h"

namespace gaggle::bench {

using namespace allocrunner;

inline TimePoint boot_clock() {
    timespec time{};
    clock_gettime(CLOCK_BOOTTIME, &time);
    return TimePoint(std::chrono::seconds(time.tv_sec) +
                     std::chrono::microseconds(time.tv_nsec / 1'000));
}

/// An allocation of one task "task" of raw_exec.
inline Order order_of(std::uint32_t number, std::vector<std::string> argv, LogConfig logs) {
    Order order;
    const Hash hash = hash_of(as_bytes(std::to_string(number)));
    std::copy_n(hash.bytes.begin(), order.alloc.bytes.size(), order.alloc.bytes.begin());
    order.name = fmt::format("bench.group[{}]", number);
    order.job = {.id = "bench", .name = "bench", .type = JobType::batch};
    order.group.name = "group";
    Task task;
    task.name = "task";
    task.driver = "raw_exec";
    Value::List args;
    for (std::size_t at = 1; at < argv.size(); ++at) args.push_back(Value{argv[at]});
    task.config = {{"command", Value{argv.front()}}, {"args", Value{std::move(args)}}};
    task.logs = logs;
    order.group.tasks = {task};
    return order;
}

class Peer {
  public:
    explicit Peer(std::string root) : root_(std::move(root)), runner(host_at(root_), {}, Rng(1)) {}

    /// As an agent does: takes up what is in the directory. In words why not.
    std::optional<std::string> open() {
        const auto here = std::filesystem::read_symlink("/proc/self/exe").parent_path();
        auto opened = LocalTasks::open({.alloc_root = root_, .shim_path = here / "gctl-shim"},
                                       [this](Input input) {
                                           const std::lock_guard lock(mutex_);
                                           inbox_.push_back(std::move(input));
                                           arrived_.notify_all();
                                       });
        if (!opened) return opened.error().detail;
        tasks = std::move(*opened);
        feed({WallTime{}, tasks->scan()});
        return std::nullopt;
    }

    void feed(const Input& input) {
        Effects effects = runner.step(boot_clock(), input);
        for (Work& work : effects.work) tasks->carry_out(std::move(work));
    }

    template <class Holds>
    void until(Holds holds) {
        while (!holds()) {
            std::unique_lock lock(mutex_);
            arrived_.wait_for(lock, std::chrono::milliseconds(20), [&] { return !inbox_.empty(); });
            std::deque<Input> now;
            now.swap(inbox_);
            lock.unlock();
            if (now.empty()) now.push_back({WallTime{}, Tick{}});
            for (const Input& input : now) feed(input);
        }
    }

    std::size_t count(ClientStatus client) const {
        std::size_t out = 0;
        for (const AllocId& alloc : runner.allocs()) out += runner.status(alloc)->client == client;
        return out;
    }

  private:
    static Host host_at(const std::string& root) {
        Host host;
        host.alloc_root = root;
        host.environment = environment_for_tasks();
        return host;
    }

    std::string root_;
    std::mutex mutex_;
    std::condition_variable arrived_;
    std::deque<Input> inbox_;

  public:
    Runner runner;
    std::unique_ptr<LocalTasks> tasks;  ///< last: its threads use the others
};

}  // namespace gaggle::bench
