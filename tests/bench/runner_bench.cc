// How long one peer takes to run N raw_exec allocations of `sleep`, without the rest of an agent:
// Runner, LocalTasks, gctl-shim, real disk. Prints seconds and what a shim costs in memory.
//
//     scons bench && build/bin/bench-runner [allocations] [directory]
#include <fmt/core.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include <condition_variable>
#include <deque>
#include <filesystem>
#include <fstream>
#include <mutex>

#include "allocrunner/local_tasks.h"
#include "allocrunner/runner.h"
#include "base/hash.h"

namespace {

using namespace gaggle;
using namespace gaggle::allocrunner;

TimePoint boot_clock() {
    timespec time{};
    clock_gettime(CLOCK_BOOTTIME, &time);
    return TimePoint(std::chrono::seconds(time.tv_sec) +
                     std::chrono::microseconds(time.tv_nsec / 1'000));
}

Order sleeper(std::uint32_t number) {
    Order order;
    const Hash hash = hash_of(as_bytes(std::to_string(number)));
    std::copy_n(hash.bytes.begin(), order.alloc.bytes.size(), order.alloc.bytes.begin());
    order.name = fmt::format("bench.sleep[{}]", number);
    order.job = {.id = "bench", .name = "bench"};
    order.group.name = "sleep";
    Task task;
    task.name = "sleep";
    task.driver = "raw_exec";
    task.config = {{"command", Value{std::string("sleep")}},
                   {"args", Value{Value::List{Value{std::string("600")}}}}};
    task.logs = {.files_max = 1, .file_size = MegaBytes{1}};
    order.group.tasks = {task};
    return order;
}

std::int64_t kib_of(const std::string& pid, const std::string& field) {
    std::ifstream rollup("/proc/" + pid + "/smaps_rollup");
    std::int64_t kib = 0;
    for (std::string word; rollup >> word;)
        if (word == field) rollup >> kib;
    return kib;
}

std::pair<std::int64_t, std::int64_t> shims_and_their_kib() {
    std::int64_t shims = 0;
    std::int64_t kib = 0;
    for (const auto& entry : std::filesystem::directory_iterator("/proc")) {
        std::string name;
        std::ifstream(entry.path() / "comm") >> name;
        if (name != "gctl-shim") continue;
        ++shims;
        kib += kib_of(entry.path().filename(), "Private_Dirty:");
    }
    return {shims, kib};
}

struct Peer {
    std::mutex mutex;
    std::condition_variable arrived;
    std::deque<Input> inbox;
    Runner runner;
    std::unique_ptr<LocalTasks> tasks;

    void feed(const Input& input) {
        Effects effects = runner.step(boot_clock(), input);
        for (Work& work : effects.work) tasks->carry_out(std::move(work));
    }

    template <class Holds>
    void until(Holds holds) {
        while (!holds()) {
            std::unique_lock lock(mutex);
            arrived.wait_for(lock, std::chrono::milliseconds(20), [&] { return !inbox.empty(); });
            std::deque<Input> now;
            now.swap(inbox);
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
};

}  // namespace

int main(int argc, char** argv) {
    const auto wanted = static_cast<std::uint32_t>(argc > 1 ? std::stoul(argv[1]) : 1'000);
    std::string root = std::string(argc > 2 ? argv[2] : "/tmp") + "/gaggle-bench-XXXXXX";
    if (mkdtemp(root.data()) == nullptr) return 1;
    Host host;
    host.alloc_root = root;
    host.environment = environment_for_tasks();
    Peer peer{.runner = Runner(host, Config{}, Rng(1))};
    const auto here = std::filesystem::read_symlink("/proc/self/exe").parent_path();
    auto opened =
        LocalTasks::open({.alloc_root = root, .shim_path = here / "gctl-shim"}, [&](Input input) {
            const std::lock_guard lock(peer.mutex);
            peer.inbox.push_back(std::move(input));
            peer.arrived.notify_all();
        });
    if (!opened) return fmt::print("{}\n", opened.error().detail), 1;
    peer.tasks = std::move(*opened);

    std::vector<Order> orders;
    for (std::uint32_t number = 0; number < wanted; ++number) orders.push_back(sleeper(number));
    TimePoint begin = boot_clock();
    peer.feed({WallTime{}, Orders{orders}});
    peer.until([&] {
        return peer.count(ClientStatus::failed) > 0 || peer.count(ClientStatus::running) == wanted;
    });
    if (peer.count(ClientStatus::failed) > 0)
        return fmt::print("an allocation failed to start: is {} there?\n",
                          (here / "gctl-shim").string()),
               1;
    fmt::print("{} allocations running after {}\n", wanted, for_people(boot_clock() - begin));
    const auto [shims, kib] = shims_and_their_kib();
    fmt::print("private dirty memory per shim: {} KiB (mean of {})\n", kib / shims, shims);
    fmt::print("this process: {} KiB resident, {} KiB private dirty\n", kib_of("self", "Rss:"),
               kib_of("self", "Private_Dirty:"));

    begin = boot_clock();
    peer.feed({WallTime{}, Orders{}});
    peer.until([&] { return peer.runner.live().empty(); });
    fmt::print("all stopped after {}\n", for_people(boot_clock() - begin));
    peer.tasks->stop();
    std::filesystem::remove_all(root);
    return 0;
}
