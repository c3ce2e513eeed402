#include <unistd.h>

#include <filesystem>
#include <thread>

#include "allocrunner/network/alloc_networks.h"
#include "allocrunner/network/cni_chain.h"
#include "allocrunner/network/cni_files.h"
#include "allocrunner/network/cni_result.h"
#include "allocrunner/network/name_files.h"
#include "allocrunner/network/netns.h"
#include "allocrunner/network/plugins.h"
#include "allocrunner/network/program.h"
#include "allocrunner/network/record.h"
#include "base/log.h"
#include "base/small_file.h"
#include "placement/jobspec/value_json.h"

namespace gaggle::allocrunner {

namespace {

/// Plugins that run at the same time may stumble over each other while the first one makes the
/// bridge or a chain of the firewall.
constexpr int kAddTriesMax = 3;
constexpr auto kAddPause = std::chrono::milliseconds(100);
/// Where systemd keeps the servers behind its stub.
constexpr const char* kResolvedServers = "/run/systemd/resolve/resolv.conf";

/// The machine's own, with servers that can be reached from another namespace if there are any.
DnsConfig machine_dns(bool other_namespace) {
    const DnsConfig own = parse_resolv_conf(small_file("/etc/resolv.conf", kCniTextMax));
    if (!other_namespace || !only_local_servers(own)) return own;
    const DnsConfig behind = parse_resolv_conf(small_file(kResolvedServers, kCniTextMax));
    return behind.servers.empty() ? own : behind;
}

std::string machine_name() {
    char name[256] = {};
    return gethostname(name, sizeof name - 1) == 0 ? name : "localhost";
}

CniRuntime runtime_of(const NetworkRecord& record) {
    return {.ports = record.request.ports, .port_ip = record.port_ip, .dns = record.request.dns};
}

std::optional<Value> result_of(const NetworkRecord& record) {
    const Result<Value> parsed = value_from_json(record.result);
    return parsed.ok() ? std::optional<Value>(*parsed) : std::nullopt;
}

/// The firewall's plugin lets only answers in to an allocation; where the machine forwards nothing
/// by default, connections to mapped ports need this.
Result<void> admit_connections(const NetworkSettings& settings) {
    const std::string iptables = TRY(find_in_path("iptables", kToolPath));
    const auto run = [&](const char* action) {
        return run_program(
            {.argv = {iptables, "-w", "10", action, kAdminChain, "-o", settings.bridge_name, "-d",
                      settings.bridge_subnet, "-j", "ACCEPT"},
             .env = {},
             .input = {},
             .timeout = settings.plugin_timeout});
    };
    if (TRY(run("-C")).ok()) return {};
    const ProgramEnd end = TRY(run("-A"));
    if (end.ok()) return {};
    return {Errc::io, "let connections in to " + settings.bridge_subnet + ": iptables " +
                          describe(end, settings.plugin_timeout) + ": " +
                          cni_complaint(end.out, end.err)};
}

/// Takes away what the record says, as far as it can.
Result<void> undo(const NetworkSettings& settings, const NetworkRecord& record) {
    Result<void> first;
    if (!record.list.plugins.empty()) {
        const PluginSubject subject{.alloc = record.request.alloc,
                                    .netns = is_netns(record.netns) ? record.netns : ""};
        first = cni_delete(record.list, runtime_of(record), result_of(record),
                           plugin_runner(settings, subject, record.list.name));
    }
    if (record.netns.empty()) return first;
    const Result<void> removed = remove_netns(record.netns);
    return first.ok() ? removed : first;
}

/// In place of a record that cannot be read (the power failed): what there may be of a bridge's.
/// The port does not matter, but without one the plugin that maps ports does nothing.
NetworkRecord guess(const NetworkSettings& settings, const std::string& alloc_dir) {
    const std::string alloc = std::filesystem::path(alloc_dir).filename().string();
    return {.request = {.alloc = alloc, .mode = "bridge", .ports = {{.host = 1, .inside = 1}}},
            .netns = settings.netns_dir + "/" + alloc,
            .port_ip = {},
            .list = bridge_list(settings),
            .result = {},
            .network = {}};
}

bool is_in_order(const NetworkSettings& settings, const NetworkRecord& record) {
    if (!record.complete || record.netns.empty()) return record.complete;
    if (!is_netns(record.netns)) return false;
    const std::optional<Value> result = result_of(record);
    if (record.list.plugins.empty() || !result) return record.list.plugins.empty();
    const auto run =
        plugin_runner(settings, {record.request.alloc, record.netns}, record.list.name);
    const Result<void> found = cni_check(record.list, runtime_of(record), *result, run);
    if (!found.ok())
        log::warn("allocation {}: {}; its network is made anew", record.request.alloc,
                  found.error().detail);
    return found.ok();
}

Result<void> add(const NetworkSettings& settings, NetworkRecord& record) {
    const auto run =
        plugin_runner(settings, {record.request.alloc, record.netns}, record.list.name);
    for (int tried = 1;; ++tried) {
        const Result<Value> result = cni_add(record.list, runtime_of(record), run);
        if (result.ok()) {
            record.result = value_to_json(*result);
            record.network.status = TRY(status_of_result(*result));
            return {};
        }
        // A plugin that hangs once is not asked again: the worker has others to serve.
        if (tried == kAddTriesMax || result.error().code != Errc::io) return result.error();
        (void)cni_delete(record.list, runtime_of(record), std::nullopt, run).ok();
        std::this_thread::sleep_for(kAddPause * tried);
    }
}

/// What the tasks see in /etc.
Result<void> write_files(const std::string& alloc_dir, NetworkRecord& record) {
    const NetworkRequest& asked = record.request;
    AllocNetwork& network = record.network;
    const bool apart = !record.netns.empty();
    const bool reaches_out = apart && asked.mode != "none";
    network.status.dns = prefer(asked.dns, network.status.dns);
    if (reaches_out || !is_empty(asked.dns)) {
        const DnsConfig whole = prefer(network.status.dns, machine_dns(apart));
        network.tasks.resolv_file =
            TRY(write_network_file(alloc_dir, "resolv.conf", resolv_conf(whole)));
    }
    if (!apart && asked.hostname.empty()) return {};
    const std::string name = asked.hostname.empty() ? machine_name() : asked.hostname;
    const std::string hosts =
        apart ? hosts_file(network.status.ip, name)
              : small_file("/etc/hosts", kCniTextMax) + "\n127.0.1.1 " + name + "\n";
    network.tasks.hosts_file = TRY(write_network_file(alloc_dir, "hosts", hosts));
    if (asked.hostname.empty()) return {};
    network.tasks.hostname = name;
    network.tasks.hostname_file = TRY(write_network_file(alloc_dir, "hostname", name + "\n"));
    return {};
}

Result<void> make(const NetworkSettings& settings, const std::string& alloc_dir,
                  NetworkRecord& record) {
    if (!record.netns.empty()) TRY(make_netns(record.netns));
    if (!record.list.plugins.empty()) TRY(add(settings, record));
    if (record.request.mode == "bridge") TRY(admit_connections(settings));
    TRY(write_files(alloc_dir, record));
    record.complete = true;
    return write_network_record(alloc_dir, record);
}

}  // namespace

Result<std::optional<AllocNetwork>> AllocNetworks::set_up(const std::string& alloc_dir,
                                                          const NetworkRequest& request) {
    const Result<std::optional<NetworkRecord>> before = read_network_record(alloc_dir);
    if (before.ok() && *before && (*before)->request == request && is_in_order(settings_, **before))
        return std::optional<AllocNetwork>((*before)->network);
    TRY(tear_down(alloc_dir));
    if (!needs_network(request)) return std::optional<AllocNetwork>();

    NetworkRecord record{.request = request, .port_ip = settings_.port_ip};
    record.network.mode = request.mode;
    if (request.mode == "bridge") record.list = bridge_list(settings_);
    if (request.mode.starts_with(kCniMode))
        record.list = TRY(find_cni_list(settings_, request.mode.substr(kCniMode.size())));
    if (request.mode != "host") {
        record.netns = settings_.netns_dir + "/" + request.alloc;
        record.network.tasks.netns = record.netns;
    }
    TRY(write_network_record(alloc_dir, record));
    const Result<void> made = make(settings_, alloc_dir, record);
    if (made.ok()) return std::optional<AllocNetwork>(record.network);
    const Result<void> undone = tear_down(alloc_dir);
    if (!undone.ok()) log::warn("allocation {}: {}", request.alloc, undone.error().detail);
    return within("set up network \"" + request.mode + "\"", made.error());
}

std::optional<AllocNetwork> AllocNetworks::recorded(const std::string& alloc_dir) {
    const Result<std::optional<NetworkRecord>> found = read_network_record(alloc_dir);
    if (!found.ok() || !*found || !(*found)->complete) return std::nullopt;
    return (*found)->network;
}

Result<void> AllocNetworks::tear_down(const std::string& alloc_dir) {
    Result<std::optional<NetworkRecord>> found = read_network_record(alloc_dir);
    if (!found.ok() && found.error().code != Errc::corrupt) return found.error();
    if (found.ok() && !*found) return {};
    const NetworkRecord record = found.ok() ? **found : guess(settings_, alloc_dir);
    const Result<void> undone = undo(settings_, record);
    if (!undone.ok())
        return within("take the network \"" + record.request.mode + "\" away", undone.error());
    return remove_network_record(alloc_dir);
}

}  // namespace gaggle::allocrunner
