#include "placement/fit/fits.h"

#include <algorithm>

#include "base/assert.h"

namespace gaggle {

namespace {

constexpr std::int64_t kHighestPort = 65535;

std::size_t size_of(const PortRange& range) {
    return range.last < range.first ? 0 : std::size_t{range.last} - range.first + 1;
}

/// The ask's static ports, or why the host cannot give them.
std::optional<std::string> static_ports_misfit(const Books& books, const Ask& ask,
                                               std::set<std::uint16_t>& wanted) {
    for (const Port& port : ask.ports) {
        if (port.fixed == 0) continue;
        const std::string name = port.label + "=" + std::to_string(port.fixed);
        if (port.fixed < 0 || port.fixed > kHighestPort) return "network: invalid port " + name;
        const auto number = static_cast<std::uint16_t>(port.fixed);
        if (!books.ports.contains(number) && wanted.insert(number).second) continue;
        const auto stranger = books.strangers.find(number);
        return "network: reserved port collision " + name +
               (stranger == books.strangers.end() ? "" : " (held by " + stranger->second + ")");
    }
    return std::nullopt;
}

bool enough_dynamic_ports(const Books& books, const std::set<std::uint16_t>& statics,
                          std::size_t wanted) {
    const PortRange& range = books.offer.dynamic_ports;
    const std::size_t all = size_of(range);
    if (wanted == 0 || books.ports.size() + statics.size() + wanted <= all) return true;
    const auto inside = [&](std::uint16_t port) {
        return port >= range.first && port <= range.last;
    };
    const auto taken = static_cast<std::size_t>(std::ranges::count_if(books.ports, inside) +
                                                std::ranges::count_if(statics, inside));
    return taken + wanted <= all;
}

std::optional<std::string> ports_misfit(const Books& books, const Ask& ask) {
    std::set<std::uint16_t> statics;
    if (auto why = static_ports_misfit(books, ask, statics)) return why;
    const auto dynamic = static_cast<std::size_t>(
        std::ranges::count_if(ask.ports, [](const Port& port) { return port.fixed == 0; }));
    if (!enough_dynamic_ports(books, statics, dynamic))
        return "network: dynamic port selection failed";
    return std::nullopt;
}

/// First port of the range that nobody has, searched from `start` on and around. Requires one.
std::uint16_t first_free(const Books& books, std::size_t start) {
    const PortRange& range = books.offer.dynamic_ports;
    const std::size_t all = size_of(range);
    for (std::size_t step = 0; step < all; ++step) {
        const auto port = static_cast<std::uint16_t>(range.first + (start + step) % all);
        if (!books.ports.contains(port)) return port;
    }
    INVARIANT(false && "take() without fits()");
    return 0;
}

}  // namespace

std::optional<std::string> misfit(const Books& books, const Ask& ask) {
    if (!books.eligible) return "ineligible";
    for (const std::string& driver : ask.drivers)
        if (std::ranges::find(books.offer.drivers, driver) == books.offer.drivers.end())
            return "missing driver " + driver;
    Amounts with = books.used;
    with += ask.amounts;
    if (const char* what = exceeded(books.offer.total, with)) return what;
    return ports_misfit(books, ask);
}

std::vector<AssignedPort> take(Books& books, const Ask& ask, std::uint64_t salt) {
    INVARIANT(fits(books, ask));
    books.used += ask.amounts;
    // Static ones first, so that no dynamic one is given a number that is asked for by name.
    for (const Port& port : ask.ports)
        if (port.fixed != 0) books.ports.insert(static_cast<std::uint16_t>(port.fixed));

    std::vector<AssignedPort> given;
    for (const Port& port : ask.ports) {
        auto number = static_cast<std::uint16_t>(port.fixed);
        if (port.fixed == 0) {
            number = first_free(books, salt % size_of(books.offer.dynamic_ports));
            books.ports.insert(number);
        }
        given.push_back({.label = port.label, .value = number, .to = port.to});
    }
    return given;
}

void give_back(Books& books, const Ask& ask, const std::vector<AssignedPort>& ports) {
    books.used -= ask.amounts;
    for (const AssignedPort& port : ports) books.ports.erase(port.value);
}

}  // namespace gaggle
