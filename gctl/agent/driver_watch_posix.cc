#include <pthread.h>

#include "allocrunner/alloc_dir.h"
#include "allocrunner/drivers/spec_file.h"
#include "gctl/agent/clock.h"
#include "gctl/agent/driver_watch.h"

namespace gaggle::agent {

namespace {

constexpr auto kLookEvery = std::chrono::seconds(15);

bool same(const node::DriversFound& one, const node::DriversFound& other) {
    return one.drivers == other.drivers && one.attributes == other.attributes;
}

Result<std::vector<allocrunner::StartedTask>> tasks_under(const std::string& alloc_root) {
    std::vector<allocrunner::StartedTask> out;
    for (const AllocId& alloc : TRY(allocrunner::list_alloc_dirs(alloc_root))) {
        const std::string id = to_string(alloc);
        for (auto& task : TRY(allocrunner::all_started(id, alloc_root + "/" + id)))
            out.push_back(std::move(task));
    }
    return out;
}

}  // namespace

node::DriversFound look_at(const allocrunner::Drivers& drivers) {
    node::DriversFound out;
    const WallTime now = read_clocks().wall;
    for (const std::string& name : allocrunner::driver_names()) {
        allocrunner::Driver* driver = drivers.find(name);
        allocrunner::DriverState state;
        state.description = "switched off by this agent's operator";
        if (driver != nullptr) state = driver->fingerprint();
        out.drivers[name] = {.detected = state.detected,
                             .healthy = state.healthy,
                             .description = state.description,
                             .updated = now};
        if (state.healthy) out.attributes.insert(state.attributes.begin(), state.attributes.end());
    }
    return out;
}

void keep_times(node::DriversFound& found, const node::DriversFound& before) {
    for (auto& [name, health] : found.drivers) {
        const auto was = before.drivers.find(name);
        if (was == before.drivers.end()) continue;
        DriverHealth as_then = health;
        as_then.updated = was->second.updated;
        if (as_then == was->second) health = as_then;
    }
}

allocrunner::DriverSettings driver_settings(const AgentOptions& options) {
    allocrunner::DriverSettings out;
    out.raw_exec = options.raw_exec;
    out.exec_root = options.exec_root;
    out.caps_allowed = options.caps_allowed;
    out.docker_socket = options.docker_socket;
    out.docker_privileged = options.docker_privileged;
    out.docker_volumes = options.docker_volumes;
    return out;
}

DriverWatch::DriverWatch(const allocrunner::Drivers& drivers, node::DriversFound before,
                         std::string alloc_root, std::function<void(node::DriversFound)> changed)
    : drivers_(drivers),
      before_(std::move(before)),
      alloc_root_(std::move(alloc_root)),
      changed_(std::move(changed)),
      thread_([this] { run(); }) {}

DriverWatch::~DriverWatch() { stop(); }

void DriverWatch::stop() {
    {
        const std::lock_guard lock(mutex_);
        stopping_ = true;
    }
    wake_.notify_all();
    if (thread_.joinable()) thread_.join();
}

void DriverWatch::run() {
    ::pthread_setname_np(::pthread_self(), "drivers");
    std::unique_lock lock(mutex_);
    while (!wake_.wait_for(lock, kLookEvery, [this] { return stopping_; })) {
        lock.unlock();
        node::DriversFound present = look_at(drivers_);
        keep_times(present, before_);
        if (!same(present, before_)) changed_(present);
        before_ = std::move(present);
        for (const auto& driver : drivers_.all())
            if (before_.drivers[std::string(driver->name())].healthy)
                driver->collect([this] { return tasks_under(alloc_root_); });
        lock.lock();
    }
}

}  // namespace gaggle::agent
