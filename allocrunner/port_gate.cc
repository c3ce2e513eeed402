#include "allocrunner/port_gate.h"

#include <algorithm>

namespace gaggle::allocrunner {

namespace {

bool is_static(const TaskGroup& group, const std::string& label) {
    for (const Network& network : group.networks)
        for (const Port& port : network.ports)
            if (port.label == label) return port.fixed != 0;
    return false;
}

std::vector<ProbePorts::Port> ports_of(const Order& order) {
    std::vector<ProbePorts::Port> out;
    for (const AssignedPort& port : order.ports)
        out.push_back({port.label, port.value, is_static(order.group, port.label)});
    return out;
}

}  // namespace

void PortGate::hold(Context& context, const Order& order) {
    const auto [found, is_new] = held_.try_emplace(order.alloc);
    Held& held = found->second;
    const bool same_ports = !is_new && held.order.ports == order.ports;
    const Restore restore = is_new ? order.restore : held.order.restore;  // settled once
    held.order = order;
    held.order.restore = restore;
    if (same_ports) return;
    held.tries = 0;
    probe(context, held);
}

void PortGate::probe(Context& context, Held& held) {
    held.again.reset();
    context.out.work.emplace_back(ProbePorts{held.order.alloc, ports_of(held.order)});
}

std::optional<PortGate::Passed> PortGate::on(Context& context, const PortsProbed& input) {
    const auto found = held_.find(input.alloc);
    if (found == held_.end() || found->second.again) return std::nullopt;
    Held& held = found->second;
    if (input.ports != ports_of(held.order)) return std::nullopt;  // it has others by now
    if (input.taken.empty()) {
        Passed passed{.order = std::move(held.order), .note = {}};
        for (const auto& [port, holder] : held.taken)
            passed.note += (passed.note.empty() ? "" : "; ") + std::string("Port ") +
                           std::to_string(port) + " of this peer was held by " + holder;
        held_.erase(found);
        return passed;
    }
    const bool say = ++held.tries >= kTries;
    held.again = context.now + (say ? kAgainAfter : kBetweenTries);
    if (!say) return std::nullopt;
    for (const PortsProbed::Taken& taken : input.taken) {
        held.taken[taken.port] = taken.holder;
        const auto fixed = std::any_of(
            input.ports.begin(), input.ports.end(),
            [&](const ProbePorts::Port& port) { return port.value == taken.port && port.fixed; });
        context.out.ports_taken.push_back({input.alloc, taken.port, taken.holder, fixed});
    }
    return std::nullopt;
}

void PortGate::on_tick(Context& context) {
    for (auto& [id, held] : held_)
        if (held.again && context.now >= *held.again) probe(context, held);
}

std::optional<TimePoint> PortGate::next_wakeup() const {
    std::optional<TimePoint> first;
    for (const auto& [id, held] : held_)
        if (held.again && (!first || *held.again < *first)) first = held.again;
    return first;
}

std::string PortGate::give_up(const AllocId& alloc) {
    const auto found = held_.find(alloc);
    if (found == held_.end()) return "";
    std::string why;
    for (const AssignedPort& port : found->second.order.ports)
        if (const auto taken = found->second.taken.find(port.value);
            taken != found->second.taken.end())
            why += (why.empty() ? "Port " : "; port ") + std::to_string(port.value) +
                   " of this peer is held by " + taken->second;
    held_.erase(found);
    return why;
}

std::vector<AllocId> PortGate::held() const {
    std::vector<AllocId> out;
    for (const auto& [id, held] : held_) out.push_back(id);
    return out;
}

bool PortGate::awaits(const AllocId& previous) const {
    return std::any_of(held_.begin(), held_.end(), [&](const auto& one) {
        const Restore& restore = one.second.order.restore;
        return restore.kind == Restore::Kind::from_alloc && restore.previous == previous;
    });
}

}  // namespace gaggle::allocrunner
