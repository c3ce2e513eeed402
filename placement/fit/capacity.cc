#include "placement/fit/capacity.h"

namespace gaggle {

Amounts& Amounts::operator+=(const Amounts& other) {
    cpu += other.cpu;
    memory += other.memory;
    disk += other.disk;
    return *this;
}

Amounts& Amounts::operator-=(const Amounts& other) {
    cpu -= other.cpu;
    memory -= other.memory;
    disk -= other.disk;
    return *this;
}

Ask ask_of(const TaskGroup& group) {
    Ask ask;
    ask.amounts.disk = group.disk.size;
    for (const Task& task : group.tasks) {
        ask.amounts.cpu += task.resources.cpu;
        ask.amounts.memory += task.resources.memory;
        ask.amounts.memory += task.resources.secrets;  // a tmpfs
        ask.drivers.insert(task.driver);
    }
    for (const Network& network : group.networks)
        ask.ports.insert(ask.ports.end(), network.ports.begin(), network.ports.end());
    return ask;
}

}  // namespace gaggle
