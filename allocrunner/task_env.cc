#include "allocrunner/task_env.h"

#include <algorithm>
#include <cctype>

#include "allocrunner/interpolate.h"

namespace gaggle::allocrunner {

namespace {

/// Letters, digits, underscore and dot stay, the rest becomes an underscore: as Nomad cleans labels
/// and keys.
std::string cleaned(std::string_view name) {
    std::string out(name);
    for (char& c : out)
        if (std::isalnum(static_cast<unsigned char>(c)) == 0 && c != '.') c = '_';
    return out;
}

std::string upper(std::string text) {
    std::transform(text.begin(), text.end(), text.begin(),
                   [](unsigned char c) { return std::toupper(c); });
    return text;
}

std::string address(const std::string& ip, std::int64_t port) {
    const bool v6 = ip.find(':') != std::string::npos;
    return (v6 ? "[" + ip + "]" : ip) + ":" + std::to_string(port);
}

void add_identity(Environment& env, const Host& host, const Order& order, const Task& task) {
    env["NOMAD_ALLOC_ID"] = to_string(order.alloc);
    env["NOMAD_SHORT_ALLOC_ID"] = short_text(order.alloc);
    env["NOMAD_ALLOC_NAME"] = order.name;
    env["NOMAD_ALLOC_INDEX"] = std::to_string(order.index);
    env["NOMAD_TASK_NAME"] = task.name;
    env["NOMAD_GROUP_NAME"] = order.group.name;
    env["NOMAD_JOB_ID"] = order.job.id;
    env["NOMAD_JOB_NAME"] = order.job.name;
    if (!order.job.parent.empty()) env["NOMAD_JOB_PARENT_ID"] = order.job.parent;
    env["NOMAD_NAMESPACE"] = order.job.name_space;
    env["NOMAD_REGION"] = order.job.region;
    env["NOMAD_DC"] = host.datacenter;
    env["GAGGLE_GENERATION"] = std::to_string(order.generation.value);
}

/// A core counts as much here as for placement: its part of the whole machine.
MegaHertz compute_of(const Host& host, const Resources& asked) {
    if (host.cores <= 0) return asked.cpu;
    return asked.cpu + MegaHertz{host.cpu.value / host.cores * asked.cores +
                                 host.cpu.value % host.cores * asked.cores / host.cores};
}

void add_limits(Environment& env, const Host& host, const Task& task) {
    env["NOMAD_CPU_LIMIT"] = std::to_string(compute_of(host, task.resources).value);
    env["NOMAD_MEMORY_LIMIT"] = std::to_string(task.resources.memory.value);
    if (task.resources.memory_max.value > 0)
        env["NOMAD_MEMORY_MAX_LIMIT"] = std::to_string(task.resources.memory_max.value);
}

void add_port(Environment& env, const Host& host, const AssignedPort& port) {
    const std::string label = cleaned(port.label);
    const std::int64_t inside = port.to > 0 ? port.to : port.value;
    env["NOMAD_PORT_" + label] = std::to_string(inside);
    env["NOMAD_ALLOC_PORT_" + label] = std::to_string(inside);
    env["NOMAD_HOST_PORT_" + label] = std::to_string(port.value);
    env["NOMAD_IP_" + label] = host.ip;
    env["NOMAD_HOST_IP_" + label] = host.ip;
    env["NOMAD_ADDR_" + label] = address(host.ip, port.value);
    env["NOMAD_HOST_ADDR_" + label] = address(host.ip, port.value);
}

/// Where the others of its own network reach the port.
void add_inner_port(Environment& env, const NetworkStatus& network, const AssignedPort& port) {
    const std::string label = cleaned(port.label);
    const std::int64_t inside = port.to > 0 ? port.to : port.value;
    env["NOMAD_ALLOC_IP_" + label] = network.ip;
    env["NOMAD_ALLOC_INTERFACE_" + label] = network.interface;
    env["NOMAD_ALLOC_ADDR_" + label] = address(network.ip, inside);
}

void add_meta(Environment& env, const Order& order, const Task& task) {
    Meta merged = order.job.meta;
    for (const Meta* over : {&order.group.meta, &task.meta})
        for (const auto& [key, value] : *over) merged[key] = value;
    for (const auto& [key, value] : merged) {
        env["NOMAD_META_" + cleaned(key)] = value;
        env["NOMAD_META_" + upper(cleaned(key))] = value;
    }
}

}  // namespace

TaskDirs task_dirs(const Host& host, const AllocId& alloc, const std::string& task) {
    const std::string root = host.alloc_root + "/" + to_string(alloc);
    const std::string own = root + "/" + task;
    return {.shared = root + "/alloc",
            .task = own,
            .local = own + "/local",
            .secrets = own + "/secrets"};
}

TaskDirs inside_dirs() {
    return {.shared = "/alloc", .task = "/", .local = "/local", .secrets = "/secrets"};
}

Environment task_environment(const Host& host, const Order& order, const Task& task,
                             const TaskDirs& dirs, const std::optional<AllocNetwork>& network) {
    Environment env;
    add_identity(env, host, order, task);
    add_limits(env, host, task);
    env["NOMAD_ALLOC_DIR"] = dirs.shared;
    env["NOMAD_TASK_DIR"] = dirs.local;
    env["NOMAD_SECRETS_DIR"] = dirs.secrets;
    for (const AssignedPort& port : order.ports) {
        add_port(env, host, port);
        if (network && !network->status.ip.empty()) add_inner_port(env, network->status, port);
    }
    add_meta(env, order, task);
    env.insert(host.environment.begin(), host.environment.end());  // only where the name is free
    const Names names = interpolation_names(host, env);
    for (const auto& [name, value] : task.env)
        env[interpolate(name, names)] = interpolate(value, names);
    return env;
}

std::map<std::string, std::string> interpolation_names(const Host& host,
                                                       const Environment& environment) {
    Names names = environment;
    for (const auto& [name, value] : environment) names["env." + name] = value;
    for (const auto& [name, value] : host.attributes) names["attr." + name] = value;
    for (const auto& [name, value] : host.meta) names["meta." + name] = value;
    names["node.unique.id"] = host.id;
    names["node.unique.name"] = host.name;
    names["node.datacenter"] = host.datacenter;
    names["node.class"] = host.node_class;
    names["node.pool"] = host.node_pool;
    const auto region = environment.find("NOMAD_REGION");
    if (region != environment.end()) names["node.region"] = region->second;
    return names;
}

}  // namespace gaggle::allocrunner
