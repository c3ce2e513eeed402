#include "allocrunner/network_request.h"

#include "allocrunner/interpolate.h"
#include "allocrunner/task_env.h"

namespace gaggle::allocrunner {

namespace {

std::vector<std::string> filled_in(const std::vector<std::string>& texts, const Names& names) {
    std::vector<std::string> out;
    for (const std::string& text : texts) out.push_back(interpolate(text, names));
    return out;
}

}  // namespace

NetworkRequest network_request(const Host& host, const Order& order) {
    NetworkRequest out{.alloc = to_string(order.alloc)};
    if (order.group.networks.empty()) return out;
    const Network& asked = order.group.networks.front();
    const TaskDirs dirs = task_dirs(host, order.alloc, "");
    const Names names =
        interpolation_names(host, task_environment(host, order, Task{}, dirs, std::nullopt));
    out.mode = asked.mode;
    out.hostname = interpolate(asked.hostname, names);
    if (asked.dns)
        out.dns = {.servers = filled_in(asked.dns->servers, names),
                   .searches = filled_in(asked.dns->searches, names),
                   .options = filled_in(asked.dns->options, names)};
    for (const AssignedPort& port : order.ports)
        out.ports.push_back(
            {.host = port.value,
             .inside = port.to > 0 ? static_cast<std::uint16_t>(port.to) : port.value});
    return out;
}

}  // namespace gaggle::allocrunner
