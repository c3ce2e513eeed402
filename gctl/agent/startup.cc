#include "gctl/agent/startup.h"

#include <algorithm>
#include <charconv>

namespace gaggle::agent {

namespace {

constexpr int kDnsAboveControl = 6;  // 4653 with the usual ports

Offer offer_of(const AgentOptions& options, const Fingerprint& machine) {
    Offer out;
    out.total = {.cpu = options.cpu_total.value_or(machine.total.cpu),
                 .memory = options.memory_total.value_or(machine.total.memory),
                 .disk = options.disk_total.value_or(machine.total.disk),
                 .cores = machine.total.cores};
    return out;
}

Description description_of(const Startup& startup) {
    Description out{.name = startup.cluster.name,
                    .datacenter = startup.cluster.datacenter,
                    .node_class = startup.options.node_class,
                    .node_pool = "default",
                    .http_address = startup.http_address,
                    .attributes = startup.machine.attributes,
                    .meta = startup.options.meta};
    out.attributes.insert(startup.networks.begin(), startup.networks.end());
    out.attributes["unique.network.ip-address"] = startup.cluster.listen.reached_at();
    if (!startup.dns_address.empty()) out.attributes["unique.gaggle.dns"] = startup.dns_address;
    return out;
}

allocrunner::Host host_of(const Startup& startup, const Description& description) {
    const Amounts total = offer_of(startup.options, startup.machine).total;
    return {.id = to_string(startup.identity.id()),
            .name = description.name,
            .datacenter = description.datacenter,
            .node_class = description.node_class,
            .node_pool = description.node_pool,
            .ip = startup.cluster.listen.reached_at(),
            .alloc_root = startup.alloc_root,
            .attributes = description.attributes,
            .meta = description.meta,
            .environment = startup.environment,
            .cpu = total.cpu,
            .cores = total.cores,
            .max_kill_timeout = startup.options.max_kill_timeout};
}

}  // namespace

node::Config node_config(const Startup& startup) {
    const ClusterFile& cluster = startup.cluster;
    node::Config out{.signing = startup.identity.signing,
                     .authority = cluster.authority,
                     .region = cluster.region,
                     .region_name = cluster.region_name,
                     .epoch = cluster.epoch,
                     .certificate = cluster.certificate,
                     .number = cluster.number,
                     .endpoint = {.host = cluster.listen.reached_at(),
                                  .base_port = cluster.listen.port,
                                  .curve = startup.identity.curve.open},
                     .start = startup.start,
                     .boot = startup.machine.boot};
    out.offer = offer_of(startup.options, startup.machine);
    out.description = description_of(startup);
    node::take_drivers(startup.drivers, out.offer, out.description);
    out.host = host_of(startup, out.description);
    out.collection = startup.options.collection;
    return out;
}

allocrunner::NetworkSettings network_settings(const Startup& startup) {
    allocrunner::NetworkSettings out = startup.options.networks;
    const std::string& bind = startup.cluster.listen.bind;
    const bool is_one_v4 = bind != "0.0.0.0" && !bind.empty() &&
                           bind.find_first_not_of("0123456789.") == std::string::npos;
    if (is_one_v4) out.port_ip = bind;
    return out;
}

PeerSocketLimits socket_limits() {
    PeerSocketLimits out;
    out.control_bytes_max = node::kControlBytesMax;
    out.bulk_bytes_max = node::kBulkBytesMax;
    out.queue_bytes_max = 3 * node::kBulkBytesMax;  // bulk may take half: at least one large frame
    return out;
}

Result<std::string> http_host(const AgentOptions& options, const Listen& listen) {
    const std::string host = http_address_of(options, listen);
    if (host == "localhost") return std::string("127.0.0.1");
    if (host.starts_with("127.") || host == "::1") return host;
    return {Errc::denied,
            "serve HTTP on " + host +
                ": refused, for there is no TLS yet and whoever listens to the network "
                "would read the token; leave out --http-bind, and reach the API from "
                "elsewhere through a tunnel (ssh -L 4646:127.0.0.1:4646)"};
}

Result<std::optional<DnsServerConfig>> dns_config(const AgentOptions& options,
                                                  const Listen& listen) {
    const std::string text = options.dns.value_or("");
    if (text == "off") return std::optional<DnsServerConfig>();
    const std::string http = http_address_of(options, listen);
    DnsServerConfig out{
        .address = http == "localhost" ? "127.0.0.1" : http,
        .port = static_cast<std::uint16_t>(std::min(65535, listen.port + kDnsAboveControl))};
    if (text.empty()) return std::optional(out);
    const bool bare_v6 = text.front() != '[' && text.find(':') != text.rfind(':');
    const std::size_t colon = text.rfind(':');
    const bool has_port =
        !bare_v6 && colon != std::string::npos && text.find(']', colon) == std::string::npos;
    out.address = has_port ? text.substr(0, colon) : text;
    if (out.address.starts_with('[') && out.address.ends_with(']'))
        out.address = out.address.substr(1, out.address.size() - 2);
    if (!has_port) return std::optional(out);
    const char* end = text.data() + text.size();
    const auto read = std::from_chars(text.data() + colon + 1, end, out.port);
    if (read.ec == std::errc() && read.ptr == end) return std::optional(out);
    return Error{Errc::invalid, "--dns " + text + ": \"" + text.substr(colon + 1) +
                                    "\" is no port; write an address, an address and a port such "
                                    "as 127.0.0.1:4653, or off"};
}

std::string host_and_port(const std::string& host, std::uint16_t port) {
    const bool colons = host.find(':') != std::string::npos;
    return (colons ? "[" + host + "]" : host) + ":" + std::to_string(port);
}

}  // namespace gaggle::agent
