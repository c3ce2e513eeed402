#include "gctl/agent/render_resources.h"

#include "gctl/agent/render_node.h"

namespace gaggle {

namespace {

const TaskGroup* group_of(const ResourceSubject& subject) {
    if (subject.job == nullptr) return nullptr;
    return find_group(*subject.job, subject.alloc.slot.group);
}

const std::vector<Task>& tasks_of(const ResourceSubject& subject) {
    static const std::vector<Task> none;
    const TaskGroup* group = group_of(subject);
    return group == nullptr ? none : group->tasks;
}

Amounts amounts_of(const Task& task) {
    return {.cpu = task.resources.cpu,
            .memory = task.resources.memory,
            .cores = task.resources.cores};
}

/// As the peer's books count it: the shares, and the whole of each core.
MegaHertz compute_on(const ResourceSubject& subject, const Amounts& asked) {
    return subject.peer == nullptr ? asked.cpu
                                   : compute_of(subject.peer->books.offer.total, asked);
}

Amounts with_cores_counted(const ResourceSubject& subject, Amounts asked) {
    asked.cpu = compute_on(subject, asked);
    return asked;
}

/// The numbers of the processors that are the task's alone; null while it has none.
Value cores_of(const ResourceSubject& subject, const std::string& task) {
    const auto state = subject.states.find(task);
    return state == subject.states.end() ? null() : or_null(state->second.cores);
}

/// What the group says about its network; Nomad's defaults when it says nothing.
Network network_of(const ResourceSubject& subject) {
    const TaskGroup* group = group_of(subject);
    return group == nullptr || group->networks.empty() ? Network{} : group->networks.front();
}

bool asked_for_number(const ledger::AllocRecord& alloc, const std::string& label) {
    for (const Port& port : alloc.ask.ports)
        if (port.label == label) return port.fixed != 0;
    return false;
}

/// One network with all ports, as Nomad puts group networks; null when there is nothing to say.
Value render_networks(const ResourceSubject& subject) {
    const Network asked = network_of(subject);
    if (subject.alloc.ports.empty() && asked == Network{}) return null();
    List fixed, dynamic;
    for (const AssignedPort& port : subject.alloc.ports) {
        Value shown = val(Object{{"Label", val(port.label)},
                                 {"Value", val(port.value)},
                                 {"To", val(port.to)},
                                 {"HostNetwork", val("default")}});
        (asked_for_number(subject.alloc, port.label) ? fixed : dynamic).push_back(std::move(shown));
    }
    const std::string ip = subject.peer == nullptr ? "" : address_of(*subject.peer);
    return val(List{val(Object{{"Mode", val(asked.mode)},
                               {"Hostname", val(asked.hostname)},
                               {"Device", val("")},
                               {"CIDR", val("")},
                               {"IP", val(ip)},
                               {"MBits", val(0)},
                               {"DNS", asked.dns ? render_dns(*asked.dns) : null()},
                               {"ReservedPorts", or_null(fixed)},
                               {"DynamicPorts", or_null(dynamic)}})});
}

Value render_ports(const ResourceSubject& subject) {
    const std::string ip = subject.peer == nullptr ? "" : address_of(*subject.peer);
    List ports;
    for (const AssignedPort& port : subject.alloc.ports)
        ports.push_back(val(Object{{"Label", val(port.label)},
                                   {"Value", val(port.value)},
                                   {"To", val(port.to)},
                                   {"HostIP", val(ip)}}));
    return or_null(ports);
}

}  // namespace

Value render_dns(const DnsConfig& dns) {
    return val(Object{{"Servers", or_null(dns.servers)},
                      {"Searches", or_null(dns.searches)},
                      {"Options", or_null(dns.options)}});
}

Value render_allocated(const ResourceSubject& subject) {
    Object tasks, lifecycles;
    for (const Task& task : tasks_of(subject)) {
        const Resources& asked = task.resources;
        const Object cpu{{"CpuShares", val(compute_on(subject, amounts_of(task)))},
                         {"ReservedCores", cores_of(subject, task.name)}};
        const Object memory{{"MemoryMB", val(asked.memory)},
                            {"MemoryMaxMB", val(asked.memory_max)}};
        tasks[task.name] = val(Object{
            {"Cpu", val(cpu)}, {"Memory", val(memory)}, {"Networks", null()}, {"Devices", null()}});
        lifecycles[task.name] = null();
    }
    const Object shared{{"DiskMB", val(subject.alloc.ask.amounts.disk)},
                        {"Networks", render_networks(subject)},
                        {"Ports", render_ports(subject)}};
    return val(Object{{"Tasks", val(std::move(tasks))},
                      {"TaskLifecycles", val(std::move(lifecycles))},
                      {"Shared", val(shared)}});
}

void add_legacy_resources(Object& alloc, const ResourceSubject& subject) {
    const Amounts& all = subject.alloc.ask.amounts;
    Object tasks;
    for (const Task& task : tasks_of(subject))
        tasks[task.name] =
            render_legacy(with_cores_counted(subject, amounts_of(task)),
                          task.resources.memory_max, null());
    alloc["Resources"] =
        render_legacy(with_cores_counted(subject, all), {}, render_networks(subject));
    alloc["SharedResources"] = render_legacy({.disk = all.disk}, {}, render_networks(subject));
    alloc["TaskResources"] = val(std::move(tasks));
}

Value render_legacy(const Amounts& amounts, MegaBytes memory_max, Value networks) {
    return val(Object{{"CPU", val(amounts.cpu)},
                      {"Cores", val(amounts.cores)},
                      {"MemoryMB", val(amounts.memory)},
                      {"MemoryMaxMB", val(memory_max)},
                      {"DiskMB", val(amounts.disk)},
                      {"IOPS", val(0)},
                      {"Networks", std::move(networks)},
                      {"Devices", null()}});
}

}  // namespace gaggle
