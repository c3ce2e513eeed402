// A Runner on the real machine; named so that it is linked with the tests of this folder.
#include "tests/allocrunner/real_peer.h"

#include <doctest/doctest.h>
#include <time.h>

#include "allocrunner/agent_environment.h"
#include "tests/allocrunner/fake_world.h"

namespace gaggle::allocrunner {

namespace {

TimePoint boot_clock() {
    timespec time{};
    clock_gettime(CLOCK_BOOTTIME, &time);
    return TimePoint(std::chrono::seconds(time.tv_sec) +
                     std::chrono::microseconds(time.tv_nsec / 1'000));
}

Host host(const std::string& alloc_root) {
    Host host;
    host.name = "peer";
    host.alloc_root = alloc_root;
    host.environment = environment_for_tasks();
    return host;
}

/// How full the machine is that tests run on is not their matter: a finished allocation stays.
constexpr Config kKeeping{.disk_percent_max = 100, .inodes_percent_max = 100};

}  // namespace

RealPeer::RealPeer(const std::string& alloc_root, const DriverSettings& drivers,
                   const NetworkSettings& networks)
    : runner(host(alloc_root), kKeeping, Rng(1)) {
    auto opened = LocalTasks::open({.alloc_root = alloc_root,
                                    .shim_path = built_program("gctl-shim"),
                                    .drivers = drivers,
                                    .networks = networks,
                                    .workers = {.threads = 2},
                                    .restore_copy = {}},
                                   [this](Input input) {
                                       const std::lock_guard lock(mutex_);
                                       inbox_.push_back(std::move(input));
                                       arrived_.notify_all();
                                   });
    REQUIRE(opened.ok());
    tasks = std::move(*opened);
    feed({WallTime{1}, tasks->scan()});
}

RealPeer::~RealPeer() { tasks->stop(); }

void RealPeer::feed(const Input& input) {
    Effects effects = runner.step(boot_clock(), input);
    for (Work& work : effects.work) tasks->carry_out(std::move(work));
}

void RealPeer::orders(std::vector<Order> orders) { feed({WallTime{1}, Orders{std::move(orders)}}); }

bool RealPeer::until(const std::function<bool()>& holds) {
    const TimePoint end = boot_clock() + 20s;
    while (boot_clock() < end) {
        if (holds()) return true;
        std::unique_lock lock(mutex_);
        const auto due = runner.next_wakeup();
        const Duration nap = std::min<Duration>(due ? *due - boot_clock() : 20ms, 20ms);
        arrived_.wait_for(lock, std::max<Duration>(nap, 1ms), [&] { return !inbox_.empty(); });
        std::deque<Input> inbox;
        inbox.swap(inbox_);
        lock.unlock();
        for (const Input& input : inbox) feed(input);
        if (inbox.empty()) feed({WallTime{1}, Tick{}});
    }
    return false;
}

const AllocStatus& RealPeer::status(const AllocId& alloc) const {
    const AllocStatus* status = runner.status(alloc);
    REQUIRE(status != nullptr);
    return *status;
}

std::string RealPeer::log(const AllocId& alloc, const std::string& file) const {
    return text_of(tasks->alloc_dir(alloc) + "/alloc/logs/" + file);
}

Order shell(std::uint8_t number, const std::string& script, JobType type) {
    Order order = order_of(number, type);
    Task& task = order.group.tasks[0];
    task.config = {{"command", Value{std::string("/bin/sh")}},
                   {"args", Value{Value::List{Value{std::string("-c")}, Value{script}}}}};
    task.restart = {.attempts = 1, .interval = 30min, .delay = 10ms};
    task.kill_timeout = 200ms;
    task.kill_signal = "SIGTERM";
    return order;
}

}  // namespace gaggle::allocrunner
