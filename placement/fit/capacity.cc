#include "placement/fit/capacity.h"

#include <limits>

namespace gaggle {

Amounts& Amounts::operator+=(const Amounts& other) {
    cpu += other.cpu;
    memory += other.memory;
    disk += other.disk;
    cores += other.cores;
    return *this;
}

Amounts& Amounts::operator-=(const Amounts& other) {
    cpu -= other.cpu;
    memory -= other.memory;
    disk -= other.disk;
    cores -= other.cores;
    return *this;
}

MegaHertz compute_of(const Amounts& offered, const Amounts& used) {
    if (offered.cores <= 0) return used.cpu;
    // A product of what two peers may say is wider than what either says.
    const auto whole = static_cast<__int128>(offered.cpu.value) * used.cores / offered.cores;
    constexpr std::int64_t kMost = std::numeric_limits<std::int64_t>::max() / 2;
    return used.cpu + MegaHertz{whole > kMost ? kMost : static_cast<std::int64_t>(whole)};
}

const char* exceeded(const Amounts& offered, const Amounts& used) {
    if (used.cores > offered.cores) return "cores";
    if (compute_of(offered, used) > offered.cpu) return "cpu";
    if (used.memory > offered.memory) return "memory";
    if (used.disk > offered.disk) return "disk";
    return nullptr;
}

Ask ask_of(const TaskGroup& group) {
    Ask ask;
    ask.amounts.disk = group.disk.size;
    for (const Task& task : group.tasks) {
        ask.amounts.cpu += task.resources.cpu;
        ask.amounts.cores += task.resources.cores;
        ask.amounts.memory += task.resources.memory;
        ask.amounts.memory += task.resources.secrets;  // a tmpfs
        ask.drivers.insert(task.driver);
    }
    for (const Network& network : group.networks)
        ask.ports.insert(ask.ports.end(), network.ports.begin(), network.ports.end());
    return ask;
}

}  // namespace gaggle
