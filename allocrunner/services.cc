#include "allocrunner/services.h"

#include <algorithm>
#include <charconv>

#include "allocrunner/interpolate.h"
#include "allocrunner/task_env.h"
#include "base/wire.h"

namespace gaggle::allocrunner {

namespace {

std::uint16_t number_in(const std::string& text) {
    std::uint16_t number = 0;
    const char* end = text.data() + text.size();
    const auto read = std::from_chars(text.data(), end, number);
    return read.ec == std::errc() && read.ptr == end ? number : 0;
}

/// Of several checks the worst counts: one that fails, then one that has not answered yet.
CheckStatus worst(const ServiceInstance& of, const std::vector<CheckHealth>& checks) {
    CheckStatus out = CheckStatus::success;
    for (const CheckHealth& check : checks) {
        if (check.service != of.name || check.task != of.task) continue;
        if (check.status == CheckStatus::failure) return CheckStatus::failure;
        if (check.status == CheckStatus::pending) out = CheckStatus::pending;
    }
    return out;
}

}  // namespace

std::string registration_id(const AllocId& alloc, const std::string& group,
                            const ServiceInstance& instance) {
    const std::string task = instance.task.empty() ? "group-" + group : instance.task;
    return "_nomad-task-" + to_string(alloc) + "-" + task + "-" + instance.name + "-" +
           instance.port_label;
}

ServiceAddress service_address(const Host& host, const Order& order, const std::string& inside,
                               const std::string& mode, const std::string& label) {
    const bool within = mode == "alloc" && !inside.empty();
    ServiceAddress out{.host = within ? inside : host.ip, .port = number_in(label)};
    for (const AssignedPort& port : order.ports) {
        if (port.label != label) continue;
        out.port = within && port.to > 0 ? static_cast<std::uint16_t>(port.to) : port.value;
    }
    return out;
}

Services::Services(const Host& host, const Order& order,
                   const std::optional<AllocNetwork>& network) {
    add(host, order, nullptr, network);
    for (const Task& task : order.group.tasks) add(host, order, &task, network);
}

void Services::add(const Host& host, const Order& order, const Task* task,
                   const std::optional<AllocNetwork>& network) {
    const auto& services = task == nullptr ? order.group.services : task->services;
    if (services.empty()) return;
    const Task& owner = task == nullptr ? Task{} : *task;
    const TaskDirs dirs = task_dirs(host, order.alloc, owner.name);
    const Names names =
        interpolation_names(host, task_environment(host, order, owner, dirs, network));
    const std::string inside = network ? network->status.ip : "";
    for (const Service& service : services) {
        ServiceInstance one{.name = interpolate(service.name, names),
                            .task = owner.name,
                            .port_label = interpolate(service.port, names)};
        const ServiceAddress at =
            service_address(host, order, inside, service.address_mode, one.port_label);
        one.address = service.address.empty() ? at.host : interpolate(service.address, names);
        one.port = at.port;
        for (const std::string& tag : service.tags) one.tags.push_back(interpolate(tag, names));
        const bool reachable = one.port != 0 || one.port_label.empty();
        const std::size_t bytes = encode(one).size();
        if (!reachable || bytes_ + bytes > kInstancesBytesMax) continue;
        bytes_ += bytes;
        all_.push_back(std::move(one));
    }
}

std::vector<ServiceInstance> Services::offered(
    const std::function<bool(const std::string&)>& serves,
    const std::vector<CheckHealth>& checks) const {
    std::vector<ServiceInstance> out;
    for (const ServiceInstance& instance : all_) {
        if (!serves(instance.task)) continue;
        out.push_back(instance);
        out.back().health = worst(instance, checks);
    }
    return out;
}

}  // namespace gaggle::allocrunner
